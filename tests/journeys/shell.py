"""Runs commands as a user does: in a folder of their own, with exit code, output and seconds."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str


class Shell:
    """One user's terminal."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.commands = 0

    def __call__(self, line: str, code: int = 0) -> Ran:
        """Run a line that begins with `ffbench`; it must end with `code`."""
        self.commands += 1
        program, *arguments = line.split()
        assert program == "ffbench"
        done = subprocess.run(
            [sys.executable, "-m", "ffbench", *arguments],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == code, f"{line}\n{done.stdout}\n{done.stderr}"
        return Ran(done.returncode, done.stdout, done.stderr)
