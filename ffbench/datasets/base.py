"""The contract of a dataset: what it is and whose, how its folder is found and checked, and a small stand-in for it.

A package adds one by an entry point of the group `ffbench.datasets` that names a `Dataset`; CONTRIBUTING.md shows one.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from ffbench.datasets.images import read_image
from ffbench.datasets.onset_apex import OnsetApexClips
from ffbench.errors import DataError, UsageError
from ffbench.io.archives.member_path import DatasetPath

Progress = Callable[[int, int], None]
"""Called with what is done and what is to do."""


@dataclass(frozen=True)
class Count:
    """How many of something there are, and how many there should be; None where nobody says."""

    what: str
    found: int
    expected: int | None = None

    @property
    def fits(self) -> bool:
        """Whether there are as many as expected."""
        return self.expected in (None, self.found)


class Found(NamedTuple):
    """What a dataset's check gives."""

    counts: Sequence[Count]
    problems: Sequence[str]
    """Everything that is wrong with this copy, one line each, with the file's name."""
    synthetic: bool
    """Whether ffbench made any of it."""
    left_out: Sequence[str] = ()
    """What the dataset itself has and no protocol can use, and the rule: no fault of this copy."""


@dataclass(frozen=True)
class Mini:
    """A small synthetic stand-in, in the layout of the dataset."""

    name: str
    """Of its folder in the cache; two datasets that one folder stands in for share it."""
    version: str
    """Another version, another folder."""
    make: Callable[[Path, int, Progress | None], None]
    """Called with a new folder, a seed and what is told of progress."""


@dataclass(frozen=True)
class Dataset:
    """A dataset as ffbench knows it; all that it says of itself stands here once."""

    id: str
    """The name that users type."""
    title: str
    summary: str
    """What it shows, in a few words."""
    licence: str
    """Under which terms it is had, in a few words."""
    source: str
    """Where to get it: an address, and what to do there."""
    citation: str
    """BibTeX."""
    folders: tuple[str, ...]
    """Names that its folder, or archive less its suffix, may have in `$FFBENCH_DATA`; the first there is taken."""
    check: Callable[[DatasetPath, bool, Progress], Found]
    """Compare a folder with what the authors distribute: the folder, whether to decode nothing, progress."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """How many of what its authors say that it has."""
    mini: str | None = None
    """Where its `Mini` is, as `package.module:name`: naming a dataset must not load the engine that makes it."""

    onset_apex: str | None = None
    """Where the function is that lists its clips with onset and apex, as `package.module:name`: takes the folder, gives
    `OnsetApexClips`. None: it has none."""

    def load_clips(self, path: DatasetPath) -> OnsetApexClips:
        """List the clips of a dataset of micro-expressions.

        Raises:
            UsageError: it is a dataset of something else.
            DataError: `path` does not hold the dataset.
        """
        if self.onset_apex is None:
            raise UsageError(f"dataset '{self.id}' has no clips with onset and apex; expected one of micro-expressions")
        found: OnsetApexClips = pkgutil.resolve_name(self.onset_apex)(path)
        return found

    def load_mini(self) -> Mini:
        """Import what makes the mini dataset.

        Raises:
            UsageError: there is none.
        """
        if self.mini is None:
            raise UsageError(f"dataset '{self.id}' has no mini dataset; name its folder with --data ({self.source})")
        made: Mini = pkgutil.resolve_name(self.mini)
        return made


def undecodable_images(images: Sequence[DatasetPath], progress: Progress) -> list[str]:
    """Decode images and return a line for each that cannot be."""
    problems: list[str] = []
    for done, image in enumerate(images, start=1):
        problems += file_faults(read_image, image)
        progress(done, len(images))
    return problems


def file_faults(read: Callable[[DatasetPath], object], path: DatasetPath) -> list[str]:
    """Return what is wrong with a file by its reader, as one line or none."""
    try:
        read(path)
    except DataError as error:
        return [str(error)]
    return []
