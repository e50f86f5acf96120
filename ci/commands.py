"""The page of all commands, docs/commands.md, made from the commands themselves: `make readme`.

With `--check` nothing is written, and the exit code says whether the page differs.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "commands.md"
_TITLE = "# `ffbench`\n"
_HEAD = """# Commands

Every command with its options, as `--help` says it (`make readme` writes this page; a test holds it to the commands).
[README](../README.md#three-tasks) shows which to begin with.
"""


def reference() -> str:
    """Return the page."""
    command = [sys.executable, "-m", "typer", "ffbench.cli", "utils", "docs", "--name", "ffbench"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if not text.startswith(_TITLE):
        raise RuntimeError(f"typer's page begins otherwise than with {_TITLE!r}: {text[:80]!r}")
    # Two brackets in a row would be a link by reference.
    return f"{_HEAD}{text.removeprefix(_TITLE).rstrip()}\n".replace("][", "]\\[")


def main(arguments: Sequence[str]) -> int:
    """Write the page, or with `--check` say whether it differs; return the exit code."""
    page = reference()
    if "--check" not in arguments:
        PAGE.write_text(page, "utf-8")
    elif PAGE.read_text("utf-8") != page:
        print("docs/commands.md is not what the commands say; run `make readme`", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
