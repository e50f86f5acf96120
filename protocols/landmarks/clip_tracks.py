"""Clips with the face tracked through them, and the pairs of frames that have a face in both."""

from __future__ import annotations

import contextlib
import hashlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ffbench import assets
from ffbench.datasets.clips import Clip, find_clips, open_clip
from ffbench.datasets.provenance import engine_sign, rests_on
from ffbench.datasets.tracks.plain import LANDMARKS
from ffbench.errors import DataError
from ffbench.facemesh import tracker
from ffbench.facemesh.jitter import jitter
from ffbench.io.archives.member_path import DatasetPath
from ffbench.io.atomic import atomic_path
from ffbench.paths import cache_dir
from ffbench.protocol import DatasetCard
from ffbench.typing import Points

DEFAULT_CLIPS = ("clip_carphone", "clip_single_face")
ALL_CLIPS = (*DEFAULT_CLIPS, "clip_face_noface", "clip_noface_face")


@dataclass(frozen=True)
class TrackedClip:
    """A clip and its landmarks, (frames, 468, 2) float64 in px, NaN in frames without a face."""

    clip: Clip
    points: Points

    @property
    def found(self) -> npt.NDArray[np.bool_]:
        """(frames,) whether there is a face."""
        return np.asarray(np.isfinite(self.points).all(axis=(1, 2)), np.bool_)

    def jitter(self) -> Points | None:
        """Return the standard deviation of each landmark's noise in x and in y, in px; None where it cannot be told."""
        found = self.found
        try:
            return jitter([points if found[index] else None for index, points in enumerate(self.points)])
        except DataError:
            return None


@dataclass(frozen=True)
class FramePair:
    """Frames `start` and `start + gap` of a clip."""

    tracked: TrackedClip
    start: int
    gap: int

    @property
    def key(self) -> str:
        """Such as `talk.mp4/00010-00015`."""
        return f"{self.tracked.clip.name}/{self.start:05d}-{self.start + self.gap:05d}"


@dataclass(frozen=True)
class FacePoints:
    """The landmarks in both frames, (468, 2) float64: x and y in px."""

    first: npt.NDArray[np.float64]
    second: npt.NDArray[np.float64]


@dataclass(frozen=True)
class FoundPairs:
    """What a folder of clips holds.

    Attributes:
        name: of the dataset.
        tracked: clips that can be used.
        pairs: by key.
        problems: a line for each clip that cannot be used.
        left_out: a line for each clip in which the face is lost.
    """

    name: str
    tracked: tuple[TrackedClip, ...]
    pairs: Mapping[str, FramePair]
    problems: tuple[str, ...]
    left_out: tuple[str, ...]


PairsOf = Callable[[TrackedClip, Sequence[int], int], tuple[list[FramePair], str | None]]
"""From a clip, gaps and a stride to pairs, and a line on what is left out."""


def find_pairs(
    clips: Sequence[DatasetPath],
    name: str,
    gaps: Sequence[int],
    stride: int,
    *,
    least: int,
    why: str,
    pairs_of: PairsOf | None = None,
) -> FoundPairs:
    """Track the face through clips, and pair their frames.

    Args:
        clips: their places.
        name: of the dataset, for messages.
        gaps, stride: of pairs, in frames.
        least: frames that a clip must have.
        why: said of a shorter one.
        pairs_of: pairs the frames of one clip; None: as `frame_pairs` does.

    Raises:
        DataError: no clip can be used. Of several clips, those that cannot are named as problems.
    """
    problems: list[str] = []
    left_out: list[str] = []
    tracked: list[TrackedClip] = []
    found: dict[str, FramePair] = {}
    for path in clips:
        try:
            clip = track_clip(path, least, why)
        except DataError as error:
            if len(clips) == 1:
                raise
            problems.append(f"{error}; the clip is left out")
            continue
        pairs, lost = (pairs_of or frame_pairs)(clip, gaps, stride)
        tracked.append(clip)
        found |= {pair.key: pair for pair in pairs}
        if lost is not None:
            left_out.append(lost)
    if not found:
        raise DataError(f"{name}: no pair of frames has a face in both; {[*left_out, *problems][0]}")
    return FoundPairs(name, tuple(tracked), found, tuple(problems), tuple(left_out))


def clips_card(found: FoundPairs) -> DatasetCard:
    """Return the card of clips without any reference: what they are, and what of them cannot be used."""
    digest = hashlib.sha256(network_sha256().encode())
    for one in found.tracked:
        digest.update(f"{one.clip.name} {one.clip.sha256()}\n".encode())
    places = [one.clip.path for one in found.tracked]
    # One made clip among real ones is enough: their mean is no measurement of real faces.
    made = engine_sign(*places) is not None
    return DatasetCard(
        name=found.name,
        origin="synthetic" if made else "real",
        origin_note="" if made else rests_on(places),
        reference="no",
        manifest_sha256=digest.hexdigest(),
        problems=found.problems,
        left_out=found.left_out,
    )


def named_clips(
    data: Path | None, names: Sequence[str] = DEFAULT_CLIPS, title: str = "two real clips"
) -> tuple[Sequence[DatasetPath], str]:
    """Return the clips at `data`, or real clips among the assets, and a name for them.

    Args:
        data: where the user's clips are; None: those of the assets.
        names: of the assets.
        title: what those are called.

    Raises:
        DataError: there is no clip at `data`.
    """
    if data is None:
        return [assets.asset_path(name) for name in names], title
    return find_clips(data), data.resolve().name


def track_clip(path: DatasetPath, least: int, why: str) -> TrackedClip:
    """Open a clip and find the face in every frame; landmarks that were found before are taken from the cache.

    Raises:
        DataError: the clip cannot be read, has fewer than `least` frames (the message says `why`), or shows no face.
    """
    clip = open_clip(path)
    if len(clip) < least:
        raise DataError(f"{path}: {len(clip)} frames, {why}")
    cache = cache_dir() / "tracks" / f"{_track_key(clip)}.npy"
    points = _read_points(cache, len(clip))
    if points is None:
        print(f"ffbench: finding the face in the {len(clip)} frames of {path}", file=sys.stderr)
        points = _find_points(clip)
        # Without room for it the landmarks are only found again next time.
        with contextlib.suppress(DataError), atomic_path(cache) as temporary:
            np.save(temporary, points)
    tracked = TrackedClip(clip, points)
    if not tracked.found.any():
        raise DataError(f"{path}: no face was found in any of the {len(clip)} frames")
    return tracked


def _find_points(clip: Clip) -> Points:
    missing = np.full((LANDMARKS, 2), np.nan)
    return np.stack([missing if face.points is None else face.points for face in tracker.track(clip.frames())])


def _track_key(clip: Clip) -> str:
    """Hash what the landmarks depend on: the clip, the network, and the code that runs it."""
    digest = hashlib.sha256(f"{clip.sha256()} {network_sha256()}".encode())
    for file in sorted(Path(tracker.__file__).parent.glob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _read_points(cache: Path, frames: int) -> Points | None:
    """Return the cached landmarks; None when there are none, or when the file is damaged."""
    try:
        points = np.load(cache, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    fits = isinstance(points, np.ndarray) and points.shape == (frames, LANDMARKS, 2) and points.dtype == np.float64
    return points if fits else None


def frame_pairs(tracked: TrackedClip, gaps: Sequence[int], stride: int) -> tuple[list[FramePair], str | None]:
    """Return the pairs (t, t + gap), t = 0, stride, 2 stride, ..., for which both frames have a face.

    They are in order of t, then gap, so that a video is decoded once. The text says in which frames the face is
    lost and how many pairs that costs; None when it never is.
    """
    found = tracked.found
    every = [
        FramePair(tracked, start, gap)
        for start in range(0, len(found), stride)
        for gap in sorted(gaps)
        if start + gap < len(found)
    ]
    pairs = [pair for pair in every if found[pair.start] and found[pair.start + pair.gap]]
    if found.all():
        return pairs, None
    return pairs, (
        f"{tracked.clip.path}: no face in frames {frame_ranges(~found)} ({int((~found).sum())} of {len(found)}); "
        f"{len(every) - len(pairs)} of {len(every)} pairs are left out"
    )


def network_sha256() -> str:
    """Hash of the face mesh network's file."""
    return assets.find("face_mesh").sha256


def frame_ranges(mask: npt.NDArray[np.bool_]) -> str:
    """Return the numbers of the true values of (frames,) in words, such as `0, 30-32`."""
    return ", ".join(f"{first}-{last}" if last > first else f"{first}" for first, last in _runs(mask))


def _runs(mask: npt.NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Return first and last index of every run of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return ((int(first), int(end) - 1) for first, end in edges.reshape(-1, 2))
