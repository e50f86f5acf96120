"""The directory of a zip archive: read in bounded memory, and every member checked for what is refused."""

from __future__ import annotations

import stat
import sys
import zipfile
import zlib
from collections.abc import Sequence
from typing import IO

from ffbench.errors import DataError
from ffbench.io.archives.names import safe_name

# A file in the directory of a zip takes 46 bytes, its name and some extra fields.
_DIRECTORY_BYTES_PER_ENTRY = 512
_ENTRY = b"PK\x01\x02"
_ENCRYPTED = 0x1
DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError)
"""What the zip library raises, beside OSError, at a member that is damaged."""


class _BoundedReader:
    """A file that refuses single reads of more than `limit` bytes: sizes in headers are not to be believed.

    The library reads the directory at once and makes an object of each entry, 15 times as large as the shortest.
    """

    def __init__(self, file: IO[bytes], limit: int, max_entries: int) -> None:
        self._file, self.limit, self.max_entries = file, limit, max_entries

    def read(self, count: int = -1) -> bytes:
        content = self._file.read(min(count, self.limit + 1) if count >= 0 else self.limit + 1)
        if len(content) > self.limit:
            raise zipfile.BadZipFile(f"its directory is larger than {self.limit} bytes")
        if content.startswith(_ENTRY) and content.count(_ENTRY) > self.max_entries:
            raise zipfile.BadZipFile(f"it holds more than {self.max_entries} files")
        return content

    def __getattr__(self, name: str) -> object:
        return getattr(self._file, name)


def read_directory(path: object, file: IO[bytes], max_entries: int) -> zipfile.ZipFile:
    """Read the directory of the archive that `file` is open on; `path` names it in errors.

    Raises:
        DataError: not a zip archive, damaged, or one of more than `max_entries` members.
    """
    reader = _BoundedReader(file, max(2**21, max_entries * _DIRECTORY_BYTES_PER_ENTRY), max_entries)
    try:
        archive: zipfile.ZipFile = zipfile.ZipFile(reader)  # type: ignore[call-overload]
    # Beside BadZipFile, damage shows as whatever the parser trips over.
    except Exception as error:
        raise DataError(path, f"cannot be read as a zip archive ({error})") from error
    # From here on the library gives no more of a member than the directory states.
    reader.limit = reader.max_entries = sys.maxsize - 1
    return archive


def checked_name(path: object, member: zipfile.ZipInfo) -> str:
    """Return the safe name of a member that may be read.

    Raises:
        DataError: a name that leads out of the archive, or a member that is encrypted, a link or packed in an odd way.
    """
    name = safe_name(path, member.filename)
    mode = member.external_attr >> 16
    if member.flag_bits & _ENCRYPTED:
        raise DataError(path, f"{name} is encrypted; pack it without a password")
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise DataError(path, f"{name} is a link or a special file, expected plain files only")
    if not member.is_dir() and member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DataError(path, f"{name} is packed by method {member.compress_type}, expected deflate")
    return name


def require_stored(members: Sequence[zipfile.ZipInfo], length: int) -> None:
    """Check that an archive of `length` bytes holds these members as they are, each byte of it in one of them at most.

    Raises:
        ValueError: members are packed, or lie over each other.
    """
    packed = next((member for member in members if member.compress_type != zipfile.ZIP_STORED), None)
    if packed is not None:
        raise ValueError(f"{packed.filename} is compressed")
    total = sum(member.file_size for member in members)
    if total > length:
        raise ValueError(f"its members have {total} bytes in a file of {length}: they lie over each other")
