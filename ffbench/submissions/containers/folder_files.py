"""A submission in a folder, read where it lies."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from ffbench.errors import DataError, reading
from ffbench.flow.checks import FlowField
from ffbench.flow.files import read_flow
from ffbench.flow.formats.flo import map_flo
from ffbench.io.archives.names import is_ignored
from ffbench.submissions.containers.entries import Entry, SubmissionFiles, entries_below_common_folder, too_many


class FolderFiles(SubmissionFiles):
    """A folder; links and special files in it are refused."""

    def __init__(self, root: Path, max_entries: int) -> None:
        super().__init__()
        self.root = root
        found: list[tuple[str, int]] = []
        waiting = [""]
        while waiting:
            folder = waiting.pop()
            with reading(root / folder), os.scandir(root / folder) as items:
                for item in items:
                    name = f"{folder}/{item.name}" if folder else item.name
                    status = item.stat(follow_symlinks=False)
                    if stat.S_ISDIR(status.st_mode):
                        waiting.append(name)
                    elif stat.S_ISREG(status.st_mode):
                        found.append((name, status.st_size))
                    elif not is_ignored(name):
                        raise DataError(root / name, "is a link or a special file, expected plain files only")
                    if len(found) + len(waiting) > max_entries:
                        raise too_many(root, max_entries)
        self.entries = entries_below_common_folder([(name, size, name) for name, size in sorted(found)])

    def read_flow(self, entry: Entry, size: tuple[int, int]) -> FlowField:
        """Return the flow of a file (H, W, 2)."""
        return read_flow(self._path(entry), size)

    def keep(self, entry: Entry, flow: FlowField) -> None:
        """Keep a flow, but none of a `.flo` file: that is mapped."""
        if not _is_flo(entry):
            super().keep(entry, flow)

    def read_again(self, entry: Entry, size: tuple[int, int]) -> FlowField:
        """Return a flow that was found sound; a `.flo` file is mapped, so that only what is looked at is read."""
        return map_flo(self._path(entry), size) if _is_flo(entry) else super().read_again(entry, size)

    def read_bytes(self, entry: Entry) -> bytes:
        """Return the content of a file."""
        with reading(entry.name), self._path(entry).open("rb") as file:
            return file.read(entry.bytes)

    def _path(self, entry: Entry) -> Path:
        return self.root / str(entry.place)

    def close(self) -> None:
        """Do nothing: a folder is not held open."""


def _is_flo(entry: Entry) -> bool:
    return entry.name.lower().endswith(".flo")
