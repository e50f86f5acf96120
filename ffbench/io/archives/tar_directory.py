"""The headers of a tar archive: read in bounded memory, and every member checked for what is refused."""

from __future__ import annotations

import os
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ffbench.errors import DataError
from ffbench.io.archives.names import safe_name

_HEADER_BYTES = 2**16
_HEADERS_PER_MEMBER = 16


@dataclass(frozen=True)
class TarEntry:
    """A plain file of a tar archive: `size` bytes that begin at `offset`."""

    name: str
    size: int
    offset: int


class _HeaderReader:
    """A file that lets the parser of headers take little at a time, and few headers for a member.

    Long names and attributes are stored as members of their own, of any size and number that the header states.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.reads = 0

    def read(self, count: int = -1) -> bytes:
        self.reads += 1
        if count < 0 or count > _HEADER_BYTES or self.reads > _HEADERS_PER_MEMBER:
            raise tarfile.ReadError("a header is larger than any that is needed")
        return self._file.read(count)

    def __getattr__(self, name: str) -> object:
        return getattr(self._file, name)


def read_tar_directory(path: Path, file: IO[bytes], max_entries: int) -> tuple[list[TarEntry], list[str]]:
    """List the plain files of the tar archive that `file` is open on; `path` names it in errors.

    Returns:
        The files under safe names, and what is refused: one line each, without the archive's name.

    Raises:
        DataError: not a tar archive, damaged, cut short, or of more than `max_entries` members.
    """
    try:
        return _list(path, file, max_entries)
    except DataError:
        raise
    # Beside TarError, damage shows as whatever the parser trips over.
    except Exception as error:
        raise DataError(path, f"cannot be read as a tar archive ({error})") from error


def _list(path: Path, file: IO[bytes], max_entries: int) -> tuple[list[TarEntry], list[str]]:
    reader = _HeaderReader(file)
    length = file.seek(0, os.SEEK_END)
    file.seek(0)
    found: list[TarEntry] = []
    refused: list[str] = []
    with tarfile.open(fileobj=reader, mode="r:") as archive:  # type: ignore[call-overload]
        for count, member in enumerate(archive, start=1):
            reader.reads = 0
            archive.members = []  # the parser would keep a record of each member
            if count > max_entries:
                raise DataError(path, f"holds more than {max_entries} files; it is refused")
            if member.isdir() and member.name in (".", "./", ""):
                continue
            if member.size < 0:
                # To go on would be to go back, to a header that was read before.
                raise DataError(path, f"states {member.size} bytes for a member; it is damaged")
            try:
                name = safe_name(path, member.name)
            except DataError as error:
                refused.append(error.reason)
                continue
            if member.isdir():
                continue
            if not member.isreg() or member.issparse():
                refused.append(f"{name} is a link or a special file, expected plain files only")
            elif member.offset_data + member.size > length:
                raise DataError(path, f"is cut short inside {name}")
            else:
                found.append(TarEntry(name, member.size, member.offset_data))
    return found, refused
