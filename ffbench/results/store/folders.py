"""Folders of a store that other systems would take for others: what is checked out there is another store."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from ffbench.results.store.places import LEVELS

_RESERVED = frozenset({"aux", "con", "nul", "prn", *(f"{name}{n}" for name in ("com", "lpt") for n in range(10))})
"""Names that Windows gives no file, whatever follows after a dot."""


def unportable_folders(store: Path) -> Iterator[tuple[Path, str]]:
    """Return the folders of a store that file systems without case, or Windows, would merge or refuse, and why.

    macOS and Windows put `Verified` and `verified` into one folder: whatever is in the first would be verified there,
    and nobody here has looked at it.
    """
    for path in _folders(store):
        level = path.name.casefold()
        if level in LEVELS and path.name != level:
            yield path, f"is the same as '{level}' where file systems do not tell capitals apart; rename it"
    for level in LEVELS:
        seen: dict[str, Path] = {}
        for path in _folders(store / level):
            other = seen.setdefault(path.name.casefold(), path)
            if other != path:
                yield path, f"is the same as '{other.name}' where file systems do not tell capitals apart"
            if path.name.casefold().partition(".")[0] in _RESERVED:
                yield path, "has a name that Windows gives no folder, so the store cannot be checked out there"


def _folders(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            return sorted(Path(entry.path) for entry in entries if entry.is_dir())
    except OSError:
        return []
