"""One thing that a contract asks, and whether it holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from ffbench.errors import reason

Outcome = Literal["ok", "wrong", "note"]


@dataclass(frozen=True)
class Check:
    """What was looked at, how it came out, and what was seen; a `note` is no fault, but worth a look."""

    name: str
    outcome: Outcome
    seen: str


Test = Callable[[], tuple[Outcome, str]]
"""Looks at one thing. Whatever it raises makes the check wrong, with the error as what was seen."""


def run_checks(tests: dict[str, Test]) -> Iterator[Check]:
    """Run tests one after the other and yield how each came out."""
    for name, test in tests.items():
        try:
            outcome, seen = test()
        except Exception as error:  # whatever other people's code may raise
            outcome, seen = "wrong", reason(error)
        yield Check(name, outcome, seen)


def require(checks: list[Check]) -> None:
    """Raise if a check came out wrong.

    Raises:
        AssertionError: names every check that came out wrong.
    """
    wrong = [f"{check.name}: {check.seen}" for check in checks if check.outcome == "wrong"]
    if wrong:
        raise AssertionError("; ".join(wrong))
