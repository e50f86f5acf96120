"""Writing the site: a folder that is replaced as a whole, and no folder of anybody else's."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from ffbench.errors import UsageError, writing
from ffbench.results.record.row import Row

from .pages import Site

MARK = ".ffbench-site"
"""A file in a folder that `write` made: such a folder it replaces."""


def write_site(rows: Sequence[Row], folder: Path) -> int:
    """Write the site of some records into a folder, as `write` does, and return how many pages it has.

    Args:
        rows: of all records.
        folder: see `write`.

    Raises:
        UsageError, DataError: as of `write`.
    """
    files = Site(rows).files()
    write(files, folder)
    return sum(name.endswith(".html") for name in files)


def write(files: Mapping[str, bytes], folder: Path) -> None:
    """Write files into a folder, in place of what an earlier call left there.

    Args:
        files: content by path below the folder.
        folder: one that is not there, is empty, or was written by this function.

    Raises:
        UsageError: it holds something else.
        DataError: it cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or (any(folder.iterdir()) and not (folder / MARK).is_file())):
        raise UsageError(
            f"{folder}: is there and was not made by `ffbench site`; name an empty folder, or one that is not there"
        )
    with writing(folder):
        made = folder.with_name(f".{folder.name}.new")
        shutil.rmtree(made, ignore_errors=True)
        for path, content in {MARK: b"", ".nojekyll": b"", **files}.items():
            target = made / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        if folder.exists():
            shutil.rmtree(folder)
        made.rename(folder)
