"""Clips with the face tracked through them, and the pairs of frames that have a face in both."""

from __future__ import annotations

import contextlib
import hashlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ffbench import assets
from ffbench.archives.member_path import Place
from ffbench.atomic import atomic_path
from ffbench.datasets.clips import Clip, open_clip
from ffbench.errors import DataError
from ffbench.facemesh import tracker
from ffbench.facemesh.jitter import jitter
from ffbench.facemesh.network import LANDMARKS
from ffbench.paths import cache_dir

Points = npt.NDArray[np.float64]


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
        """Give the standard deviation of each landmark's noise in x and in y, in px; None where it cannot be told."""
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


def track_clip(path: Place, longest_gap: int) -> TrackedClip:
    """Open a clip and find the face in every frame; landmarks that were found before are taken from the cache.

    Raises:
        DataError: the clip cannot be read, is too short for the gap, or shows no face.
    """
    clip = open_clip(path)
    if len(clip) <= longest_gap:
        raise DataError(
            f"{path}: {len(clip)} frames, too short for pairs {longest_gap} frames apart; "
            "choose smaller gaps with the option gaps=..."
        )
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
    """Give the cached landmarks; None when there are none, or when the file is damaged."""
    try:
        points = np.load(cache, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    fits = isinstance(points, np.ndarray) and points.shape == (frames, LANDMARKS, 2) and points.dtype == np.float64
    return points if fits else None


def frame_pairs(tracked: TrackedClip, gaps: Sequence[int], stride: int) -> tuple[list[FramePair], str | None]:
    """Give the pairs (t, t + gap), t = 0, stride, 2 stride, ..., for which both frames have a face.

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
    ranges = ", ".join(f"{first}-{last}" if last > first else f"{first}" for first, last in _runs(~found))
    return pairs, (
        f"{tracked.clip.path}: no face in frames {ranges} ({int((~found).sum())} of {len(found)}); "
        f"{len(every) - len(pairs)} of {len(every)} pairs are left out"
    )


def network_sha256() -> str:
    """Hash of the face mesh network's file."""
    return assets.find("face_mesh").sha256


def _runs(mask: npt.NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Give first and last index of every run of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return ((int(first), int(end) - 1) for first, end in edges.reshape(-1, 2))
