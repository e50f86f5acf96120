"""What a command on a clip will take, said before it starts."""

from __future__ import annotations

import shutil
from pathlib import Path

from ffbench.errors import DataError, reading

_LEFT_FREE = 2**26
"""Bytes of a disk that stay free."""
_UNITS = (("GB", 1e9), ("MB", 1e6), ("kB", 1e3))


def said_seconds(seconds: float) -> str:
    """Return a time in words.

    >>> said_seconds(0.4), said_seconds(75), said_seconds(7300)
    ('1 s', '1 min 15 s', '2 h 2 min')
    """
    whole = max(1, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def said_bytes(count: float) -> str:
    """Return a size in words.

    >>> said_bytes(393_216_000), said_bytes(12)
    ('393 MB', '12 bytes')
    """
    for unit, size in _UNITS:
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count:.0f} bytes"


def require_disk(folder: Path, needed: int) -> None:
    """Refuse what the disk has no room for.

    Args:
        folder: where it is to be written; it need not be there yet.
        needed: bytes.

    Raises:
        DataError: less is free.
    """
    place = folder.resolve()
    while not place.exists():
        place = place.parent
    with reading(place):
        free = shutil.disk_usage(place).free
    if needed + _LEFT_FREE > free:
        raise DataError(
            folder,
            f"needs about {said_bytes(needed)}, {said_bytes(free)} are free; take fewer frames with --start, --end or "
            "--stride",
        )
