"""Object storage and other places that a URL names, through fsspec: a listing, bounded reads, whole writes.

What lies there may be a stranger's: names come as they are and must be judged before a file is named by them, and no
more of an object is read than its listing says that it has.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ffbench.errors import DataError, FfbenchError, UsageError, reason

_URL = re.compile(r"([a-z][a-z0-9+.-]+)://(.*)", re.DOTALL)
_LOCAL = ("file", "local")
_STAMPS = ("ETag", "etag", "md5Hash", "mtime", "LastModified", "last_modified", "updated", "created", "ino")
"""What backends call the things that change when an object does."""
BLOCK_BYTES = 2**22
BATCH_OBJECTS, BATCH_BYTES = 256, 2**28
"""How many objects are asked for at a time, and how many bytes of them; one object alone may have more."""


def is_url(place: object) -> bool:
    """Tell a URL from a path.

    >>> is_url("s3://lab/board"), is_url("runs"), is_url("c:/runs")
    (True, False, False)
    """
    return _URL.fullmatch(str(place)) is not None


def path_of_url(url: str) -> Path | None:
    """Return the path that a URL of this machine's own files names; None for every other.

    >>> path_of_url("file:///data/board") == Path("/data/board"), path_of_url("s3://lab/board")
    (True, None)
    """
    found = _URL.fullmatch(url)
    return Path(found[2]) if found is not None and found[1] in _LOCAL else None


def shown_url(url: str) -> str:
    """Return a URL as it may be printed: without a name and password, and without a slash at its end.

    >>> shown_url("ftp://me:secret@lab/board/")
    'ftp://lab/board'
    """
    return re.sub(r"(?<=://)[^/@]*@", "", url).rstrip("/")


@dataclass(frozen=True)
class StoredObject:
    """An object below a place: its name from there, its bytes, and what changes when it does."""

    name: str
    size: int
    state: str


class ObjectStore:
    """What lies below a URL, by any backend of fsspec's that is installed.

    Attributes:
        url: the place, as it may be printed.
    """

    def __init__(self, url: str) -> None:
        """Find the backend; nothing is read.

        Raises:
            UsageError: the backend is not known, or not installed.
            DataError: it cannot be opened, such as for want of credentials.
        """
        self.url = shown_url(url)
        from fsspec.core import url_to_fs

        try:
            with self._naming("be opened"):
                filesystem, root = url_to_fs(url)
        except DataError as error:
            raise _without_backend(self.url, error.__cause__) or error from error.__cause__
        self._files: Any = filesystem
        self._root = str(root).rstrip("/")

    def listing(self) -> list[StoredObject]:
        """Return the objects below the place, sorted by name; empty: there are none, or there is no such place.

        An object whose size the backend does not say has size -1.

        Raises:
            DataError: it cannot be listed.
        """
        found: dict[str, Any] = {}
        with self._naming("be listed"):
            self._files.invalidate_cache()
            with contextlib.suppress(FileNotFoundError):
                # Where a backend walks from folder to folder, one that it cannot read would be passed over.
                strict = {} if self._files.async_impl else {"on_error": _unless_gone}
                found = self._files.find(self._root, detail=True, **strict)
        objects = []
        for path, info in found.items():
            name = str(path)[len(self._root) :].lstrip("/")
            # Some tools stand for a folder by an object without content.
            if name and not name.endswith("/") and info.get("type") == "file":
                size = info.get("size")
                state = " ".join(str(info[stamp]) for stamp in _STAMPS if info.get(stamp) is not None)
                objects.append(StoredObject(name, -1 if size is None else int(size), state))
        return sorted(objects, key=lambda item: item.name)

    def read(self, objects: Sequence[StoredObject]) -> Iterator[tuple[StoredObject, bytes | DataError | None]]:
        """Read objects, several at a time where the backend can, each to the size of its listing and no further.

        Returns:
            Each object and its bytes; None where it has gone since it was listed; an error where this one cannot be
            read, or has other bytes than were listed.

        Raises:
            DataError: the place cannot be reached.
        """
        for batch in _batches(objects):
            with self._naming("be read"):
                wanted = [item for item in batch if item.size > 0]
                paths = [f"{self._root}/{item.name}" for item in wanted]
                contents = self._files.cat_ranges(paths, 0, [item.size for item in wanted], on_error="return")
            read = dict(zip((item.name for item in wanted), contents, strict=True))
            for item in batch:
                yield item, self._judged(item, read.get(item.name, b""))

    def fetch(self, target: Path, most_bytes: int) -> None:
        """Copy the object that the URL itself names into a file, block by block, and no more of it than may be.

        Raises:
            DataError: there is no such object, it is larger, or it cannot be read or written.
        """
        with self._naming("be read"):
            self._files.invalidate_cache()
            try:
                file = self._files.open(self._root, "rb")
            except FileNotFoundError as error:
                raise DataError(self.url, "there is no such object") from error
            copied = 0
            with file, target.open("wb") as copy:
                while block := file.read(BLOCK_BYTES):
                    copied += len(block)
                    if copied > most_bytes:
                        raise DataError(self.url, f"has more than the {most_bytes} bytes that are read of it")
                    copy.write(block)

    def write(self, name: str, content: bytes) -> None:
        """Write an object under a name that is made from its content, unless it is there already.

        No lock is needed: whoever else writes under this name writes the same bytes. What a backend without atomic
        writes left half done is written anew.

        Raises:
            DataError: it cannot be written.
        """
        path = f"{self._root}/{name}"
        with self._naming("be written"):
            self._files.invalidate_cache()
            try:
                there = self._files.cat_file(path, 0, len(content) + 1) == content
            except Exception:  # gone, empty, or not to be read: what matters is whether it can be written
                there = False
            if there:
                return
            try:
                self._files.pipe_file(path, content)
            except FileNotFoundError:
                self._make_folders(name)
                self._files.pipe_file(path, content)

    def _make_folders(self, name: str) -> None:
        """Make the folders of a name where a backend has such; never the place itself, which may be a bucket.

        Raises:
            DataError: there is no such place.
        """
        parts = name.split("/")[:-1]
        for depth in range(len(parts)):
            try:
                folder = f"{self._root}/{'/'.join(parts[: depth + 1])}"
                with contextlib.suppress(FileExistsError):
                    self._files.mkdir(folder, create_parents=False)
            except FileNotFoundError as error:
                raise DataError(self.url, "there is no such bucket or folder: make it first") from error

    def _judged(self, item: StoredObject, content: bytes | BaseException) -> bytes | DataError | None:
        named = f"{self.url}/{item.name}"
        if isinstance(content, FileNotFoundError):
            return None
        if isinstance(content, PermissionError):
            return DataError(named, f"cannot be read ({reason(content)})")
        if isinstance(content, BaseException):
            raise DataError(named, f"cannot be read ({reason(content)})") from content
        if len(content) != item.size:
            return DataError(named, f"has {len(content)} bytes, its listing says {item.size}: it is being written, or "
                                    "was; run the command again")  # fmt: skip
        return bytes(content)

    @contextlib.contextmanager
    def _naming(self, cannot: str) -> Iterator[None]:
        """Turn what a backend raises, which may be of any library, into a DataError that names the place."""
        try:
            yield
        except (FfbenchError, MemoryError):
            raise
        except Exception as error:
            raise DataError(self.url, f"cannot {cannot} ({reason(error)})") from error


def _unless_gone(error: BaseException) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


def _without_backend(url: str, error: BaseException | None) -> UsageError | None:
    """Return the error that names what to install, or which URLs there are; None where something else went wrong."""
    missing = error.__cause__ if isinstance(error, ImportError) else None
    if isinstance(missing, ModuleNotFoundError) and missing.name is not None:
        package = missing.name.partition(".")[0]
        return UsageError(f"{url}: {package} is not installed: pip install {package}")
    if isinstance(error, ImportError):
        return UsageError(f"{url}: {reason(error)}")
    if isinstance(error, ValueError) and "not known" in str(error):
        return UsageError(f"{url}: no backend of fsspec has URLs like that; expected a path, or s3://, gs://, ...")
    return None


def _batches(objects: Sequence[StoredObject]) -> Iterator[list[StoredObject]]:
    batch: list[StoredObject] = []
    size = 0
    for item in objects:
        if batch and (len(batch) == BATCH_OBJECTS or size + item.size > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += item.size
    if batch:
        yield batch
