"""The people of a dataset in FacialFlowNet's layout, and the images that they were made from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ffbench.datasets.ffn import scan as ffn
from ffbench.datasets.images import IMAGE_SUFFIXES
from ffbench.datasets.mark import synthetic_mark
from ffbench.errors import DataError
from ffbench.io.archives.member_path import DatasetPath
from ffbench.io.json_models import read_model
from ffbench.synth.pairs.journal import MANIFEST, DatasetManifest

_LARGEST_MANIFEST = 2**30


@dataclass(frozen=True)
class Person:
    """One sequence, which is one person: first frame at rest, last frame with the expression."""

    name: str
    """Such as `happy/0012`."""
    emotion: str
    rest: DatasetPath
    apex: DatasetPath
    code: str | None = None
    """What the dataset's manifest says that it was made from: the name of EMOCA's codes, and so of their image."""


def find_people(root: Path) -> tuple[list[Person], list[str]]:
    """List the people of all splits, and what is left out: one line each.

    Raises:
        DataError: not such a dataset, no sequence, two splits have one of the same name, or its manifest is damaged.
    """
    top = ffn.find_root(root)
    if not isinstance(top, Path):
        raise DataError(root, "lies in an archive; unpack it to compare its people with their sources")
    root = top
    splits = [split for split in ffn.SPLITS if (root / "image" / "facial" / split).is_dir()]
    if not splits:
        raise DataError(root / "image" / "facial", f"no split in it; expected FacialFlowNet: {ffn.LAYOUT}")
    codes = _names_of_codes(root)
    people: dict[str, Person] = {}
    problems: list[str] = []
    for split in splits:
        found = ffn.scan(root, split)
        problems += found.problems
        here: dict[str, Person] = {}
        for pair in found.pairs:  # in the order of time
            first = here.get(pair.sequence)
            here[pair.sequence] = Person(
                pair.sequence,
                pair.emotion,
                rest=first.rest if first else pair.image1,
                apex=pair.image2,
                code=codes.get(pair.sequence),
            )
        twice = sorted(here.keys() & people.keys())
        if twice:
            raise DataError(root, f"{len(twice)} sequences are in two splits, such as {twice[0]}")
        people |= here
    return list(people.values()), problems


def find_sources(folder: Path, people: Sequence[Person]) -> dict[str, Path]:
    """Find the source image of each person, by the person's name.

    Args:
        folder: images at any depth, called as the codes that a person was made from; or as the sequence
            (`happy/0012.png`), or as its subject (`0012.png`) where only one sequence has that subject.
        people: those to find; some may have none.

    Raises:
        DataError: no such folder, two images of one name, or not one that belongs to a person.
    """
    if not folder.is_dir():
        raise DataError(folder, "no such folder; expected source images named as sequences, such as happy/0012.png")
    images: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file():
            name = path.relative_to(folder).with_suffix("").as_posix()
            if name in images:
                raise DataError(path, f"{images[name].name} has the same name; expected one source image a sequence")
            images[name] = path
    subjects = [person.name.rpartition("/")[2] for person in people]
    counts = Counter(subjects)
    found: dict[str, Path] = {}
    for person, subject in zip(people, subjects, strict=True):
        if person.code is not None and person.code in images:
            found[person.name] = images[person.code]
        elif person.name in images:
            found[person.name] = images[person.name]
        elif subject in images and counts[subject] == 1:
            found[person.name] = images[subject]
    if not found:
        raise DataError(
            folder, f"none of {len(images)} images is named as a sequence; expected such as {people[0].name}.png"
        )
    return found


def _names_of_codes(root: Path) -> dict[str, str]:
    """Read from the manifest of a generated dataset which codes each sequence was made from; others have none."""
    path = root / MANIFEST
    if synthetic_mark(path) is None or not path.is_file():
        return {}
    manifest = read_model(
        path, DatasetManifest, _LARGEST_MANIFEST, kind="a manifest", wrong="not a manifest of `ffbench generate`"
    )
    return {f"{one.emotion}/{one.identity:05d}": one.source for one in manifest.sequences if one.source is not None}
