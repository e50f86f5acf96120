"""Which labels make the classes of a recognition task, and which clips it has then."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from ffbench.cards import DatasetCard
from ffbench.datasets.onset_apex import OnsetApexClip, OnsetApexClips, lonely_classes
from ffbench.datasets.provenance import rests_on
from ffbench.errors import DataError

THREE: Mapping[str, str | None] = {
    "negative": "negative", "positive": "positive", "surprise": "surprise",
    **dict.fromkeys(("happiness", "happy"), "positive"),
    **dict.fromkeys(
        ("anger", "contempt", "disgust", "fear", "sadness", "sad", "repression"), "negative"
    ),
    **dict.fromkeys(("other", "others"), None),
}  # fmt: skip
"""Class of a label in the three of MEGC 2019; None: known, and not part of the task."""


@dataclass(frozen=True)
class Selected:
    """The clips of a recognition task, with the class of each."""

    classes: tuple[str, ...]
    clips: tuple[tuple[OnsetApexClip, str], ...]


def own_classes(found: OnsetApexClips) -> dict[str, str | None]:
    """Return every label as a class of its own, in sorted order."""
    return {label: label for label in sorted({clip.label for clip in found.clips})}


def select(name: str, found: OnsetApexClips, classes: Mapping[str, str | None]) -> tuple[Selected, DatasetCard]:
    """Take the clips whose label has a class.

    Args:
        name: of the dataset, for its card.
        found: its clips.
        classes: class of each label, in the order of the classes; None: the label is known, and not part of the task.

    Raises:
        DataError: the clips are of fewer than two subjects or classes.
    """
    clips = tuple((clip, of) for clip in found.clips if (of := classes.get(clip.label)) is not None)
    names = tuple(dict.fromkeys(of for of in classes.values() if of is not None))
    subjects = {name: {clip.subject for clip, of in clips if of == name} for name in names}
    everyone = set().union(*subjects.values())
    if len(everyone) < 2 or sum(map(bool, subjects.values())) < 2:
        first = f"; the first of {len(found.problems)} problems: {found.problems[0]}" if found.problems else ""
        raise DataError(
            f"{name}: {len(clips)} usable clips of {len(everyone)} subjects in {sum(map(bool, subjects.values()))} "
            f"classes; leaving one subject out needs two subjects and two classes at least{first}"
        )
    problems = (*found.problems, *_unknown_labels(found, classes), *lonely_classes(subjects))
    counts = {f"class_{of}": float(sum(one == of for _, one in clips)) for of in names}
    card = DatasetCard(
        name=f"{name} mini" if found.synthetic else name,
        origin="synthetic" if found.synthetic else "real",
        origin_note="" if found.synthetic else rests_on([path for clip, _ in clips for path in clip.files]),
        reference="ground truth" if found.synthetic else "annotation",
        reference_note=_note(found, clips, classes),
        manifest_sha256=found.manifest_sha256,
        problems=problems,
        left_out=found.left_out,
        facts={"clips": float(len(clips)), "subjects": float(len(everyone)), **counts},
    )
    return Selected(names, clips), card


def _unknown_labels(found: OnsetApexClips, classes: Mapping[str, str | None]) -> list[str]:
    unknown: dict[str, list[str]] = {}
    for clip in found.clips:
        if clip.label not in classes:
            unknown.setdefault(clip.label, []).append(clip.key)
    known = ", ".join(classes)
    return [
        f"label '{label}' of {len(keys)} clips, the first is {keys[0]}: is none of {known}; they are left out"
        for label, keys in unknown.items()
    ]


def _note(
    found: OnsetApexClips, clips: tuple[tuple[OnsetApexClip, str], ...], classes: Mapping[str, str | None]
) -> str:
    """Return what a reader should know of the clips: labels without a class, and subjects with one clip."""
    out = Counter(clip.label for clip in found.clips if clip.label in classes and classes[clip.label] is None)
    alone = sorted(subject for subject, count in Counter(clip.subject for clip, _ in clips).items() if count == 1)
    note = "labels of the dataset's table"
    if out:
        note += f"; not part of the task: {', '.join(f'{count} {label}' for label, count in sorted(out.items()))}"
    if alone:
        note += f"; subjects with one clip, a fold of one each: {', '.join(alone)}"
    return note
