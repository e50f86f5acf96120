"""What a submission holds: its files under safe and relative names, whatever container they come in."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from ffbench.archives.names import is_ignored
from ffbench.errors import DataError
from ffbench.flow.checks import Mask
from ffbench.flow.files import SUFFIXES
from ffbench.results.record.run_record import Sampling
from ffbench.submissions.manifest import KINDS, flo_bytes


@dataclass(frozen=True)
class Entry:
    """A file of a submission. `name` is relative, with `/`, below the folder that holds `facial`.

    `place` is where it stands in its container: what only the container understands.
    """

    name: str
    bytes: int
    place: str | int

    @property
    def stem(self) -> str:
        """The name without its suffix."""
        return os.path.splitext(self.name)[0]

    @property
    def is_flow(self) -> bool:
        """Whether the suffix is one of a flow format."""
        return os.path.splitext(self.name)[1].lower() in SUFFIXES


class SubmissionFiles(ABC):
    """Lists and opens the files of a submission."""

    entries: list[Entry]
    sampling: Sampling | None = None
    """How the flows were thinned out before they were submitted; None: they were not."""

    @abstractmethod
    def open(self, entry: Entry) -> AbstractContextManager[Path]:
        """Give a path at which the content of `entry` can be read; for an archive, one scratch copy under our own name.

        May be called from several threads at once.

        Raises:
            DataError: the content is damaged, or not as long as was stated.
        """

    @abstractmethod
    def close(self) -> None:
        """Let go of what is held open."""

    def exact_pixels(self, key: str) -> Mask | None:
        """Mark the pixels (H, W) of a pair's flows that were submitted, where others are filled in; None: all were."""
        return None

    def __enter__(self) -> SubmissionFiles:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def bytes_allowed(size: tuple[int, int]) -> int:
    """Give the most bytes that a file of a flow of (H, W) pixels may have, in any of the formats.

    Noise does not compress, and formats have headers; what is beyond twice the values is no flow of this size.
    """
    return 2 * flo_bytes(size) + 2**16


def entries_below_common_folder(found: list[tuple[str, int, str | int]]) -> list[Entry]:
    """Make entries of (name, bytes, place), without hidden files and without one folder that holds all others."""
    kept = [item for item in found if not is_ignored(item[0])]
    tops = {name.partition("/")[0] for name, _, _ in kept}
    prefix = ""
    if len(tops) == 1 and not tops & set(KINDS) and all("/" in name for name, _, _ in kept):
        prefix = f"{tops.pop()}/"
    return [Entry(name.removeprefix(prefix), size, place) for name, size, place in kept]


def too_many(path: Path, limit: int) -> DataError:
    """Give the error for a submission with more files than any honest one has."""
    return DataError(path, f"holds more than {limit} files, far more than the protocol has pairs; it is refused")
