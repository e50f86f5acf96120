"""Open archives, zip and tar. The directory of each is read once; members are read when they are asked for."""

from __future__ import annotations

import io
import os
import threading
import zipfile
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from ffbench.errors import DataError, reading
from ffbench.io.archives.names import is_ignored
from ffbench.io.archives.tar_directory import TarEntry, read_tar_directory
from ffbench.io.archives.zip_directory import DAMAGE, checked_name, read_directory
from ffbench.io.bounds import is_bomb

SUFFIXES = (".zip", ".tar")
"""Archives of which a member can be read without unpacking what lies before it."""
MAX_ENTRIES = 2**20
"""Members of one archive. FacialFlowNet as a whole has about 600,000 files."""
_FREE_ENTRIES, _BYTES_PER_ENTRY = 2**15, 512
"""Members beyond the first are as many as the archive has room for: the record that is kept of one takes more memory
than a member of no bytes takes in the file."""
_MAX_FAULTS = 20
_LARGEST_RATIO = 1033
"""More than this deflate cannot give: a larger stated size is not true."""


@dataclass(frozen=True)
class PlaceStatus:
    """Size in bytes of a member, and of its archive when it and its status changed, and the inode."""

    st_size: int
    st_mtime_ns: int
    st_ctime_ns: int
    st_ino: int


class Member(ABC):
    """A file in an archive; it is read as a `Path` is.

    Attributes:
        archive: where the archive is.
        name: the name in it, with `/`.
        size: bytes, as the archive states it; a reader never gets more.
    """

    def __init__(self, archive: Path, name: str, size: int) -> None:
        self.archive, self.name, self.size = archive, name, size

    @property
    def bomb(self) -> str | None:
        """What it would unpack to, in words, if that is more than is believed; None: it is not packed like that."""
        return None

    @abstractmethod
    def content(self) -> io.RawIOBase:
        """Open the file without a buffer; damage shows as an OSError, here or when it is read."""

    @property
    def suffix(self) -> str:
        """The suffix of the name, with its point."""
        return PurePosixPath(self.name).suffix

    def stat(self) -> PlaceStatus:
        """Return the size as the archive states it; a reader never gets more than that."""
        archive = self.archive.stat()
        return PlaceStatus(self.size, archive.st_mtime_ns, archive.st_ctime_ns, archive.st_ino)

    def open(self, mode: str = "rb") -> IO[bytes]:
        """Open the file for reading; damage shows as an OSError, here or when it is read."""
        if mode != "rb":
            raise ValueError(f"mode {mode!r}: members of archives are read as bytes")
        return io.BufferedReader(self.content(), 2**16)

    def read(self) -> bytes:
        """Read the whole file, and verify its checksum where it has one."""
        with self.content() as content:
            return content.readall()

    def __str__(self) -> str:
        return f"{self.archive}/{self.name}"


def read_archive(path: Path) -> dict[str, Member]:
    """Read the directory of an archive, and give its files by name. They may be read from several threads at once.

    Raises:
        DataError: it cannot be read, or holds members that are refused: all of them are named, up to a limit.
    """
    with reading(path):
        file = path.open("rb")
    try:
        length = os.fstat(file.fileno()).st_size
        packed = path.suffix.lower() == ".zip"
        most = min(MAX_ENTRIES, _FREE_ENTRIES + length // _BYTES_PER_ENTRY) if packed else MAX_ENTRIES
        found, faults = list_members(path, file, most, packed=packed)
        faults += [fault for member in found if (fault := member.bomb)]
        members: dict[str, Member] = {}
        for member in found:
            if member.name in members:
                faults.append(f"holds {member.name} twice")
            members[member.name] = member
        if faults:
            more = f"; and {len(faults) - _MAX_FAULTS} more" if len(faults) > _MAX_FAULTS else ""
            raise DataError(path, f"{'; '.join(faults[:_MAX_FAULTS])}{more}; the archive is refused")
    except BaseException:
        file.close()
        raise
    return members


def list_members(path: Path, file: IO[bytes], most: int, *, packed: bool) -> tuple[list[Member], list[str]]:
    """List the files of an archive that is open, in its order, one name perhaps several times, without litter.

    Args:
        path: names the archive.
        file: the archive, a zip if it is `packed`, else a tar; members are read from it for as long as it is open.
        most: more members are refused.

    Returns:
        The members, and what of others is refused: one line each, without the archive's name.

    Raises:
        DataError: it is damaged, or has too many members.
    """
    return _zip_members(path, file, most) if packed else _tar_members(path, file, most)


def _tar_members(path: Path, file: IO[bytes], most: int) -> tuple[list[Member], list[str]]:
    entries, faults = read_tar_directory(path, file, most)
    return [_TarMember(path, file, entry) for entry in entries if not is_ignored(entry.name)], faults


def _zip_members(path: Path, file: IO[bytes], most: int) -> tuple[list[Member], list[str]]:
    archive = read_directory(path, file, most)
    lock = threading.Lock()
    members: list[Member] = []
    faults: list[str] = []
    for info in archive.infolist():
        try:
            name = checked_name(path, info)
        except DataError as error:
            faults.append(error.reason)
            continue
        if info.is_dir() or is_ignored(name):
            continue
        members.append(_ZipMember(path, archive, lock, name, info))
    return members, faults


class _TarMember(Member):
    """Bytes of a tar archive, which has no checksums of contents."""

    def __init__(self, archive: Path, file: IO[bytes], entry: TarEntry) -> None:
        super().__init__(archive, entry.name, entry.size)
        self._file, self._offset = file, entry.offset

    def content(self) -> io.RawIOBase:
        return _Slice(self._file, self._offset, self.size)


class _ZipMember(Member):
    def __init__(
        self, archive: Path, opened: zipfile.ZipFile, lock: threading.Lock, name: str, info: zipfile.ZipInfo
    ) -> None:
        super().__init__(archive, name, info.file_size)
        self._zip, self._lock, self._info = opened, lock, info

    @property
    def bomb(self) -> str | None:
        packed, size = self._info.compress_size, self._info.file_size
        if size > _LARGEST_RATIO * packed + 2**10 or is_bomb(packed, size):
            return f"{self.name} would unpack from {packed} to {size} bytes"
        return None

    def content(self) -> io.RawIOBase:
        try:
            with self._lock:  # opening counts the open members, which is not safe in threads
                return _Unpacked(self._zip.open(self._info))
        except Exception as error:
            raise OSError(f"the archive is damaged: {error}") from error


class _Content(io.RawIOBase):
    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        content = self._take(len(buffer))
        buffer[: len(content)] = content
        return len(content)

    def _take(self, count: int) -> bytes:
        raise NotImplementedError


class _Slice(_Content):
    """`size` bytes of a file from `offset` on; the position is its own, so that threads do not disturb each other."""

    def __init__(self, file: IO[bytes], offset: int, size: int) -> None:
        self._file, self._offset, self._size, self._position = file, offset, size, 0

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._position = max(0, offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence])
        return self._position

    def tell(self) -> int:
        return self._position

    def readall(self) -> bytes:
        return b"".join(iter(lambda: self._take(2**24), b""))

    def _take(self, count: int) -> bytes:
        count = max(0, min(count, self._size - self._position))
        content = os.pread(self._file.fileno(), count, self._offset + self._position)
        if count and not content:
            raise OSError("the archive is cut short")
        self._position += len(content)
        return content


class _Unpacked(_Content):
    """What the zip library gives, with all its kinds of errors turned into OSError, as readers of files expect."""

    def __init__(self, content: IO[bytes]) -> None:
        self._content = content

    def readall(self) -> bytes:
        return self._take(-1)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        try:
            return self._content.seek(offset, whence)
        except DAMAGE as error:
            raise OSError(f"the archive is damaged: {error}") from error

    def tell(self) -> int:
        return self._content.tell()

    def close(self) -> None:
        if not self.closed:
            self._content.close()
        super().close()

    def _take(self, count: int) -> bytes:
        try:
            return self._content.read(count)
        except DAMAGE as error:
            raise OSError(f"the archive is damaged: {error or type(error).__name__}") from error
