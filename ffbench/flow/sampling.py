"""Bilinear sampling of a flow at points, reading only the pixels around them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from ffbench.errors import DataError
from ffbench.flow.checks import UNKNOWN_THRESHOLD
from ffbench.flow.files import read_flow
from ffbench.flow.formats.flo import map_flo
from ffbench.typing import Mask

_OUTSIDE, _UNKNOWN, _NOT_FINITE = 1, 2, 3


def sample_flow(flow: npt.NDArray[Any], points: npt.ArrayLike) -> tuple[npt.NDArray[np.float64], Mask]:
    """Interpolate a flow bilinearly at points.

    Args:
        flow: (H, W, 2), in pixels; may be a memory map.
        points: (N, 2) positions (x, y) in pixels; the centre of the first pixel is (0, 0).

    Returns:
        The flow at the points, (N, 2) float64, and which of them are valid, (N,) bool. Not valid, and NaN, are
        points outside of [0, W - 1] x [0, H - 1] and points where a pixel that has weight in the sum is not known.

    Raises:
        ValueError: arrays of other shapes.
    """
    values, status = _sample(flow, points)
    return values, status == 0


def sample_flow_file(
    path: Path | str, points: npt.ArrayLike, expected_size: tuple[int, int] | None = None
) -> tuple[npt.NDArray[np.float64], Mask]:
    """Interpolate the flow in a file at points (N, 2), as `sample_flow` does.

    Of a `.flo` file only header, length and the pixels that are used are read and checked, which makes this
    far quicker than `read_flow`; a value that is not finite elsewhere in the file is not seen.

    Raises:
        DataError: as `read_flow`; a value that is used is not finite.
    """
    is_flo = str(path).lower().endswith(".flo")
    flow = map_flo(path, expected_size) if is_flo else read_flow(path, expected_size)
    values, status = _sample(flow, points)
    if (status == _NOT_FINITE).any():
        x, y = np.asarray(points)[int((status == _NOT_FINITE).argmax())]
        raise DataError(path, f"flow values are NaN or infinite near x = {x:g}, y = {y:g}", fault="not finite")
    return values, status == 0


def _sample(flow: npt.NDArray[Any], points: npt.ArrayLike) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.uint8]]:
    flow = np.asarray(flow)
    positions = np.ascontiguousarray(points, dtype=np.float64)
    if flow.ndim != 3 or flow.shape[2] != 2 or positions.ndim != 2 or positions.shape[1] != 2:
        raise ValueError(f"expected a flow (H, W, 2) and points (N, 2), got {flow.shape} and {positions.shape}")
    values = np.empty(positions.shape, np.float64)
    status = np.empty(len(positions), np.uint8)
    _bilinear(flow, positions, values, status)
    return values, status


@numba.njit(cache=True)
def _bilinear(
    flow: npt.NDArray[Any],
    points: npt.NDArray[np.float64],
    values: npt.NDArray[np.float64],
    status: npt.NDArray[np.uint8],
) -> None:
    height, width = flow.shape[:2]
    for i in range(len(points)):
        x, y = points[i, 0], points[i, 1]
        values[i] = np.nan
        if not (0 <= x <= width - 1 and 0 <= y <= height - 1):
            status[i] = _OUTSIDE
            continue
        left, top = int(x), int(y)
        right_weight, bottom_weight = x - left, y - top
        u_sum = v_sum = 0.0
        worst = 0
        for row, row_weight in ((top, 1 - bottom_weight), (top + 1, bottom_weight)):
            for column, column_weight in ((left, 1 - right_weight), (left + 1, right_weight)):
                weight = row_weight * column_weight
                # A neighbour without weight may lie outside of the flow or be unknown.
                if row_weight == 0 or column_weight == 0:
                    continue
                u, v = flow[row, column, 0], flow[row, column, 1]
                if not (np.isfinite(u) and np.isfinite(v)):
                    worst = _NOT_FINITE
                elif abs(u) >= UNKNOWN_THRESHOLD or abs(v) >= UNKNOWN_THRESHOLD:
                    worst = max(worst, _UNKNOWN)
                u_sum += weight * u
                v_sum += weight * v
        status[i] = worst
        if worst == 0:
            values[i, 0], values[i, 1] = u_sum, v_sum
