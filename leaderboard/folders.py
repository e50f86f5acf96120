"""Which folders of this machine a visitor may name: none, unless whoever starts the pages says so."""

from __future__ import annotations

import os
from pathlib import Path

from ffbench.errors import UsageError

VARIABLE = "FFBENCH_APP_FOLDERS"


def open_folders() -> list[Path]:
    """Return the folders that `FFBENCH_APP_FOLDERS` lists (as PATH does), those that are there."""
    named = [Path(part).resolve() for part in os.environ.get(VARIABLE, "").split(os.pathsep) if part]
    return [folder for folder in named if folder.is_dir()]


def visitor_folder(text: str) -> Path:
    """Return the folder that a visitor named, if it is or lies in one that is open.

    Links are followed before that is judged. What is not open and what is not there gets one and the same answer, so
    that nobody can learn which folders this machine has.

    Raises:
        UsageError: no such folder among the open ones.
    """
    try:
        folder = Path(text).resolve()
        if any(folder.is_relative_to(root) for root in open_folders()) and folder.is_dir():
            return folder
    except (OSError, ValueError):  # names that no file can have
        pass
    raise UsageError(f"'{text}' is no folder below those that {VARIABLE} opens")
