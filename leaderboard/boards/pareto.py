"""Which of several methods no other beats in both error and cost."""

from __future__ import annotations

from collections.abc import Sequence


def front(points: Sequence[tuple[float, float]]) -> list[int]:
    """Return the indices of the points that no other dominates, by first coordinate; less is better in both.

    A point is dominated by one that is at least as good in both and better in one.

    >>> front([(1.0, 5.0), (2.0, 3.0), (3.0, 4.0), (2.0, 3.0)])
    [0, 1, 3]
    """
    order = sorted(range(len(points)), key=lambda index: points[index])
    kept: list[int] = []
    for index in order:
        if not kept or points[index][1] < points[kept[-1]][1] or points[index] == points[kept[-1]]:
            kept.append(index)
    return kept
