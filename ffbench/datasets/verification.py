"""Whether a dataset is what its authors distribute: what is there against what is expected, and every fault."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ffbench.archives.member_path import Place, open_tree
from ffbench.datasets import casme2, ck_plus, ffn, ffn_files, flame_masks, mead, metrical_tracks
from ffbench.datasets.clips import open_clip
from ffbench.datasets.images import natural_key, read_image
from ffbench.datasets.ply import read_vertices
from ffbench.datasets.provenance import engine_sign
from ffbench.errors import DataError, UsageError

CK_SUBJECTS = 123
CK_EMOTIONS = {
    "anger": 45, "contempt": 18, "disgust": 59, "fear": 25, "happiness": 69, "sadness": 28, "surprise": 83
}  # fmt: skip
"""Sequences of each emotion, as CK+'s authors count them; together 327."""
Progress = Callable[[int, int], None]


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


@dataclass(frozen=True)
class Verification:
    """What was found in a dataset's folder."""

    name: str
    path: Place
    synthetic: bool
    counts: tuple[Count, ...]
    problems: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    """What the dataset itself has and no protocol can use, and the rule: no fault of this copy."""

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong and nothing missing."""
        return not self.problems and all(count.fits for count in self.counts)


def verify_dataset(name: str, path: Place, *, quick: bool = False, progress: Progress | None = None) -> Verification:
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
    if name not in _VERIFIERS:
        raise UsageError(f"no dataset '{name}' that can be verified; there are {', '.join(_VERIFIERS)}")
    tree = open_tree(path)
    if tree.is_file():
        raise DataError(path, "is a file; expected a folder, a .zip or .tar archive, or a folder of these")
    found = _VERIFIERS[name](tree, quick, progress or (lambda done, total: None))
    counts = found.counts
    if found.synthetic:
        counts = [Count(count.what, count.found) for count in counts]
    return Verification(name, path, found.synthetic, tuple(counts), tuple(found.problems), tuple(found.left_out))


def dataset_names() -> tuple[str, ...]:
    """Name the datasets that can be verified."""
    return tuple(_VERIFIERS)


class Found(NamedTuple):
    """What a verifier gives."""

    counts: Sequence[Count]
    problems: Sequence[str]
    synthetic: bool
    """Whether ffbench made any of it."""
    left_out: Sequence[str] = ()


def _casme2(path: Place, quick: bool, progress: Progress) -> Found:
    # This rule takes every clip; what the others leave out is counted by the coding.
    found = casme2.scan(path, "paper")
    problems = list(found.problems)
    if not quick:
        problems += _undecodable([file for clip in found.clips for file in clip.files], progress)
    emotions = Counter(row.emotion for row in found.rows)
    usable_rows = [clip.coding for clip in found.clips]
    counts = [
        Count("rows of the coding table", len(found.rows), casme2.OFFICIAL_ROWS),
        Count("subjects", len({row.subject for row in found.rows}), casme2.OFFICIAL_SUBJECTS),
        *(Count(f"emotion {name}", emotions[name], count) for name, count in casme2.OFFICIAL_EMOTIONS.items()),
    ]
    # Which three of 249 the paper did not use, nothing that is published says.
    for name, classes, rows, fits in (
        ("5 classes", casme2.FIVE, casme2.OFFICIAL_FIVE, 246),
        ("3 classes", casme2.THREE, casme2.OFFICIAL_THREE, 156),
    ):
        there = sum(row.emotion in classes for row in found.rows)
        counts.append(Count(f"rows of {name} (the paper's accuracies fit {fits})", there, rows))
        for rule, fewer in casme2.OFFICIAL_LEFT_OUT.items():
            usable = sum(row.emotion in classes and row.left_out_by(rule) is None for row in usable_rows)
            counts.append(Count(f"clips of {name}, selection {rule}", usable, rows - fewer))
    counts.append(Count("clips with frames at onset and apex", len(found.clips)))
    if found.megc is not None:
        listed = Counter(found.megc.values())
        counts += [Count(f"MEGC 2019 {name}", listed[name], count) for name, count in casme2.OFFICIAL_MEGC.items()]
        usable = sum(row.key in found.megc and row.left_out_by("clean") is None for row in usable_rows)
        counts.append(Count("clips of MEGC 2019, selection clean", usable))
    left_out = [
        f"{row.key}: {reason} (selection {rule})"
        for row in found.rows
        for rule in casme2.OFFICIAL_LEFT_OUT
        if (reason := row.left_out_by(rule))
    ]
    return Found(counts, problems, found.synthetic, left_out)


def _ck_plus(path: Place, quick: bool, progress: Progress) -> Found:
    found = ck_plus.scan(path)
    problems = list(found.problems)
    if not quick:
        problems += _undecodable([image for s in found.sequences for image in (s.first_image, s.last_image)], progress)
    emotions = Counter(s.emotion for s in found.sequences if s.emotion)
    counts = [
        Count("sequences", len(found.sequences), ck_plus.OFFICIAL_SEQUENCES),
        Count("subjects", len({s.subject for s in found.sequences}), CK_SUBJECTS),
        Count("emotion labels", sum(emotions.values()), ck_plus.OFFICIAL_EMOTIONS),
        *(
            Count(f"emotion {name}", emotions[name], CK_EMOTIONS.get(name))
            for name in sorted({*CK_EMOTIONS, *emotions})
        ),
    ]
    return Found(counts, problems, found.synthetic)


def _ffn(path: Place, quick: bool, progress: Progress) -> Found:
    counts: list[Count] = []
    problems: list[str] = []
    left_out: list[str] = []
    parts = ("image/facial", "flow/facial", "mask")
    roots = {split: ffn.find_root(path, split) for split in ffn.SPLITS}
    folders = [place for split, root in roots.items() for place in (root, *(root / part / split for part in parts))]
    synthetic = engine_sign(*folders) is not None
    for split, root in roots.items():
        if synthetic and not (root / "image" / "facial" / split).is_dir():
            continue  # a mini dataset has the test split alone
        try:
            if quick:
                found = ffn.scan(root, split, head=True)
                pairs, lengths = len(found.pairs), Counter(found.sequences().values())
                problems += found.problems
            else:
                report = ffn_files.verify(root, split, progress=progress)
                pairs, lengths = report.pairs, Counter(report.sequences)
                problems += report.problems
                left_out += report.left_out
        except DataError as error:
            pairs, lengths = 0, Counter()
            problems.append(str(error))
        counts.append(Count(f"{split}: pairs", pairs, ffn.OFFICIAL_PAIRS[split]))
        counts += [Count(f"{split}: sequences of {length} frames", lengths[length]) for length in sorted(lengths)]
    return Found(counts, problems, synthetic, left_out)


def _mead(path: Place, quick: bool, progress: Progress) -> Found:
    if (path / mead.MANIFEST).is_file():
        return _mead_frames(path, quick, progress)
    videos, problems = mead.find_videos(path)
    frames = 0
    for done, video in enumerate(videos, start=1):
        try:
            clip = open_clip(video.path)
            frames += 0 if quick else len(clip)
        except DataError as error:
            problems.append(str(error))
        progress(done, len(videos))
    counts = [
        Count("subjects", len({video.subject for video in videos})),
        Count("frontal videos", len(videos)),
        Count("emotions", len({video.emotion for video in videos})),
    ]
    synthetic = engine_sign(*(video.path for video in videos)) is not None
    return Found([*counts, *([] if quick else [Count("frames", frames)])], problems, synthetic)


def _mead_frames(path: Place, quick: bool, progress: Progress) -> Found:
    """Check extracted frames against their manifest."""
    videos = mead.read_manifest(path).videos
    problems: list[str] = []
    frames: list[Place] = []
    for name, entry in videos.items():
        there = mead.count_frames(path, name)
        if there != entry.frames:
            problems.append(f"{path / name / 'source'}: {there} frames in a row, expected {entry.frames}")
        frames += [path / name / "source" / f"{number:05d}.png" for number in range(1, there + 1)]
    if not quick:
        problems += _undecodable(frames, progress)
    counts = [
        Count("videos", len(videos), mead.OFFICIAL_VIDEOS),
        Count("frames", len(frames), mead.OFFICIAL_FRAMES),
    ]
    return Found(counts, problems, engine_sign(path, *frames) is not None)


def _tracks(path: Place, quick: bool, progress: Progress) -> tuple[list[str], list[int], list[Count], list[str]]:
    """Return the names of tracked videos, the number of frames of each, the vertices that count, and every fault."""
    path = metrical_tracks.open_tracks(path)
    if not path.is_dir():
        raise DataError(path, f"no such folder; expected {metrical_tracks.LAYOUT}")
    folders = sorted((item for item in path.iterdir() if metrical_tracks.is_track(item)),
                     key=lambda item: (natural_key(item.name), item.name))  # fmt: skip
    if not folders:
        raise DataError(path, f"no tracks in it; expected {metrical_tracks.LAYOUT}")
    names: list[str] = []
    frames: list[int] = []
    problems: list[str] = []
    for done, folder in enumerate(folders, start=1):
        try:
            track = metrical_tracks.scan_track(folder)
        except DataError as error:
            problems.append(str(error))
            continue
        names.append(track.name)
        frames.append(len(track.frames))
        problems += track.problems
        numbers = set(track.frames)
        gaps = sorted(set(range(min(numbers), max(numbers))) - numbers)
        if gaps:
            problems.append(f"{folder}: frame {gaps[0]:05d} and {len(gaps) - 1} others are missing between the others")
        if not quick:
            problems += _undecodable([frame.image for frame in track.frames.values()], lambda done, total: None)
            problems += [fault for frame in track.frames.values() for fault in _fault(read_vertices, frame.mesh)]
        progress(done, len(folders))
    try:
        vertices = _vertices(path)
    except DataError as error:
        vertices = []
        problems.append(str(error))
    return names, frames, vertices, problems


def _vertices(path: Place) -> list[Count]:
    """Count the vertices that FLAME's masks make, where the protocols would take them from masks.

    Raises:
        DataError: the file that says which vertices count cannot be read.
    """
    try:
        file = flame_masks.find_regions(path)
    except DataError:
        return []  # a protocol is told where it is by its option `regions`
    if not flame_masks.is_masks_file(file):
        flame_masks.read_regions(file)
        return []
    counts: list[Count] = []
    for choice in flame_masks.CHOICES:
        regions, expected = flame_masks.read_regions(file, choice), flame_masks.OFFICIAL_COUNTS[choice]
        counts.append(Count(f"vertices={choice}", sum(map(len, regions.values())), sum(expected.values())))
        counts += [Count(f"vertices={choice}, {name}", len(regions[name]), expected[name]) for name in regions]
    return counts


def _mead_tracks(path: Place, quick: bool, progress: Progress) -> Found:
    names, frames, vertices, problems = _tracks(path, quick, progress)
    counts = [
        Count("videos", len(names), mead.OFFICIAL_VIDEOS),
        Count("frames", sum(frames), mead.OFFICIAL_FRAMES),
    ]
    made = engine_sign(path, *(path / name for name in names)) is not None
    return Found([*counts, *vertices], problems, made)


def _ck_plus_tracks(path: Place, quick: bool, progress: Progress) -> Found:
    names, _, vertices, problems = _tracks(path, quick, progress)
    counts = [
        Count("sequences", len(names), ck_plus.OFFICIAL_SEQUENCES),
        Count("subjects", len({name.partition("_")[0] for name in names}), CK_SUBJECTS),
    ]
    made = engine_sign(path, *(path / name for name in names)) is not None
    return Found([*counts, *vertices], problems, made)


def _undecodable(images: Sequence[Place], progress: Progress) -> list[str]:
    problems: list[str] = []
    for done, image in enumerate(images, start=1):
        problems += _fault(read_image, image)
        progress(done, len(images))
    return problems


def _fault(read: Callable[[Place], object], path: Place) -> list[str]:
    try:
        read(path)
    except DataError as error:
        return [str(error)]
    return []


_VERIFIERS: Mapping[str, Callable[[Place, bool, Progress], Found]] = {
    "casme2": _casme2,
    "ck_plus": _ck_plus,
    "ck_plus_tracks": _ck_plus_tracks,
    "ffn": _ffn,
    "mead": _mead,
    "mead_tracks": _mead_tracks,
}
