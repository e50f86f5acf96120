"""Which frames of a clip make pairs, and what who looks at none of them would score."""

from __future__ import annotations

import numpy as np

from ffbench.datasets.casme2.long_clips import LongClip, LongClips

from .matching import match
from .scores import spotting_f1


def pair_starts(clip: LongClip, window: int) -> tuple[int, ...]:
    """Return the first frames of the pairs of a clip: every (window // 2)th of which both frames are there."""
    step = max(1, window // 2)
    return tuple(
        start
        for start in range(min(clip.frames), max(clip.frames) - window + 1, step)
        if start in clip.frames and start + window in clip.frames
    )


def middle_f1(found: LongClips, window: int) -> float:
    """Return F1 of spotting for who looks at nothing: an interval of 2 `window` in the middle of each clip."""
    counts = np.zeros(3)
    for clip in found.clips:
        middle = (min(clip.frames) + max(clip.frames)) // 2
        coded = [(each.onset, each.offset) for each in clip.intervals]
        (hit,) = match([(middle - window, middle + window)], coded)
        counts += (0, 1, len(coded)) if hit is None else (1, 0, len(coded) - 1)
    return float(spotting_f1(counts))


def pair_key(clip: LongClip, start: int) -> str:
    """Name a pair by its clip and its first frame."""
    return f"{clip.key}/{start}"
