"""A submission in a tar archive, plain or gzipped, read member by member in bounded memory."""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from ffbench.archives.scratch import copy_exactly, write_scratch
from ffbench.archives.tar_directory import read_tar_directory
from ffbench.bounds import inflated
from ffbench.errors import DataError, reading
from ffbench.submissions.entries import Entry, SubmissionFiles, entries_below_common_folder


class TarFiles(SubmissionFiles):
    """The members of a tar archive.

    A gzipped one can be read only from its beginning, so it is first unpacked as a whole, the tar that is in it and
    no member of it, into one unnamed temporary file of at most `max_bytes`.
    """

    def __init__(self, path: Path, max_entries: int, max_bytes: int) -> None:
        self.path = path
        self._lock = threading.Lock()
        with reading(path):
            self._file: IO[bytes] = path.open("rb") if path.suffix.lower() == ".tar" else _unzipped(path, max_bytes)
        try:
            self.entries = self._list(max_entries)
        except DataError:
            self._file.close()
            raise

    def _list(self, max_entries: int) -> list[Entry]:
        found, refused = read_tar_directory(self.path, self._file, max_entries)  # type: ignore[arg-type]
        if refused:
            raise DataError(self.path, refused[0])
        return entries_below_common_folder([(entry.name, entry.size, entry.offset) for entry in found])

    @contextlib.contextmanager
    def open(self, entry: Entry) -> Iterator[Path]:
        """Copy one member to a scratch file."""
        with tempfile.TemporaryDirectory(prefix="ffbench-") as folder:
            copy = Path(folder) / f"flow{Path(entry.name).suffix.lower()}"
            with self._lock:  # the position is shared by threads
                self._file.seek(int(entry.place))
                copy_exactly(self._file, copy, entry.bytes, alone=False)
            yield copy

    def close(self) -> None:
        """Close the archive, and with it the temporary file."""
        self._file.close()


def _unzipped(path: Path, max_bytes: int) -> IO[bytes]:
    """Unzip into an unnamed temporary file.

    Raises:
        DataError: damaged, cut short, or larger than `max_bytes`.
    """
    target = tempfile.TemporaryFile(prefix="ffbench-")  # noqa: SIM115
    try:
        _unzip(path, target, max_bytes)
    except BaseException:
        target.close()
        raise
    return target


def _unzip(path: Path, target: IO[bytes], max_bytes: int) -> None:
    written = 0
    with path.open("rb") as file:
        try:
            for content in inflated(file, os.fstat(file.fileno()).st_size, zlib.MAX_WBITS | 16):
                written += len(content)
                if written > max_bytes:
                    raise DataError(path, f"unzips to more than {max_bytes} bytes, which no submission has; refused")
                write_scratch(target, content)
        except ValueError as error:
            raise DataError(path, f"cannot be unzipped, it {error}") from error
