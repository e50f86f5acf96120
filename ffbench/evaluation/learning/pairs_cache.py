"""Old flows of pairs are removed: of a method's `pairs-*` folders on a protocol, the last used stay."""

from __future__ import annotations

import shutil
from pathlib import Path

KEPT = 4
"""Folders that stay for a method on a protocol: of other weights or iterations, or of other data."""


def prune_pairs(folder: Path, keep: int = KEPT) -> list[Path]:
    """Remove all but the `keep` last used `pairs-*` folders of a method, and return those that were removed.

    `folder` is one of the method's on a protocol; those beside it of the method's other weights (`METHOD@...`) count
    with it. A folder is used when a run opens its journal. One that a run has open is locked, and stays; what cannot
    be removed stays too. Where files cannot be locked (Windows) nothing is removed.
    """
    try:
        import fcntl
    except ImportError:
        return []
    removed = []
    method = folder.name.partition("@")[0]
    places = [folder.with_name(method), *folder.parent.glob(f"{method}@*")]
    found = [journal for place in places for journal in place.glob("pairs-*/journal.jsonl")]
    journals = sorted(found, key=_last_used, reverse=True)
    for journal in journals[keep:]:
        try:
            with journal.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # The journal goes first: without it the folder counts for nothing, however far this comes.
                journal.unlink()
                shutil.rmtree(journal.parent)
        except OSError:
            continue
        removed.append(journal.parent)
    return removed


def _last_used(journal: Path) -> float:
    try:
        return journal.stat().st_mtime
    except OSError:
        return 0.0
