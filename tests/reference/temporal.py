"""Chains of flows and jitter of tracks, one point at a time."""

from __future__ import annotations

import math
from typing import Any


def bilinear(flow: Any, x: float, y: float) -> tuple[float, float] | None:
    """The flow at a point, or None outside of the image or beside a pixel that is not known."""
    height, width = len(flow), len(flow[0])
    if not (0 <= x <= width - 1 and 0 <= y <= height - 1):
        return None
    left, top = math.floor(x), math.floor(y)
    total = [0.0, 0.0]
    for row, column in ((top, left), (top, left + 1), (top + 1, left), (top + 1, left + 1)):
        weight = (1 - abs(x - column)) * (1 - abs(y - row))
        if weight == 0:
            continue
        for channel in (0, 1):
            if not math.isfinite(flow[row][column][channel]) or abs(flow[row][column][channel]) >= 1e9:
                return None
            total[channel] += weight * float(flow[row][column][channel])
    return total[0], total[1]


def chained(first: Any, second: Any, x: int, y: int) -> tuple[float, float] | None:
    one = bilinear(first, x, y)
    two = None if one is None else bilinear(second, x + one[0], y + one[1])
    return None if one is None or two is None else (one[0] + two[0], one[1] + two[1])


def carried(x: float, y: float, flows: list[Any]) -> list[tuple[float, float]] | None:
    track = [(x, y)]
    for flow in flows:
        step = bilinear(flow, *track[-1])
        if step is None:
            return None
        track.append((track[-1][0] + step[0], track[-1][1] + step[1]))
    return track


def jitter(tracks: list[list[tuple[float, float]]]) -> tuple[float, int]:
    """Sum and number, from the tracks of whole points, each five positions."""
    fourth = [[t[4][c] - 4 * t[3][c] + 6 * t[2][c] - 4 * t[1][c] + t[0][c] for c in (0, 1)] for t in tracks]
    n = len(fourth)
    total = 0.0
    for c in (0, 1):
        mean = sum(d[c] for d in fourth) / n
        total += sum(abs(d[c] - mean) for d in fourth) * math.sqrt(n / (n - 1))
    return total / math.sqrt(20) / math.sqrt(2 / math.pi), 2 * n
