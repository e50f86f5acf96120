"""Clips of micro-expressions as all their datasets have them: a subject, a label, the onset and the apex frame."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from ffbench.datasets.manifest import manifest_sha256
from ffbench.io.archives.member_path import DatasetPath


@dataclass(frozen=True)
class OnsetApexClip:
    """A clip of which a flow can be estimated.

    Attributes:
        key: such as `sub01/EP02_01f`; unique within the dataset.
        subject: who shows it; unique within the dataset.
        label: the emotion, as the dataset's table of annotations has it.
        onset, apex: image files of the original frames.
        crop: image file of the registered face at onset, where the dataset's authors give one.
    """

    key: str
    subject: str
    label: str
    onset: DatasetPath
    apex: DatasetPath
    crop: DatasetPath | None = None

    @property
    def files(self) -> tuple[DatasetPath, ...]:
        """All files of the clip that are read."""
        return (self.onset, self.apex) if self.crop is None else (self.onset, self.apex, self.crop)


@dataclass(frozen=True)
class OnsetApexClips:
    """What a dataset has of such clips.

    Attributes:
        clips: in order of the table of annotations.
        problems: faults of this copy, one line each, with the file's name.
        left_out: clips that nothing is wrong with and no flow can be estimated of, and the rule: one line each.
        synthetic: whether ffbench made any of it.
        manifest_sha256: hash of names and contents of all files that are used, and of the labels.
    """

    clips: tuple[OnsetApexClip, ...]
    problems: tuple[str, ...]
    left_out: tuple[str, ...]
    synthetic: bool
    manifest_sha256: str


def clips_sha256(clips: Sequence[OnsetApexClip]) -> str:
    """Hash names, contents and labels of all files of clips.

    Raises:
        DataError: a file cannot be read.
    """
    roles = ("onset", "apex", "crop")
    files = {f"{clip.key}/{role}": path for clip in clips for role, path in zip(roles, clip.files, strict=False)}
    labels = "".join(f"{clip.key}\t{clip.subject}\t{clip.label}\n" for clip in clips)
    return hashlib.sha256(f"{manifest_sha256(files)}\n{labels}".encode()).hexdigest()


def lonely_classes(subjects: Mapping[str, Collection[str]]) -> list[str]:
    """Return a line for each class that a fold cannot learn: it has no clip, or clips of one subject only.

    Args:
        subjects: those who show each class.
    """
    return [
        f"class {name}: " + ("no clip" if not people else f"clips of one subject only ({min(people)}), so that nothing "
        "is left to learn it from when that subject is left out")
        for name, people in subjects.items()
        if len(people) < 2
    ]  # fmt: skip
