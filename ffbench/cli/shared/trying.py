"""What `methods try`, `protocols try` and `data try` print: each check of the contract, and how it came out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ffbench.cli.shared.console import say, say_json
from ffbench.errors import FfbenchError

if TYPE_CHECKING:
    from ffbench.testing import Check


def report_checks(name: str, checks: list[Check], json: bool, error: type[FfbenchError]) -> None:
    """Print checks, and raise `error` if one came out wrong.

    Raises:
        FfbenchError: says how many.
    """
    if json:
        import json as json_module

        say_json(json_module.dumps([vars(check) for check in checks], indent=1))
    else:
        width = max(len(check.name) for check in checks)
        for check in checks:
            say(f"{check.outcome:<5}  {check.name:<{width}}  {check.seen}")
    wrong = [check.name for check in checks if check.outcome == "wrong"]
    if wrong:
        raise error(f"{name}: {len(wrong)} of {len(checks)} checks came out wrong: {', '.join(wrong)}")
