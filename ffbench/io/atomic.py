"""Writing files so that a reader, or a killed process, never leaves half of one behind."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from ffbench.errors import writing

ABANDONED_SECONDS = 3600.0
"""A temporary file that nobody has written to for so long is one that a killed process left."""
_TEMPORARY = ".ffbench-"
_TEMPORARY_NAME = re.compile(r"\..+\.ffbench-[a-z0-9_]{8}(\.[^.]+)?")


@contextlib.contextmanager
def atomic_path(path: Path | str) -> Iterator[Path]:
    """Return a temporary path beside `path`; on success flush it to the disk and move it into place.

    The temporary file keeps the suffix of `path`, since many writers choose a format by it. If the
    body raises, the temporary file is removed and `path` is left as it was.

    Raises:
        DataError: the folder cannot be written or the disk is full.
    """
    path = Path(path)
    temporary: Path | None = None
    try:
        with writing(path, more="; nothing was changed"):
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=f".{path.stem}{_TEMPORARY}", suffix=path.suffix, dir=path.parent)
            os.close(handle)
            temporary = Path(name)
            # mkstemp makes private files; what ffbench writes is meant to be shared like any other file.
            temporary.chmod(0o666 & ~_umask())
            yield temporary
            with temporary.open("rb") as written:
                os.fsync(written.fileno())
            os.replace(temporary, path)
            _sync_folder(path.parent)
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def write_bytes(path: Path | str, content: bytes) -> None:
    """Write `content` to `path` atomically."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path | str, content: str) -> None:
    """Write `content` to `path` atomically, as UTF-8."""
    write_bytes(path, content.encode())


def is_temporary(name: str) -> bool:
    """Tell from the name of a file whether it is one that `atomic_path` gave, and its writer may have been killed."""
    return _TEMPORARY_NAME.fullmatch(name) is not None


def is_abandoned(path: Path) -> bool:
    """Tell whether nobody has written to a temporary file for so long that its writer must have been killed."""
    try:
        return time.time() - path.stat().st_mtime > ABANDONED_SECONDS
    except OSError:
        return False


def remove_litter(folder: Path, *, of: Path | None = None, shared: bool = False) -> None:
    """Remove the temporary files that killed processes left in a folder.

    Args:
        folder: it need not be there.
        of: only those of this file, which lies in the folder; None: all, also in the folders below.
        shared: whether other processes may be writing there; only what is abandoned is removed then.
    """
    beginning = "" if of is None else f".{of.stem}{_TEMPORARY}"
    for root, folders, names in os.walk(folder):
        if of is not None:
            folders.clear()
        for path in (Path(root, name) for name in names if name.startswith(beginning) and is_temporary(name)):
            if not shared or is_abandoned(path):
                # Another process may have removed it first.
                with contextlib.suppress(OSError):
                    path.unlink()


def _umask() -> int:
    # The process's mask can only be read by setting it.
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable; Windows cannot open folders and needs no such step."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
