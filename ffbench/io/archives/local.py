"""Real files for libraries that take nothing else."""

from __future__ import annotations

import tempfile
from pathlib import Path

from ffbench.errors import DataError, reading
from ffbench.io.archives.archive import Member
from ffbench.io.archives.member_path import DatasetPath
from ffbench.io.archives.scratch import copy_exactly


class LocalFile:
    """A file that libraries can open by its path: the file itself, or a scratch copy of a member of an archive.

    The copy has the length that the archive states, a name of our own, and goes when this object does.
    """

    def __init__(self, place: DatasetPath | Member) -> None:
        """Make the copy, where one is needed.

        Raises:
            DataError: the archive is damaged.
            UsageError: there is no room for the copy.
        """
        if isinstance(place, Path):
            self.path = place
            return
        self._folder = tempfile.TemporaryDirectory(prefix="ffbench-")
        self.path = Path(self._folder.name) / f"member{place.suffix.lower()}"
        try:
            with reading(place), place.open() as content:
                copy_exactly(content, self.path, place.stat().st_size)
        except DataError as error:
            raise error.of(place) from error
