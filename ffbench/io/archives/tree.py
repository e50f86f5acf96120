"""Archives as one tree of folders, together with what lies unpacked beside them."""

from __future__ import annotations

import functools
import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from ffbench.errors import DataError, reading
from ffbench.io.archives.archive import SUFFIXES, Member, read_archive

SEARCH_DEPTH = 3
"""Levels below the top on which archives are looked for: `M003/video.tar` of MEAD, as distributed, lies one below."""
Node = Member | Path | None
"""A member, a real file or folder, or None for a folder that the tree knows itself."""


class Tree:
    """The folders of some archives, and of what lies beside them.

    `folders` gives the children of each folder by its name, which is its way from the top with `/` ("" for the top).
    """

    def __init__(self, root: Path, archives: Mapping[Path, Mapping[str, Member]]) -> None:
        self.root = root
        self.folders: dict[str, dict[str, Node]] = {"": {}}
        if root.is_file():
            for members in archives.values():
                self._add_all("", members)
            return
        by_folder: dict[Path, dict[Path, Mapping[str, Member]]] = {}
        for path, members in archives.items():
            by_folder.setdefault(path.parent, {})[path] = members
        for folder in sorted({way for place in by_folder for way in (place, *place.parents)}):
            if folder.is_relative_to(root):
                self._list(folder)
        for folder, here in by_folder.items():
            name = _name(folder, root)
            there = set(self.folders[name])  # what was unpacked before counts
            own = _with_own_folder(here)
            for path, members in here.items():
                prefix = f"{path.stem}/" if path in own else ""
                named = {prefix + member: value for member, value in members.items()}
                self._add_all(name, {key: value for key, value in named.items() if key.partition("/")[0] not in there})

    def _list(self, folder: Path) -> None:
        """Take up a real folder: its own files and folders, less its archives."""
        name = _name(folder, self.root)
        self.folders[name] = {item.name: item for item in folder.iterdir() if not _is_archive(item)}
        if name:
            self.folders[name.rpartition("/")[0]][folder.name] = None

    def _add_all(self, folder: str, members: Mapping[str, Member]) -> None:
        for name, member in members.items():
            self._add(f"{folder}/{name}" if folder else name, member)

    def _add(self, name: str, member: Member) -> None:
        folder, _, last = name.rpartition("/")
        if folder not in self.folders:
            self._make(folder, member)
        if self.folders[folder].setdefault(last, member) is not member:
            raise DataError(member, f"{name} is there twice, also as a folder or in another archive")

    def _make(self, folder: str, member: Member) -> None:
        parent, _, last = folder.rpartition("/")
        if parent not in self.folders:
            self._make(parent, member)
        if self.folders[parent].setdefault(last, None) is not None:
            raise DataError(member, f"{folder} is a file and a folder at once")
        self.folders[folder] = {}


def read_tree(root: Path) -> Tree | None:
    """Read the archive `root`, or those that lie in the folder `root` and below; None where there are none.

    A process reads each state of an archive once.

    Raises:
        DataError: archives are damaged or refused; all of them are named.
    """
    with reading(root):
        archives = [root] if root.is_file() else _find(root)
        states = tuple((path, path.stat().st_size, path.stat().st_mtime_ns) for path in archives)
    return _read_tree(root, states) if states else None


@functools.lru_cache(maxsize=16)
def _read_tree(root: Path, states: tuple[tuple[Path, int, int], ...]) -> Tree:
    archives: dict[Path, dict[str, Member]] = {}
    faults: list[str] = []
    for path, _, _ in states:
        try:
            archives[path] = read_archive(path)
        except DataError as error:
            faults.append(str(error))
    if faults:
        raise DataError("; ".join(faults))
    return Tree(root, archives)


def _find(root: Path) -> list[Path]:
    """List the archives in a folder and a few levels below. Links to folders are not followed."""
    found: list[Path] = []
    level = [root]
    for _ in range(SEARCH_DEPTH + 1):
        below: list[Path] = []
        for folder in level:
            with os.scandir(folder) as items:
                for item in items:
                    if item.name.startswith("."):
                        continue
                    if item.is_dir(follow_symlinks=False):
                        below.append(folder / item.name)
                    elif item.name.lower().endswith(SUFFIXES) and item.is_file():
                        found.append(folder / item.name)
        level = below
    return sorted(found)


def _with_own_folder(archives: Mapping[Path, Mapping[str, Member]]) -> set[Path]:
    """Tell which archives of a folder read as folders of their own names, rather than as if unpacked where they lie.

    Those do that hold several things at their top. But archives that share a folder at their tops are parts of one
    dataset and go together, unless they hold files of the same name, as those of several subjects do.
    """
    tops = {path: {name.partition("/")[0] for name in members} for path, members in archives.items()}
    times = Counter(name for members in archives.values() for name in members)
    colliding = {path for path, members in archives.items() if any(times[name] > 1 for name in members)}
    holders: dict[str, set[Path]] = {}
    for path, names in tops.items():
        for name in names:
            holders.setdefault(name, set()).add(path)
    own = set()
    for path, names in tops.items():
        kin = set().union(*(holders[name] for name in names))
        if kin & colliding or (len(names) != 1 and kin <= {path}):
            own.add(path)
    return own


def _name(folder: Path, root: Path) -> str:
    name = folder.relative_to(root).as_posix()
    return "" if name == "." else name


def _is_archive(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()
