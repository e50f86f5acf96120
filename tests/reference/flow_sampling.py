"""Bilinear sampling as a sum over all pixels, each with a tent of width 1 around it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

THRESHOLD = 1e9


def sample_slowly(field: npt.NDArray[Any], x: float, y: float) -> list[float] | None:
    """Return the channels of `field` (H, W, C) at (x, y); None where it is outside or a needed value is unknown."""
    height, width, channels = field.shape
    if not (0 <= x <= width - 1 and 0 <= y <= height - 1):
        return None
    sums = [0.0] * channels
    for row in range(height):
        for column in range(width):
            weight = max(0.0, 1 - abs(x - column)) * max(0.0, 1 - abs(y - row))
            if weight == 0:
                continue
            values = [float(value) for value in field[row, column]]
            if any(not math.isfinite(value) or abs(value) >= THRESHOLD for value in values):
                return None
            sums = [total + weight * value for total, value in zip(sums, values, strict=True)]
    return sums


def sample_all_slowly(
    field: npt.NDArray[Any], points: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Return the values (N, C) and the mask (N,) of `sample_slowly` at many points (N, 2)."""
    sampled = [sample_slowly(field, float(x), float(y)) for x, y in points]
    values = [[math.nan] * field.shape[2] if value is None else value for value in sampled]
    return np.array(values).reshape(len(points), field.shape[2]), np.array(
        [value is not None for value in sampled], bool
    )
