"""A submission in a zip archive, read member by member in bounded memory."""

from __future__ import annotations

import contextlib
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from ffbench.archives.scratch import copy_exactly
from ffbench.archives.zip_directory import DAMAGE, checked_name, read_directory
from ffbench.errors import DataError, FfbenchError, reading
from ffbench.submissions.entries import Entry, SubmissionFiles, entries_below_common_folder


class ZipFiles(SubmissionFiles):
    """The members of a zip archive."""

    def __init__(self, path: Path, max_entries: int) -> None:
        self.path = path
        self._lock = threading.Lock()
        with reading(path):
            self._file = path.open("rb")
        try:
            self._zip = read_directory(path, self._file, max_entries)
            self.entries = self._list()
        except DataError:
            self._file.close()
            raise

    def _list(self) -> list[Entry]:
        found: list[tuple[str, int, str | int]] = []
        for number, member in enumerate(self._zip.infolist()):
            name = checked_name(self.path, member)
            if not member.is_dir():
                found.append((name, member.file_size, number))
        return entries_below_common_folder(found)

    @contextlib.contextmanager
    def open(self, entry: Entry) -> Iterator[Path]:
        """Copy one member to a scratch file, no more of it than was stated."""
        member = self._zip.infolist()[int(entry.place)]
        with tempfile.TemporaryDirectory(prefix="ffbench-") as folder:
            copy = Path(folder) / f"flow{Path(entry.name).suffix.lower()}"
            try:
                with self._lock:  # opening counts the open members, which is not safe in threads
                    content = self._zip.open(member)
                with content:
                    copy_exactly(content, copy, entry.bytes)
            except FfbenchError:
                raise
            except (*DAMAGE, OSError) as error:
                raise DataError(entry.name, f"cannot be unpacked, the archive is damaged ({error})") from error
            yield copy

    def close(self) -> None:
        """Close the archive."""
        self._zip.close()
        self._file.close()
