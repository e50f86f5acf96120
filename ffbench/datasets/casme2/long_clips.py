"""CASME II as whole clips: all original frames, and the intervals from onset to offset that are coded in them."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ffbench.cards import DatasetCard
from ffbench.datasets.base import Count, Dataset, Found, Progress, undecodable_images
from ffbench.datasets.casme2.coding import Coding, find_coding, read_coding
from ffbench.datasets.casme2.dataset import CASME2
from ffbench.datasets.casme2.scan import (
    FIVE,
    LAYOUT,
    OFFICIAL_FIVE,
    OFFICIAL_ROWS,
    OFFICIAL_SUBJECTS,
    clip_frames,
    raw_folder,
)
from ffbench.datasets.images import image_size
from ffbench.datasets.manifest import manifest_sha256
from ffbench.datasets.onset_apex import lonely_classes
from ffbench.datasets.provenance import engine_sign, rests_on
from ffbench.errors import DataError
from ffbench.io.archives.member_path import DatasetPath, open_tree


@dataclass(frozen=True)
class Interval:
    """A micro-expression: the numbers of its first and its last frame, and its emotion."""

    onset: int
    offset: int
    emotion: str


@dataclass(frozen=True)
class LongClip:
    """A clip in which micro-expressions are to be found.

    Attributes:
        key: such as `sub01/EP02_01f`; unique within the dataset.
        subject: such as `sub01`.
        frames: image files of the original frames by number, in order; at least one.
        intervals: what is coded, in order of onset; they do not overlap.
    """

    key: str
    subject: str
    frames: Mapping[int, DatasetPath]
    intervals: tuple[Interval, ...]


@dataclass(frozen=True)
class LongClips:
    """What lies in a folder of CASME II.

    Attributes:
        rows: how many the coding table has that make sense.
        clips: in order of the coding table.
        left_out: clips that nothing is wrong with and that cannot be used, and the rule: one line each.
        problems: faults of this copy, one line each.
        synthetic: whether ffbench made any of it.
    """

    rows: int
    clips: tuple[LongClip, ...]
    left_out: tuple[str, ...]
    problems: tuple[str, ...]
    synthetic: bool


@dataclass
class _Lines:
    left_out: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def scan_long_clips(root: DatasetPath | str, classes: Mapping[str, str] = FIVE) -> LongClips:
    """Read the coding table under `root`, and list all frames of the clips that it names.

    An interval is from onset to offset; no apex is needed. Left out are clips with an emotion that has no class or with
    an interval without offset; and, as faults of the copy, those whose frames or whose onset or offset are missing,
    whose first and last frame differ in size, or whose intervals overlap.

    Args:
        root: folder or archive of the dataset.
        classes: class of each emotion that counts.

    Raises:
        DataError: no such folder, no or no readable coding table, no folder of frames, or no usable clip.
    """
    root = open_tree(root)
    if not root.is_dir():
        raise DataError(root, f"no such folder; expected CASME II: {LAYOUT}")
    rows, problems = read_coding(find_coding(root), several=True)
    raw, lines = raw_folder(root), _Lines(problems=problems)
    by_clip: dict[str, list[Coding]] = {}
    for row in rows:
        by_clip.setdefault(row.key, []).append(row)
    clips = []
    for key, coded in by_clip.items():
        if reason := _unusable(coded, classes):
            lines.left_out.append(f"{key}: {reason}")
            continue
        try:
            clips.append(_clip(coded, raw / coded[0].subject / coded[0].name, classes))
        except DataError as error:
            lines.problems.append(f"{error}; the clip {key} is left out")
    if not clips:
        first = f"; the first problem: {lines.problems[0]}" if lines.problems else ""
        raise DataError(root, f"no usable clip with an onset and an offset; expected CASME II: {LAYOUT}{first}")
    synthetic = engine_sign(*(path for clip in clips for path in list(clip.frames.values())[:2])) is not None
    return LongClips(len(rows), tuple(clips), tuple(lines.left_out), tuple(lines.problems), synthetic)


def longer_than(found: LongClips, window: int) -> LongClips:
    """Leave out the clips that hold no two frames `window` apart, and name them.

    Raises:
        DataError: none is left.
    """
    short = {clip.key: len(clip.frames) for clip in found.clips if not _spans(clip, window)}
    lines = tuple(
        f"{key}: is shorter than the window: {count} frames, and none two are {window} frames apart"
        for key, count in short.items()
    )
    clips = tuple(clip for clip in found.clips if clip.key not in short)
    if not clips:
        raise DataError(f"all {len(short)} clips are shorter than the window of {window} frames; set a smaller one")
    return LongClips(found.rows, clips, (*found.left_out, *lines), found.problems, found.synthetic)


def card_long_clips(found: LongClips, used: Mapping[str, Sequence[DatasetPath]], classes: Sequence[str]) -> DatasetCard:
    """Return what a record says of the clips.

    Args:
        found: the clips.
        used: the files of the frames that are used, by key of the clip.
        classes: their names.

    Raises:
        DataError: the clips are of fewer than two subjects or classes, or a file cannot be read.
    """
    shown = [(clip.subject, interval) for clip in found.clips for interval in clip.intervals]
    subjects = {name: {subject for subject, interval in shown if interval.emotion == name} for name in classes}
    everyone = {subject for subject, _ in shown}
    if len(everyone) < 2 or sum(map(bool, subjects.values())) < 2:
        raise DataError(
            f"{len(found.clips)} usable clips of {len(everyone)} subjects in {sum(map(bool, subjects.values()))} "
            "classes; leaving one subject out needs two subjects and two classes at least"
        )
    lengths = [interval.offset - interval.onset + 1 for _, interval in shown]
    files = {f"{key}/{path.name}": path for key, paths in used.items() for path in paths}
    labels = "".join(
        f"{clip.key} {interval.onset} {interval.offset} {interval.emotion}\n"
        for clip in found.clips
        for interval in clip.intervals
    )
    note = (
        "rendered faces in the layout of CASME II: whole clips with neutral stretches, head motion and blinks"
        if found.synthetic
        else "onset, offset and emotion by the authors' coders; the original frames of whole clips"
    )
    return DatasetCard(
        name="CASME II mini, whole clips" if found.synthetic else "CASME II, whole clips",
        origin="synthetic" if found.synthetic else "real",
        origin_note="" if found.synthetic else rests_on(list(files.values())),
        reference="ground truth" if found.synthetic else "annotation",
        reference_note=note,
        manifest_sha256=hashlib.sha256(f"{manifest_sha256(files)}\n{labels}".encode()).hexdigest(),
        problems=(*found.problems, *lonely_classes(subjects)),
        left_out=found.left_out,
        facts={
            "clips": float(len(found.clips)),
            "subjects": float(len(everyone)),
            "expressions": float(len(shown)),
            "mean_length": sum(lengths) / len(lengths),
            **{f"class_{name}": float(sum(one.emotion == name for _, one in shown)) for name in classes},
        },
    )


def check_long_clips(path: DatasetPath, quick: bool, progress: Progress) -> Found:
    """Count rows, subjects, whole clips and intervals, and list what cannot be used."""
    found = scan_long_clips(path)
    problems = list(found.problems)
    if not quick:
        problems += undecodable_images([file for clip in found.clips for file in clip.frames.values()], progress)
    counts = [
        Count("rows of the coding table", found.rows, OFFICIAL_ROWS),
        Count("clips of 5 classes with all of their intervals", len(found.clips), OFFICIAL_FIVE),
        Count("subjects of these clips", len({clip.subject for clip in found.clips})),
        Count("intervals in these clips", sum(len(clip.intervals) for clip in found.clips), OFFICIAL_FIVE),
        Count("frames of these clips", sum(len(clip.frames) for clip in found.clips)),
    ]
    return Found(counts, problems, found.synthetic, found.left_out)


def _unusable(coded: Sequence[Coding], classes: Mapping[str, str]) -> str | None:
    """Return why nothing can be said of a clip by its rows, though nothing is wrong with them."""
    for row in coded:
        if row.emotion not in classes:
            return f"shows {row.emotion}, which is none of the classes"
        if row.offset is None:
            return f"no offset is coded for the onset at frame {row.onset}"
    return None


def _clip(coded: Sequence[Coding], folder: DatasetPath, classes: Mapping[str, str]) -> LongClip:
    """Find the frames of a clip, and put its intervals in order.

    Raises:
        DataError: they are not there, differ in size, or do not hold the intervals; or these overlap.
    """
    intervals = sorted(
        (Interval(row.onset, row.offset, classes[row.emotion]) for row in coded if row.offset is not None),
        key=lambda interval: (interval.onset, interval.offset),
    )
    for before, after in itertools.pairwise(intervals):
        if after.onset <= before.offset:
            raise DataError(
                folder,
                f"two intervals overlap, {before.onset} to {before.offset} and {after.onset} to {after.offset}; "
                "a frame is of one at most",
            )
    frames = clip_frames(folder)
    if not frames:
        raise DataError(folder, "has no frames img1.jpg, ...")
    first, last = min(frames), max(frames)
    for interval in intervals:
        for name, number in (("onset", interval.onset), ("offset", interval.offset)):
            if number not in frames:
                raise DataError(folder, f"frame {number} ({name}) is missing; it has {first} to {last}")
    sizes = image_size(frames[first]), image_size(frames[last])
    if sizes[0] != sizes[1]:
        raise DataError(frames[last], f"{sizes[1][0]} x {sizes[1][1]}, but img{first} is {sizes[0][0]} x {sizes[0][1]}")
    return LongClip(coded[0].key, coded[0].subject, frames, tuple(intervals))


def _spans(clip: LongClip, window: int) -> bool:
    return any(number + window in clip.frames for number in clip.frames)


CASME2_SPOT = Dataset(
    id="casme2_spot",
    title="CASME II, whole clips",
    summary="micro-expressions to be found in whole clips",
    licence=CASME2.licence,
    source=CASME2.source,
    citation=CASME2.citation,
    folders=CASME2.folders,
    check=check_long_clips,
    counts={"clips": OFFICIAL_ROWS, "subjects": OFFICIAL_SUBJECTS},
    mini="ffbench.synth.minis.casme2_long:MINI",
)
