"""Places of files and folders inside archives, with as much of `pathlib.Path` as datasets make use of."""

from __future__ import annotations

import errno
import functools
import os
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import IO, Any, TypeAlias

from ffbench.errors import DataError
from ffbench.io.archives.archive import SUFFIXES, Member
from ffbench.io.archives.archive import PlaceStatus as PlaceStatus
from ffbench.io.archives.tree import Tree, read_tree


@functools.total_ordering
class MemberPath:
    """A file or folder in the archives at a path, read-only; it can be pickled, and other processes read it too."""

    __slots__ = ("_inner", "_tree")

    def __init__(self, tree: Tree, inner: str = "") -> None:
        self._tree, self._inner = tree, inner

    @property
    def name(self) -> str:
        """The last part; of the top, the archive's name."""
        return self._inner.rpartition("/")[2] or self._tree.root.name

    @property
    def stem(self) -> str:
        """The name without its suffix."""
        return PurePosixPath(self.name).stem

    @property
    def suffix(self) -> str:
        """The suffix of the name, with its point."""
        return PurePosixPath(self.name).suffix

    @property
    def container(self) -> Path:
        """The archive, or the folder of archives."""
        return self._tree.root

    @property
    def inner(self) -> str:
        """The place in the archive, with `/`; "" for the top."""
        return self._inner

    @property
    def top(self) -> MemberPath:
        """The top of the archive."""
        return MemberPath(self._tree)

    @property
    def parent(self) -> MemberPath:
        """The folder above; the top is its own, nothing in an archive lies above it."""
        return MemberPath(self._tree, self._inner.rpartition("/")[0])

    @property
    def parents(self) -> list[MemberPath]:
        """The folders above, up to the top."""
        parts = self._inner.split("/") if self._inner else []
        return [MemberPath(self._tree, "/".join(parts[:count])) for count in range(len(parts) - 1, -1, -1)]

    def __truediv__(self, other: str) -> Path | MemberPath:
        parts = self._inner.split("/") if self._inner else []
        for part in other.split("/"):
            if part == ".." and not parts:
                raise ValueError(f"{self} / {other!r}: leads out of the archive")
            parts = parts[:-1] if part == ".." else parts if part in ("", ".") else [*parts, part]
        # What lies unpacked beside archives is a file like any other.
        for count, part in enumerate(parts):
            node = self._tree.folders.get("/".join(parts[:count]), {}).get(part)
            if isinstance(node, Path):
                return node.joinpath(*parts[count + 1 :])
        return MemberPath(self._tree, "/".join(parts))

    def iterdir(self) -> Iterator[Path | MemberPath]:
        """Return what is in the folder.

        Raises:
            OSError: there is no such folder.
        """
        children = self._tree.folders.get(self._inner)
        if children is None:
            kind = errno.ENOENT if self._node() is None else errno.ENOTDIR
            raise OSError(kind, os.strerror(kind), str(self))
        prefix = f"{self._inner}/" if self._inner else ""
        return (
            node if isinstance(node, Path) else MemberPath(self._tree, prefix + name) for name, node in children.items()
        )

    def glob(self, pattern: str) -> Iterator[Path | MemberPath]:
        """Return what fits a pattern of parts with `*` and `?`, without `**`."""
        first, _, rest = pattern.partition("/")
        for item in list(self.iterdir()) if self.is_dir() else []:
            if first and not fnmatchcase(item.name, first):
                continue
            if not rest:
                yield item
            elif item.is_dir():
                yield from item.glob(rest)

    def rglob(self, pattern: str) -> Iterator[Path | MemberPath]:
        """Return everything below whose name fits a pattern of one part."""
        for item in list(self.iterdir()) if self.is_dir() else []:
            if fnmatchcase(item.name, pattern):
                yield item
            if item.is_dir():
                yield from item.rglob(pattern)

    def is_dir(self) -> bool:
        """Whether it is a folder."""
        return self._inner in self._tree.folders

    def is_file(self) -> bool:
        """Whether it is a file."""
        return isinstance(self._node(), Member)

    def exists(self) -> bool:
        """Whether it is there."""
        return self.is_dir() or self.is_file()

    def open(self, mode: str = "rb") -> IO[bytes]:
        """Open a file for reading.

        Raises:
            OSError: there is no such file, or the archive is damaged.
        """
        return self._member().open(mode)

    def read_bytes(self) -> bytes:
        """Read a file and verify its checksum, where the archive has one.

        Raises:
            OSError: there is no such file, or the archive is damaged.
        """
        return self._member().read()

    def read_text(self, encoding: str = "utf-8") -> str:
        """Read a file of text."""
        return self.read_bytes().decode(encoding)

    def stat(self) -> PlaceStatus:
        """Return the size as the archive states it; a reader never gets more than that."""
        return self._member().stat()

    def absolute(self) -> Path:
        """Return a path that names this place and no other; nothing is to be read there."""
        return self._tree.root.absolute() / self._inner

    def resolve(self) -> Path:
        """Return a path that names this place, links to the archive followed; nothing is to be read there."""
        return self._tree.root.resolve() / self._inner

    def __str__(self) -> str:
        node = self._node()
        return str(node) if isinstance(node, Member) else str(self._tree.root / self._inner)

    def __repr__(self) -> str:
        return f"MemberPath({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MemberPath) and self._key() == other._key()

    def __lt__(self, other: Any) -> bool:
        # Beside members of archives may stand real files.
        return str(self) < str(other)

    def __hash__(self) -> int:
        return hash(self._key())

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (self._tree.root, self._inner)

    def _key(self) -> tuple[Path, str]:
        return self._tree.root, self._inner

    def _node(self) -> Member | Path | None:
        folder, _, last = self._inner.rpartition("/")
        return self._tree.folders.get(folder, {}).get(last)

    def _member(self) -> Member:
        node = self._node()
        if isinstance(node, Member):
            return node
        kind = errno.EISDIR if self.is_dir() else errno.ENOENT
        raise OSError(kind, os.strerror(kind), str(self))


DatasetPath: TypeAlias = Path | MemberPath
"""Where a file or folder of a dataset is: in a folder, or in an archive."""
Place: TypeAlias = DatasetPath
"""Its name in the code that finds faces, whose bytes are the keys of caches of found faces."""
_NOT_IN_PLACE = (".gz", ".tgz", ".bz2", ".tbz2", ".xz", ".txz", ".zst", ".7z", ".rar")


def as_dataset_path(path: DatasetPath | str) -> DatasetPath:
    """Return a place as it is, and a text as a path."""
    return Path(path) if isinstance(path, str) else path


def relative_name(place: DatasetPath, root: DatasetPath) -> str:
    """Return the way from a folder to what is in it, with `/`; in a folder of archives a file may be a real one."""
    if isinstance(place, MemberPath) and isinstance(root, MemberPath):
        return PurePosixPath(place.inner).relative_to(root.inner).as_posix()
    assert isinstance(place, Path)
    return place.relative_to(root.container / root.inner if isinstance(root, MemberPath) else root).as_posix()


def open_tree(path: DatasetPath | str) -> DatasetPath:
    """Return the top of a dataset: the path itself, or a place in the archives that are there.

    Where an archive, `.zip` or `.tar`, holds one folder and nothing else, that folder is the top, and otherwise the
    archive itself. A folder in which archives lie, or in whose folders they do, is read as if each of them had been
    unpacked there.

    Raises:
        DataError: an archive is damaged, refused, or of a kind that cannot be read in place; all of them are named.
    """
    path = as_dataset_path(path)
    if isinstance(path, MemberPath):
        return path
    if path.is_file() and path.name.lower().endswith(_NOT_IN_PLACE):
        raise DataError(path, "cannot be read in place; unpack it, or pack it anew as .tar or .zip")
    if not (path.is_dir() or (path.is_file() and path.suffix.lower() in SUFFIXES)):
        return path
    tree = read_tree(path)
    if tree is None:
        return path
    top = MemberPath(tree)
    children = list(top.iterdir())
    if path.is_file() and len(children) == 1 and children[0].is_dir():
        return children[0]
    return top


def _restore(root: Path, inner: str) -> MemberPath:
    tree = read_tree(root)
    if tree is None:
        raise DataError(root, "the archives that were there are gone")
    return MemberPath(tree, inner)
