"""Warping and the forward-backward error, one pixel at a time."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from tests.reference.flow_sampling import THRESHOLD, sample_slowly


def warp_slowly(
    image2: npt.NDArray[Any], flow: npt.NDArray[Any]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Sample image 2 (H, W, C) at x + flow(x)."""
    warped = np.full(image2.shape, math.nan)
    valid = np.zeros(image2.shape[:2], bool)
    for row, column in np.ndindex(*valid.shape):
        u, v = float(flow[row, column, 0]), float(flow[row, column, 1])
        if not (abs(u) < THRESHOLD and abs(v) < THRESHOLD):
            continue
        sampled = sample_slowly(image2, column + u, row + v)
        if sampled is not None:
            warped[row, column], valid[row, column] = sampled, True
    return warped, valid


def forward_backward_slowly(
    forward: npt.NDArray[Any], backward: npt.NDArray[Any]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Return |F(x) + B(x + F(x))|."""
    back, valid = warp_slowly(backward, forward)
    error = np.full(valid.shape, math.nan)
    for row, column in zip(*np.nonzero(valid), strict=True):
        error[row, column] = math.hypot(
            float(forward[row, column, 0]) + back[row, column, 0], float(forward[row, column, 1]) + back[row, column, 1]
        )
    return error, valid
