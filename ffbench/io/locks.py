"""One process at a time in a folder, and folders that belong to one run."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from ffbench.errors import DataError, UsageError, reading, writing
from ffbench.io.atomic import is_temporary, remove_litter, write_text

LOCK = ".lock"


@contextlib.contextmanager
def writing_alone(folder: Path) -> Iterator[None]:
    """Keep other processes of ffbench out of a folder while this one writes to it; the folder is made if need be.

    What a killed process left half written there is removed.

    Raises:
        UsageError: another process is writing there.
        DataError: the folder cannot be made or written.
    """
    with _locked(folder, folder / LOCK, "another folder"):
        remove_litter(folder)
        yield


@contextlib.contextmanager
def writing_file_alone(path: Path) -> Iterator[None]:
    """Keep other processes of ffbench from writing a file while this one does, in a folder that others use too.

    What a killed process left half written of it is removed.

    Raises:
        UsageError: another process is writing it.
        DataError: its folder cannot be made or written.
    """
    with _locked(path, path.with_name(f".{path.name}{LOCK}"), "another file"):
        remove_litter(path.parent, of=path)
        yield


@contextlib.contextmanager
def _locked(target: Path, lock: Path, other: str) -> Iterator[None]:
    from filelock import FileLock, Timeout

    with writing(target):
        lock.parent.mkdir(parents=True, exist_ok=True)
        held = FileLock(lock, timeout=0)
        # A timeout is an OSError too, so that it must not come as far as `writing`.
        try:
            held.acquire()
        except Timeout as error:
            raise UsageError(f"{target}: another process is writing there; wait for it or name {other}") from error
    try:
        yield
    finally:
        # Who waits for a lock that is gone makes a new one.
        with contextlib.suppress(OSError):
            lock.unlink()
        held.release()


@contextlib.contextmanager
def own_folder(folder: Path, mark: str, run: str, other: str) -> Iterator[None]:
    """Take a folder for one run: a new or empty one, or the one in which the same run was interrupted.

    Args:
        folder: the folder.
        mark: name of the hidden file in it that says whose it is.
        run: what is in that file.
        other: said of a folder of another run.

    Raises:
        UsageError: another process is writing there.
        DataError: the folder is of another run or holds other files, or cannot be written.
    """
    _require_own(folder, mark, run, other)
    with writing_alone(folder):
        _require_own(folder, mark, run, other)  # it may have become another's while this one looked
        if not (folder / mark).is_file():
            write_text(folder / mark, run)
        yield


def _require_own(folder: Path, mark: str, run: str, other: str) -> None:
    with reading(folder):
        if (folder / mark).is_file():
            if (folder / mark).read_bytes() != run.encode():
                raise DataError(folder, f"{other}; name a new folder")
            return
        if folder.exists() and (not folder.is_dir() or any(not _is_ours(item) for item in folder.iterdir())):
            raise DataError(folder, "is not an empty folder; name a new one, so that files of two runs never mix")


def _is_ours(path: Path) -> bool:
    return path.name == LOCK or is_temporary(path.name)
