"""The directory of a zip archive: read in bounded memory, and every member held against what is refused."""

from __future__ import annotations

import stat
import zipfile
import zlib
from pathlib import Path
from typing import BinaryIO

from ffbench.archives.names import safe_name
from ffbench.errors import DataError

# A file in the directory of a zip takes 46 bytes, its name and some extra fields.
_DIRECTORY_BYTES_PER_ENTRY = 512
_ENCRYPTED = 0x1
DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError)
"""What the zip library raises, beside OSError, at a member that is damaged."""


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


def read_directory(path: Path, file: BinaryIO, max_entries: int) -> zipfile.ZipFile:
    """Read the directory of the archive that `file` is open on; `path` names it in errors.

    Raises:
        DataError: not a zip archive, damaged, or its directory is larger than `max_entries` members can make it.
    """
    reader = _BoundedReader(file, max(2**21, max_entries * _DIRECTORY_BYTES_PER_ENTRY))
    try:
        return zipfile.ZipFile(reader)  # type: ignore[call-overload, no-any-return]
    # Beside BadZipFile, damage shows as whatever the parser trips over.
    except Exception as error:
        raise DataError(f"{path}: cannot be read as a zip archive ({error})") from error


def checked_name(path: Path, member: zipfile.ZipInfo) -> str:
    """Give the safe name of a member that may be read.

    Raises:
        DataError: a name that leads out of the archive, or a member that is encrypted, a link or packed in an odd way.
    """
    name = safe_name(path, member.filename)
    mode = member.external_attr >> 16
    if member.flag_bits & _ENCRYPTED:
        raise DataError(f"{path}: {name} is encrypted; pack it without a password")
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise DataError(f"{path}: {name} is a link or a special file, expected plain files only")
    if not member.is_dir() and member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DataError(f"{path}: {name} is packed by method {member.compress_type}, expected deflate")
    return name
