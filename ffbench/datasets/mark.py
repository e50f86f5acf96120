"""The mark of a mini dataset: a file at its top that says that ffbench made it, and how."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Literal

from ffbench.io.archives.member_path import DatasetPath, MemberPath

SYNTHETIC_MARK = "ffbench-mini.json"
"""A folder with this file at its top was made by ffbench: it has the layout, not the size, of the dataset."""
JawReading = Literal["expression", "pose"]
"""What the jaw counts to in a head partner (paper, Eq. 4): the expression, which is that of the frame before, or the
pose, which is new. By the letter theta holds the jaw, so that opening the mouth is head flow."""
_LARGEST_MARK = 65_536


def mark_synthetic(root: Path, recipe: str, version: str, seed: int) -> None:
    """Mark a folder as made by ffbench, and say how."""
    mark = {"synthetic": True, "recipe": recipe, "version": version, "seed": seed}
    (root / SYNTHETIC_MARK).write_text(json.dumps(mark, indent=2) + "\n")


def synthetic_mark(*paths: DatasetPath) -> DatasetPath | None:
    """Find the mark of a dataset that ffbench made and that one of these files or folders is or lies in.

    Every folder above them is looked at, since a dataset may lie anywhere below the folder that a user names: those in
    an archive and then those that it lies in; where links are on the way, both the folders that are named and those
    where the data lie.
    """
    seen: set[DatasetPath] = set()
    for path in paths:
        outside = path.container if isinstance(path, MemberPath) else path
        ways: list[list[DatasetPath]] = [[path, *path.parents]] if isinstance(path, MemberPath) else []
        ways += [[place, *place.parents] for place in (Path(os.path.abspath(outside)), Path(os.path.realpath(outside)))]
        for way in ways:
            for folder in way:
                if folder in seen:
                    break  # and so were those above it
                seen.add(folder)
                if (folder / SYNTHETIC_MARK).is_file():
                    return folder / SYNTHETIC_MARK
    return None


def jaw_reading(mark: DatasetPath) -> JawReading:
    """Return the reading of Eq. 4 that the mark of a dataset states; where it states none the jaw is expression."""
    try:
        content = json.loads(mark.read_bytes()) if mark.stat().st_size <= _LARGEST_MARK else None
    except (OSError, ValueError, RecursionError):
        content = None
    return "pose" if isinstance(content, dict) and content.get("jaw") == "pose" else "expression"
