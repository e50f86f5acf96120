"""Which spotted interval is which annotated one: intersection over union, in frames."""

from __future__ import annotations

from collections.abc import Sequence

from .spotter import Frames

LEAST_IOU = 0.5
"""From here on an interval is spotted (MEGC 2020 and later)."""


def iou(one: Frames, other: Frames) -> float:
    """Return intersection over union of two intervals, first and last frame included.

    >>> iou((1, 10), (6, 15)), iou((1, 3), (4, 6))
    (0.3333333333333333, 0.0)
    """
    common = min(one[1], other[1]) - max(one[0], other[0]) + 1
    if common <= 0:
        return 0.0
    return common / (one[1] - one[0] + 1 + other[1] - other[0] + 1 - common)


def match(spotted: Sequence[Frames], annotated: Sequence[Frames]) -> list[int | None]:
    """Return for each spotted interval the number of the annotated one that it finds, or None.

    An annotated interval is found once: of several spotted ones that overlap it enough the first in order counts, and
    the others are false positives.

    Args:
        spotted: in the order in which they are matched, that of time.
        annotated: they do not overlap.

    >>> match([(1, 10), (2, 11), (30, 40)], [(2, 11), (50, 60)])
    [0, None, None]
    """
    free = set(range(len(annotated)))
    found: list[int | None] = []
    for interval in spotted:
        fits = [number for number in sorted(free) if iou(interval, annotated[number]) >= LEAST_IOU]
        best = max(fits, key=lambda number: iou(interval, annotated[number]), default=None)
        free.discard(-1 if best is None else best)
        found.append(best)
    return found
