"""Folders of datasets as people leave them: what is listed, and what is found below the folders around it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ffbench.datasets.images import natural_key
from ffbench.errors import reading
from ffbench.io.archives.member_path import DatasetPath


def listing(folder: DatasetPath) -> list[DatasetPath]:
    """List what is in a folder, without hidden files and what archives made on a Mac leave behind; in any order.

    Raises:
        DataError: it cannot be listed.
    """
    with reading(folder, cannot="be listed"):
        return [item for item in folder.iterdir() if not item.name.startswith((".", "__MACOSX"))]


def visible(folder: DatasetPath) -> list[DatasetPath]:
    """List as `listing` does, in natural order of the names.

    Raises:
        DataError: it cannot be listed.
    """
    return sorted(listing(folder), key=lambda item: (natural_key(item.name), item.name))


def levels_below(
    root: DatasetPath, depth: int, enter: Callable[[DatasetPath], bool] = lambda folder: True
) -> Iterator[list[DatasetPath]]:
    """Return `[root]`, the folders in it, the folders in these, and so on `depth` levels down.

    Args:
        root: where to begin.
        depth: levels below `root`.
        enter: whether a folder below `root` is looked at, and into.

    Raises:
        DataError: a folder cannot be listed.
    """
    level = [root]
    for _ in range(depth):
        yield level
        level = [item for folder in level for item in visible(folder) if item.is_dir() and enter(item)]
    yield level
