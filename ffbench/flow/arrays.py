"""Flows in files that hold arrays of any shape: numpy's `.npy` and MATLAB's `.mat`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ffbench.errors import DataError
from ffbench.flow.checks import MAX_PIXELS, FlowField, FlowFile, check_dimensions, check_size, checked_values
from ffbench.formats.mat import MatVariable, read_mat
from ffbench.formats.npy import read_npy
from ffbench.io.bounds import MAX_RATIO, SMALL_BYTES, read_bounded

_LARGEST_PIXEL = 16
"""Bytes: two float64."""
_MORE_BYTES = 2**16
"""For headers, and small variables beside a flow."""
_EXPECTED = "expected (H, W, 2) float32, x to the right and y down in px"
_LISTED = 5


def read_npy_flow(
    path: FlowFile | str, expected_size: tuple[int, int] | None = None, *, truth: bool = False
) -> FlowField:
    """Read a `.npy` file of (H, W, 2) or (2, H, W) floating-point numbers as (H, W, 2) float32 in pixels.

    Args:
        path: the file.
        expected_size: (H, W) that the flow must have.
        truth: whether it is a true flow, in which values that are not finite mark pixels that are not known.

    Raises:
        DataError: not such a file, pickled objects, cut short, of another size, or a prediction with values that are
            not finite.
    """
    path = Path(path) if isinstance(path, str) else path
    content = _content(path, expected_size)
    try:
        array = read_npy(content, kinds="biuf")
    except ValueError as error:
        raise DataError(path, f"is not a sound .npy file of numbers ({error}); {_EXPECTED}", fault="damaged") from error
    return _as_flow(path, array, str(array.dtype), expected_size, truth)


def read_mat_flow(
    path: FlowFile | str, expected_size: tuple[int, int] | None = None, *, truth: bool = False
) -> FlowField:
    """Read a `.mat` file of version 5 as (H, W, 2) float32 in pixels.

    The flow is the variable `flow`, or the only one of three axes with two layers, or `u` and `v` of two axes each;
    double or single.

    Args:
        path: the file.
        expected_size: (H, W) that the flow must have.
        truth: whether it is a true flow, in which values that are not finite mark pixels that are not known.

    Raises:
        DataError: another version, damaged, no such variable, of another size, or a prediction with values that are
            not finite.
    """
    path = Path(path) if isinstance(path, str) else path
    content = _content(path, expected_size)
    most = _most_bytes(expected_size)
    if expected_size is None:  # then a file may grow as far as is believed of any
        most = min(most, max(SMALL_BYTES, MAX_RATIO * len(content)))
    try:
        variables = read_mat(content, most)
    except ValueError as error:
        raise DataError(path, str(error), fault="damaged") from error
    named = {variable.name: variable for variable in variables}
    layered = [variable for variable in variables if _is_layered(variable)]
    if (only := named.get("flow")) is not None and only.values is not None:
        layered = [only]
    if len(layered) == 1:
        values = layered[0].values
        assert values is not None
        return _as_flow(path, values, layered[0].kind, expected_size, truth)
    u, v = named.get("u"), named.get("v")
    if u is not None and v is not None and u.values is not None and v.values is not None and u.shape == v.shape:
        kind = u.kind if u.kind == v.kind else f"{u.kind} and {v.kind}"
        return _as_flow(path, np.stack([u.values, v.values], axis=-1), kind, expected_size, truth)
    listed = ", ".join(map(str, variables[:_LISTED])) + (", ..." if len(variables) > _LISTED else "") or "nothing"
    raise DataError(path, f"holds {listed}; expected one H x W x 2 array of doubles or singles, named `flow`")


def _is_layered(variable: MatVariable) -> bool:
    return variable.values is not None and len(variable.shape) == 3 and 2 in (variable.shape[0], variable.shape[2])


def _most_bytes(size: tuple[int, int] | None) -> int:
    pixels = MAX_PIXELS if size is None else size[0] * size[1]
    return _LARGEST_PIXEL * pixels + _MORE_BYTES


def _content(path: FlowFile, size: tuple[int, int] | None) -> bytes:
    most = _most_bytes(size)
    return read_bounded(path, most, f"{{size}} bytes, expected at most {most} for a flow", missing="no such file")


def _as_flow(
    path: FlowFile, array: npt.NDArray[Any], kind: str, expected_size: tuple[int, int] | None, truth: bool
) -> FlowField:
    """Return the array of a file as (H, W, 2) float32; axes of length 1 in front are left out."""
    shape = array.shape
    while array.ndim > 3 and array.shape[0] == 1:
        array = array[0]
    if array.ndim == 3 and array.shape[2] != 2 and array.shape[0] == 2:
        array = array.transpose(1, 2, 0)
    if array.ndim == 3 and array.shape[2] in (3, 4):
        raise DataError(
            path,
            f"has shape {shape}, {array.shape[2]} channels: a picture of the flow in colors? {_EXPECTED}",
            fault="wrong format",
        )
    if array.ndim != 3 or array.shape[2] != 2:
        raise DataError(path, f"has shape {shape}, {_EXPECTED}", fault="wrong size")
    if array.dtype.kind != "f" and kind not in ("double", "single"):
        raise DataError(path, f"holds {kind} numbers, which round a flow; {_EXPECTED}", fault="wrong format")
    check_dimensions(path, array.shape[1], array.shape[0])
    check_size(path, array.shape[:2], expected_size)
    with np.errstate(over="ignore"):  # beyond float32 it becomes inf, which is reported
        flow: FlowField = np.array(array, np.float32, order="C")
    return checked_values(path, flow, truth=truth)
