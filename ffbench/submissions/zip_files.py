"""A submission in a zip archive, read member by member in bounded memory."""

from __future__ import annotations

import contextlib
import stat
import tempfile
import threading
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ffbench.errors import DataError, FfbenchError
from ffbench.submissions.files import Entry, SubmissionFiles, entries_below_common_folder, safe_name, too_many
from ffbench.submissions.scratch import copy_exactly

# A file in the directory of a zip takes 46 bytes, its name and some extra fields.
_DIRECTORY_BYTES_PER_ENTRY = 512
_ENCRYPTED = 0x1


class _BoundedReader:
    """A file that refuses single reads of more than `limit` bytes: sizes in headers are not to be believed."""

    def __init__(self, file: BinaryIO, limit: int) -> None:
        self._file, self.limit = file, limit

    def read(self, count: int = -1) -> bytes:
        content = self._file.read(min(count, self.limit + 1) if count >= 0 else self.limit + 1)
        if len(content) > self.limit:
            raise zipfile.BadZipFile(f"its directory is larger than {self.limit} bytes")
        return content

    def __getattr__(self, name: str) -> object:
        return getattr(self._file, name)


class ZipFiles(SubmissionFiles):
    """The members of a zip archive."""

    def __init__(self, path: Path, max_entries: int) -> None:
        self.path = path
        self._lock = threading.Lock()
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error
        try:
            reader = _BoundedReader(self._file, max(2**21, max_entries * _DIRECTORY_BYTES_PER_ENTRY))
            self._zip = zipfile.ZipFile(reader)  # type: ignore[call-overload]
            self.entries = self._list(max_entries)
        except DataError:
            self._file.close()
            raise
        # Beside BadZipFile, damage shows as whatever the parser trips over.
        except Exception as error:
            self._file.close()
            raise DataError(f"{path}: cannot be read as a zip archive ({error})") from error

    def _list(self, max_entries: int) -> list[Entry]:
        members = self._zip.infolist()
        if len(members) > max_entries:
            raise too_many(self.path, max_entries)
        found: list[tuple[str, int, str | int]] = []
        for number, member in enumerate(members):
            name = safe_name(self.path, member.filename)
            mode = member.external_attr >> 16
            if member.flag_bits & _ENCRYPTED:
                raise DataError(f"{self.path}: {name} is encrypted; pack it without a password")
            if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise DataError(f"{self.path}: {name} is a link or a special file, expected plain files only")
            if member.is_dir():
                continue
            if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise DataError(f"{self.path}: {name} is packed by method {member.compress_type}, expected deflate")
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
            except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError) as error:
                raise DataError(f"{entry.name}: cannot be unpacked, the archive is damaged ({error})") from error
            yield copy

    def close(self) -> None:
        """Close the archive."""
        self._zip.close()
        self._file.close()
