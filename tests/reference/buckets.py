"""Bucket-normalised error and gradient noise, one pixel at a time and without any cleverness."""

from __future__ import annotations

import math
from typing import Any

EDGES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, math.inf)


def cells(
    prediction: Any, truth: Any, mask: Any, regions: Any, names: dict[int, str]
) -> dict[Any, tuple[float, float]]:
    """(sum of errors, sum of speeds) by (class, bucket number), and (sum of errors, number) by "static"."""
    found: dict[Any, list[float]] = {}
    for y in range(len(truth)):
        for x in range(len(truth[0])):
            u, v = float(truth[y][x][0]), float(truth[y][x][1])
            if not mask[y][x] or abs(u) >= 1e9 or abs(v) >= 1e9:
                continue
            error = math.dist((float(prediction[y][x][0]), float(prediction[y][x][1])), (u, v))
            speed = math.hypot(u, v)
            if speed < EDGES[0]:
                entry, weight = found.setdefault("static", [0.0, 0.0]), 1.0
            elif int(regions[y][x]) in names:
                bucket = next(k for k in range(7) if EDGES[k] <= speed < EDGES[k + 1])
                entry, weight = found.setdefault((names[int(regions[y][x])], bucket), [0.0, 0.0]), speed
            else:
                continue
            entry[0] += error
            entry[1] += weight
    return {key: (value[0], value[1]) for key, value in found.items()}


def normalized(pairs: list[dict[Any, tuple[float, float]]], least: float) -> float | None:
    """Mean over classes of the mean over buckets of error / speed in percent, of sums over pairs."""
    totals: dict[Any, list[float]] = {}
    for pair in pairs:
        for key, (error, motion) in pair.items():
            if key != "static":
                entry = totals.setdefault(key, [0.0, 0.0])
                entry[0] += error
                entry[1] += motion
    classes: dict[str, list[float]] = {}
    for (name, _), (error, motion) in totals.items():
        if motion >= least:
            classes.setdefault(name, []).append(100 * error / motion)
    means = [sum(ratios) / len(ratios) for ratios in classes.values()]
    return sum(means) / len(means) if means else None


def gradient_noise(prediction: Any, truth: Any, mask: Any) -> tuple[float, int]:
    def gradient(field: Any, y: int, x: int) -> float:
        here, right, below = field(y, x), field(y, x + 1), field(y + 1, x)
        return math.hypot(
            *(a - b for a, b in zip(right, here, strict=True)), *(a - b for a, b in zip(below, here, strict=True))
        )

    def true(y: int, x: int) -> tuple[float, float]:
        return float(truth[y][x][0]), float(truth[y][x][1])

    def error(y: int, x: int) -> tuple[float, float]:
        u, v = true(y, x)
        return float(prediction[y][x][0]) - u, float(prediction[y][x][1]) - v

    total, count = 0.0, 0
    for y in range(len(truth) - 1):
        for x in range(len(truth[0]) - 1):
            corner = [(y, x), (y, x + 1), (y + 1, x)]
            if all(mask[a][b] and max(map(abs, true(a, b))) < 1e9 for a, b in corner) and gradient(true, y, x) <= 0.1:
                total += gradient(error, y, x)
                count += 1
    return total, count
