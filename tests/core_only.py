"""Stands in for an environment that holds the core of ffbench alone: what its extras install cannot be imported.

`python -m tests.core_only COMMAND ...` runs a command so; `block()` does it to the process that calls it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

from ffbench.extras import EXTRAS


class Blocker:
    """A finder that comes before all others, and finds nothing of an extra."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name.partition(".")[0] in EXTRAS:
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)
        return None


def block() -> None:
    """Hide the packages of all extras; none may have been imported before."""
    early = sorted(EXTRAS.keys() & sys.modules.keys())
    assert not early, f"imported already: {early}"
    sys.meta_path.insert(0, Blocker())


if __name__ == "__main__":
    block()
    from ffbench import cli

    cli.main()
