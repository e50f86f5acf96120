"""What every flow must satisfy, whatever the file format."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ffbench.errors import DataError, reading
from ffbench.io.archives.archive import Member
from ffbench.io.archives.member_path import DatasetPath
from ffbench.typing import FlowField as FlowField
from ffbench.typing import Mask as Mask

FlowFile: TypeAlias = DatasetPath | Member
"""Where a flow is read: a file, or one in an archive."""

UNKNOWN = 1e10
"""Marks a pixel whose flow is not known (Middlebury: any component of 1e9 or more does; Spring's tools write NaN)."""
UNKNOWN_THRESHOLD = 1e9
MAX_SIDE = 16_384
"""Longest side of a flow, in pixels, that is read or written."""
MAX_PIXELS = 2**26


def is_known(flow: npt.NDArray[Any]) -> Mask:
    """Tell which pixels of a flow (H, W, 2) are known: both components finite and below 1e9 in size."""
    # A comparison with NaN is false, so NaN counts as unknown.
    known: Mask = (np.abs(flow) < UNKNOWN_THRESHOLD).all(axis=-1)
    return known


def check_array(path: Path | str, flow: npt.ArrayLike) -> FlowField:
    """Return a flow that is to be written to `path` as (H, W, 2) float32.

    Raises:
        DataError: wrong shape or type, too large, or values that are not finite.
    """
    array = np.asarray(flow)
    if array.ndim != 3 or array.shape[2] != 2 or array.dtype.kind not in "fiu":
        raise DataError(path, f"a flow must be (H, W, 2) numbers, got {array.shape} {array.dtype}")
    check_dimensions(path, array.shape[1], array.shape[0])
    with np.errstate(over="ignore"):  # a float64 beyond float32 becomes inf, which check_values reports
        array = np.ascontiguousarray(array, dtype=np.float32)
    try:
        check_values(path, array)
    except DataError as error:
        raise error.plus(f"; mark pixels whose flow is not known by {UNKNOWN:g}") from error
    return array


def check_dimensions(path: FlowFile | str, width: int, height: int) -> None:
    """Raise DataError unless width and height are positive and of a size that flows have."""
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE and width * height <= MAX_PIXELS):
        raise DataError(
            path,
            f"flow of {width} x {height} pixels, expected sides of 1 to {MAX_SIDE} "
            f"and at most {MAX_PIXELS} pixels: the header is damaged or this is not a flow",
        )


def check_size(path: FlowFile | str, size: tuple[int, int], expected: tuple[int, int] | None) -> None:
    """Raise DataError unless `size` is the `expected` (H, W); None expects nothing."""
    if expected is None or size == tuple(expected):
        return
    transposed = ": transposed?" if size == tuple(expected)[::-1] else ""
    raise DataError(
        path,
        f"flow is {size[1]} x {size[0]} (width x height), expected {expected[1]} x {expected[0]}{transposed}",
        fault="wrong size",
    )


def check_values(path: FlowFile | str, flow: FlowField) -> None:
    """Raise DataError if a flow (H, W, 2) has values that are not finite."""
    finite = np.isfinite(flow)
    if not finite.all():
        row, column, _ = np.unravel_index(int(finite.argmin()), finite.shape)
        raise DataError(
            path,
            f"{np.count_nonzero(~finite)} flow values are NaN or infinite (first at row {row}, column {column})",
            fault="not finite",
        )


def checked_values(path: FlowFile | str, flow: FlowField, *, truth: bool) -> FlowField:
    """Refuse values of a prediction that are not finite; in a true flow they mark pixels that are not known.

    Returns:
        `flow` itself (H, W, 2); in a true flow both components of every pixel that is not known are `UNKNOWN` now.

    Raises:
        DataError: a prediction has values that are not finite.
    """
    if not truth:
        check_values(path, flow)
    elif not (known := is_known(flow)).all():
        flow[~known] = UNKNOWN
    return flow


def reading_flow(path: FlowFile | str) -> contextlib.AbstractContextManager[None]:
    """Turn an operating system's error while the flow at `path` is read into a DataError that names it.

    Raises:
        DataError: the body raised an OSError.
    """
    return reading(path, missing="no such file", folder="is a folder, expected a flow file")
