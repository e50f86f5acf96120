"""Running a command of ffbench in this process."""

from __future__ import annotations

import sys

import pytest

from ffbench import cli


def run_command(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    """Run `ffbench` with some arguments and return its exit code."""
    monkeypatch.setattr(sys, "argv", ["ffbench", *map(str, arguments)])
    with pytest.raises(SystemExit) as end:
        cli.main()
    return int(end.value.code or 0)
