"""A submission in an archive, zip or tar, plain or gzipped: read member by member in bounded memory, never unpacked."""

from __future__ import annotations

import os
import tempfile
import zlib
from pathlib import Path
from typing import IO

from ffbench.errors import DataError, reading
from ffbench.flow.checks import FlowField
from ffbench.flow.files import read_flow
from ffbench.io.archives.archive import list_members
from ffbench.io.archives.scratch import write_scratch
from ffbench.io.bounds import inflated
from ffbench.submissions.containers.entries import Entry, SubmissionFiles, entries_below_common_folder


class ArchiveFiles(SubmissionFiles):
    """The members of an archive.

    A gzipped tar can be read only from its beginning, so it is first unpacked as a whole, the tar that is in it and no
    member of it, into one unnamed temporary file of at most `max_bytes`.
    """

    def __init__(self, path: Path, max_entries: int, max_bytes: int) -> None:
        super().__init__()
        suffix = path.suffix.lower()
        with reading(path):
            self._file = path.open("rb") if suffix in (".zip", ".tar") else _unzipped(path, max_bytes)
        try:
            self.members, faults = list_members(path, self._file, max_entries, packed=suffix == ".zip")
            if faults:
                raise DataError(path, faults[0])
        except DataError:
            self._file.close()
            raise
        self.entries = entries_below_common_folder(
            [(member.name, member.size, number) for number, member in enumerate(self.members)]
        )

    def read_flow(self, entry: Entry, size: tuple[int, int]) -> FlowField:
        """Return the flow of a member (H, W, 2), decoded out of the archive."""
        return read_flow(self.members[int(entry.place)], size)

    def read_bytes(self, entry: Entry) -> bytes:
        """Return the content of a member."""
        with reading(entry.name):
            return self.members[int(entry.place)].read()

    def close(self) -> None:
        """Close the archive, and with it the temporary file."""
        self._file.close()


def _unzipped(path: Path, max_bytes: int) -> IO[bytes]:
    """Unzip into an unnamed temporary file.

    Raises:
        DataError: damaged, cut short, or larger than `max_bytes`.
    """
    target = tempfile.TemporaryFile(prefix="ffbench-")  # noqa: SIM115
    try:
        _unzip(path, target, max_bytes)
    except BaseException:
        target.close()
        raise
    return target


def _unzip(path: Path, target: IO[bytes], max_bytes: int) -> None:
    written = 0
    with path.open("rb") as file:
        try:
            for content in inflated(file, os.fstat(file.fileno()).st_size, zlib.MAX_WBITS | 16):
                written += len(content)
                if written > max_bytes:
                    raise DataError(path, f"unzips to more than {max_bytes} bytes, which no submission has; refused")
                write_scratch(target, content)
        except ValueError as error:
            raise DataError(path, f"cannot be unzipped, it {error}") from error
