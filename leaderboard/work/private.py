"""Folders for what visitors send: removed when the work is done, or at the next start if the server was killed."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

PREFIX = "ffbench-app-"


@contextlib.contextmanager
def private_folder(kind: str) -> Iterator[Path]:
    """Make a folder that this user alone can read; it is removed in the end.

    It stays locked while this process lives, and the kernel unlocks it however the process ends: no process number
    that somebody else has got since, or that means another process in another container, can be mistaken for it.

    Args:
        kind: of the work, for the folder's name.
    """
    folder, lock = _locked_folder(kind)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _locked_folder(kind: str) -> tuple[Path, int]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{kind}-"))
        with contextlib.suppress(FileNotFoundError):
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            with contextlib.suppress(OSError):  # a file system without locks: nobody removes it but `private_folder`
                fcntl.flock(lock, fcntl.LOCK_EX)
            if folder.exists():
                return folder, lock
            os.close(lock)
        # A server that was just starting removed it before it was locked.


def remove_abandoned() -> list[Path]:
    """Remove the private folders of this user whose process is gone, and return them.

    Folders that a process has locked stay, and so do links and what cannot be removed.
    """
    removed = []
    for folder in sorted(Path(tempfile.gettempdir()).glob(f"{PREFIX}*")):
        with contextlib.suppress(OSError), _opened(folder) as descriptor:
            if os.fstat(descriptor).st_uid == os.getuid():
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)
                removed.append(folder)
    return removed


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
