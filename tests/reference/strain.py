"""Optical strain pixel by pixel, from the definition of the strain tensor, in float64."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]


def strain(flow: npt.NDArray[np.floating], shear_entries: int) -> Values:
    """Return sqrt(e_xx^2 + e_yy^2 + n e_xy^2) of e = (grad F + grad F^T) / 2, with n the shear entries that count."""
    height, width = flow.shape[:2]

    def derivative(row: int, column: int, channel: int, axis: int) -> float:
        place = [row, column]
        before, after = list(place), list(place)
        before[axis] = max(place[axis] - 1, 0)
        after[axis] = min(place[axis] + 1, (height, width)[axis] - 1)
        rise = float(flow[after[0], after[1], channel]) - float(flow[before[0], before[1], channel])
        return rise / (after[axis] - before[axis])

    found = np.empty((height, width))
    for row in range(height):
        for column in range(width):
            gradient = [[derivative(row, column, channel, axis) for axis in (1, 0)] for channel in (0, 1)]
            e = [[(gradient[i][j] + gradient[j][i]) / 2 for j in (0, 1)] for i in (0, 1)]
            found[row, column] = math.sqrt(e[0][0] ** 2 + e[1][1] ** 2 + shear_entries * e[0][1] ** 2)
    return found
