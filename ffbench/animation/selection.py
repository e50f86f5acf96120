"""Which frames of a clip are looked at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from ffbench.errors import DataError, UsageError

T = TypeVar("T")


def frame_pairs(
    name: str, frames: int, *, start: int = 0, end: int | None = None, step: int = 1, stride: int = 1
) -> list[tuple[int, int]]:
    """List the pairs of frames of a clip.

    Args:
        name: of the clip, for errors.
        frames: how many it has.
        start, end: first frame, and the one after the last (None: the clip's end), counted from 0.
        step: frames from image 1 to image 2 of a pair.
        stride: frames from one pair to the next.

    Raises:
        UsageError: `end` is not after `start`.
        DataError: the clip has too few frames.

    >>> frame_pairs("a.mp4", 7, start=1, step=2, stride=3)
    [(1, 3), (4, 6)]
    """
    if end is not None and end <= start:
        raise UsageError(f"--end {end}: expected a frame after --start {start}")
    needed = start + step + 1
    if frames < needed:
        from_start = f" from --start {start}" if start else ""
        raise DataError(name, f"has {frames} frames, expected at least {needed} for --step {step}{from_start}")
    last = frames if end is None else min(end, frames)
    if last < needed:
        raise UsageError(f"--end {end}: expected at least {needed} for --start {start} and --step {step}")
    return [(first, first + step) for first in range(start, last - step, stride)]


def spread(items: Sequence[T], most: int) -> list[T]:
    """Return at most `most` items, evenly spread, the first and the last among them.

    >>> spread(range(10), 4)
    [0, 3, 6, 9]
    """
    if len(items) <= most:
        return list(items)
    return [items[round(number * (len(items) - 1) / (most - 1))] for number in range(most)]
