"""Finds datasets by name through entry points, and their folders where the user keeps them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path

from ffbench.datasets.base import Count, Dataset, Progress
from ffbench.datasets.minis import mini_dataset
from ffbench.errors import DataError, MethodError
from ffbench.io.archives.archive import SUFFIXES
from ffbench.io.archives.member_path import DatasetPath, open_tree
from ffbench.packages.entry_points import entry_names, load_entry
from ffbench.paths import data_dir

DATASET_GROUP = "ffbench.datasets"


@dataclass(frozen=True)
class Verification:
    """What was found in a dataset's folder."""

    name: str
    path: DatasetPath
    synthetic: bool
    counts: tuple[Count, ...]
    problems: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    """What the dataset itself has and no protocol can use, and the rule: no fault of this copy."""

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong and nothing missing."""
        return not self.problems and all(count.fits for count in self.counts)


def dataset_names() -> list[str]:
    """Name every dataset that is installed, sorted; nothing is imported."""
    return entry_names(entry_points(group=DATASET_GROUP))


def load_dataset(name: str) -> Dataset:
    """Import what is known of a dataset.

    Raises:
        UsageError: no such dataset; the message suggests the nearest.
        MethodError: the package behind it cannot be imported, or gives no `Dataset` of that name.
    """
    found = load_entry(entry_points(group=DATASET_GROUP), name, "dataset")
    if not isinstance(found, Dataset) or found.id != name:
        raise MethodError(f"dataset '{name}': its entry point gives {found!r:.100}, expected a Dataset of that id")
    return found


def find_data(name: str) -> Path:
    """Return the data of a protocol for which the user names none: the dataset where it is, or else its mini dataset.

    Raises:
        UsageError: no such dataset, or it is not there and has no mini dataset.
        DataError: the mini dataset cannot be made.
    """
    dataset, data = load_dataset(name), data_dir()
    for place in () if data is None else [data / folder for folder in dataset.folders]:
        archives = [place.with_name(f"{place.name}{suffix}") for suffix in SUFFIXES]
        if place.is_dir():
            return place
        if found := next((archive for archive in archives if archive.is_file()), None):
            return found
    return mini_dataset(dataset)


def verify_dataset(
    name: str, path: DatasetPath, *, quick: bool = False, progress: Progress | None = None
) -> Verification:
    """Check a dataset and list everything that is wrong with it.

    Args:
        name: one of `dataset_names()`.
        path: its folder, an archive, or a folder of archives.
        quick: names, counts and headers alone; otherwise every image, flow and video that is used is decoded too.
        progress: called with what is done and what is to do.

    Raises:
        UsageError: no such dataset.
        DataError: the folder does not hold the dataset at all.
    """
    dataset = load_dataset(name)
    tree = open_tree(path)
    if tree.is_file():
        raise DataError(path, "is a file; expected a folder, a .zip or .tar archive, or a folder of these")
    found = dataset.check(tree, quick, progress or (lambda done, total: None))
    counts = [Count(count.what, count.found) for count in found.counts] if found.synthetic else found.counts
    return Verification(name, path, found.synthetic, tuple(counts), tuple(found.problems), tuple(found.left_out))
