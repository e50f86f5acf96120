"""A submission in a folder, read where it lies."""

from __future__ import annotations

import os
import stat
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from ffbench.archives.names import is_ignored
from ffbench.errors import DataError, reading
from ffbench.submissions.entries import Entry, SubmissionFiles, entries_below_common_folder, too_many


class FolderFiles(SubmissionFiles):
    """A folder; links and special files in it are refused."""

    def __init__(self, root: Path, max_entries: int) -> None:
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

    def open(self, entry: Entry) -> AbstractContextManager[Path]:
        """Give the path of the file itself."""
        return nullcontext(self.root / str(entry.place))

    def close(self) -> None:
        """Do nothing: a folder is not held open."""
