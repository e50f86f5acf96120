"""Zip archives as one tree of folders. The directory of each is read once; members are read when they are asked for."""

from __future__ import annotations

import functools
import io
import threading
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO

from ffbench.archives.names import is_ignored
from ffbench.archives.zip_directory import DAMAGE, checked_name, read_directory
from ffbench.errors import DataError

MAX_ENTRIES = 2**20
"""Members of one archive. FacialFlowNet as a whole has about 600,000 files."""
_MAX_RATIO, _SMALL = 200, 2**26
"""Members of more than `_SMALL` bytes are refused if they unpack to more than `_MAX_RATIO` times what is stored; masks,
which do, are smaller."""
_MAX_FAULTS = 20
_LARGEST_RATIO = 1033
"""More than this deflate cannot give: a larger stated size is not true."""


@dataclass(frozen=True)
class Member:
    """A file in an archive."""

    archive: Archive
    info: zipfile.ZipInfo

    def open(self) -> IO[bytes]:
        """Open the file; damage shows as an OSError when it is read."""
        return io.BufferedReader(_Content(self.archive.open(self.info)), 2**16)

    def read(self) -> bytes:
        """Read the whole file, and hold it against its checksum."""
        with _Content(self.archive.open(self.info)) as content:
            return content.read_all()

    def __str__(self) -> str:
        return f"{self.archive.path}/{self.info.filename}"


class Archive:
    """An open zip archive. Members may be read from several threads at once."""

    def __init__(self, path: Path) -> None:
        """Read the directory.

        Raises:
            DataError: it cannot be read, or holds members that are refused: all of them are named, up to a limit.
        """
        self.path = path
        self._lock = threading.Lock()
        try:
            self._file: BinaryIO = path.open("rb")
        except OSError as error:
            raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error
        try:
            self._zip = read_directory(path, self._file, MAX_ENTRIES)
            self.members = self._checked()
        except BaseException:
            self._file.close()
            raise

    def open(self, info: zipfile.ZipInfo) -> IO[bytes]:
        """Open a member as the zip library does.

        Raises:
            OSError: the archive is damaged at the member.
        """
        try:
            with self._lock:  # opening counts the open members, which is not safe in threads
                return self._zip.open(info)
        except Exception as error:
            raise OSError(f"the archive is damaged: {error}") from error

    def _checked(self) -> dict[str, Member]:
        infos = self._zip.infolist()
        if len(infos) > MAX_ENTRIES:
            raise DataError(f"{self.path}: holds more than {MAX_ENTRIES} files, more than any dataset; it is refused")
        members: dict[str, Member] = {}
        faults: list[str] = []
        for info in infos:
            try:
                name = checked_name(self.path, info)
            except DataError as error:
                faults.append(str(error).removeprefix(f"{self.path}: "))
                continue
            if info.is_dir() or is_ignored(name):
                continue
            if name in members:
                faults.append(f"holds {name} twice")
            elif info.file_size > _LARGEST_RATIO * info.compress_size + 2**10 or (
                info.file_size > _SMALL and info.file_size > _MAX_RATIO * info.compress_size
            ):
                faults.append(f"{name} would unpack from {info.compress_size} to {info.file_size} bytes")
            members[name] = Member(self, info)
        if faults:
            more = f"; and {len(faults) - _MAX_FAULTS} more" if len(faults) > _MAX_FAULTS else ""
            raise DataError(f"{self.path}: {'; '.join(faults[:_MAX_FAULTS])}{more}; the archive is refused")
        return members


class Tree:
    """The folders of some archives, and of what lies beside them.

    `folders` gives the children of each folder by its name ("" for the top): a member, a real path, or None for a
    folder that is a key of `folders` itself.
    """

    def __init__(self, root: Path, archives: Sequence[Archive]) -> None:
        self.root = root
        self.folders: dict[str, dict[str, Member | Path | None]] = {"": {}}
        there: set[str] = set()
        if root.is_dir():
            self.folders[""] = {item.name: item for item in root.iterdir() if not _is_zip(item)}
            there = set(self.folders[""])
        for archive, prefix in _placed(root, archives):
            for name, member in archive.members.items():
                whole = prefix + name
                if whole.partition("/")[0] not in there:  # what was unpacked before counts
                    self._add(whole, member)

    def _add(self, name: str, member: Member) -> None:
        folder, _, last = name.rpartition("/")
        if folder not in self.folders:
            self._make(folder, member)
        if self.folders[folder].setdefault(last, member) is not member:
            raise DataError(f"{member}: {name} is there twice, also as a folder or in another archive")

    def _make(self, folder: str, member: Member) -> None:
        parent, _, last = folder.rpartition("/")
        if parent not in self.folders:
            self._make(parent, member)
        if self.folders[parent].setdefault(last, None) is not None:
            raise DataError(f"{member}: {folder} is a file and a folder at once")
        self.folders[folder] = {}


def read_tree(root: Path) -> Tree | None:
    """Read the zip archive `root`, or those that lie in the folder `root`; None where there are none.

    A process reads each state of an archive once.

    Raises:
        DataError: archives are damaged or refused; all of them are named.
    """
    try:
        archives = [root] if root.is_file() else sorted(item for item in root.iterdir() if _is_zip(item))
        states = tuple((path, path.stat().st_size, path.stat().st_mtime_ns) for path in archives)
    except OSError as error:
        raise DataError(f"{root}: cannot be read ({error.strerror or error})") from error
    return _read_tree(root, states) if states else None


@functools.lru_cache(maxsize=16)
def _read_tree(root: Path, states: tuple[tuple[Path, int, int], ...]) -> Tree:
    archives: list[Archive] = []
    faults: list[str] = []
    for path, _, _ in states:
        try:
            archives.append(Archive(path))
        except DataError as error:
            faults.append(str(error))
    if faults:
        raise DataError("; ".join(faults))
    return Tree(root, archives)


def _placed(root: Path, archives: Sequence[Archive]) -> list[tuple[Archive, str]]:
    """Say where in the tree each archive goes: as if it had been unpacked in the folder where it lies.

    One that holds several things at its top, or files that another one holds too, goes into a folder of its own name.
    """
    if root.is_file():
        return [(archive, "") for archive in archives]
    times: Mapping[str, int] = Counter(name for archive in archives for name in archive.members)
    placed = []
    for archive in archives:
        tops = {name.partition("/")[0] for name in archive.members}
        own = len(tops) != 1 or any(times[name] > 1 for name in archive.members)
        placed.append((archive, f"{archive.path.stem}/" if own else ""))
    return placed


def _is_zip(path: Path) -> bool:
    return path.suffix.lower() == ".zip" and not path.name.startswith(".") and path.is_file()


class _Content(io.RawIOBase):
    """What the zip library gives, with all its kinds of errors turned into OSError, as readers of files expect."""

    def __init__(self, content: IO[bytes]) -> None:
        self._content = content

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        content = self._guarded(len(buffer))
        buffer[: len(content)] = content
        return len(content)

    def read_all(self) -> bytes:
        return self._guarded(-1)

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

    def _guarded(self, count: int) -> bytes:
        try:
            return self._content.read(count)
        except DAMAGE as error:
            raise OSError(f"the archive is damaged: {error or type(error).__name__}") from error
