"""What a submission holds: its files under safe and relative names, whatever container they come in."""

from __future__ import annotations

import os
import threading
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from ffbench.errors import DataError
from ffbench.flow.checks import FlowField, Mask
from ffbench.flow.files import SUFFIXES
from ffbench.io.archives.names import is_ignored
from ffbench.results.record.run_record import Sampling
from ffbench.submissions.manifest import KINDS, flo_bytes

KEPT_BYTES = 2**27
"""Memory for flows that validation decoded, so that scoring need not decode them again."""


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
    """Lists and reads the files of a submission. They may be read from several threads at once."""

    entries: list[Entry]
    sampling: Sampling | None = None
    """How the flows were thinned out before they were submitted; None: they were not."""

    def __init__(self) -> None:
        self._kept: dict[Entry, FlowField] = {}
        self._room = KEPT_BYTES
        self._lock = threading.Lock()

    def read(self, entry: Entry, size: tuple[int, int]) -> FlowField:
        """Return a flow (H, W, 2) float32 in px, all values finite, of `size` (H, W).

        Raises:
            DataError: the file is longer than any of such a flow, damaged, of another size, or not finite.
        """
        if entry.bytes > bytes_allowed(size):
            reason = f"{entry.bytes} bytes, expected {flo_bytes(size)} as .flo"
            raise DataError(entry.name, reason, fault="wrong size")
        return self.read_flow(entry, size)

    def keep(self, entry: Entry, flow: FlowField) -> None:
        """Keep a flow that was found sound for its next reader, as long as there is room."""
        with self._lock:
            if flow.nbytes <= self._room:
                self._room -= flow.nbytes
                self._kept[entry] = flow

    def read_again(self, entry: Entry, size: tuple[int, int]) -> FlowField:
        """Return a flow that was found sound: as it was kept, which it is only once, or else as it is read again.

        Raises:
            DataError: it has changed since.
        """
        with self._lock:
            kept = self._kept.pop(entry, None)
            self._room += 0 if kept is None else kept.nbytes
        return self.read(entry, size) if kept is None else kept

    @abstractmethod
    def read_flow(self, entry: Entry, size: tuple[int, int]) -> FlowField:
        """Return a flow as `read` does; its length is allowed."""

    @abstractmethod
    def read_bytes(self, entry: Entry) -> bytes:
        """Return the content of a file, no more than `entry.bytes`; the caller has bounded that.

        Raises:
            DataError: it cannot be read.
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
    """Return the most bytes that a file of a flow of (H, W) pixels may have, in any of the formats.

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
    """Return the error for a submission with more files than any honest one has."""
    return DataError(path, f"holds more than {limit} files, far more than the protocol has pairs; it is refused")
