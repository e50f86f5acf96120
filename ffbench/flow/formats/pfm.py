"""`.pfm`, portable float map: text header, then three float32 a pixel (x, y, unused), the lowest row first.

Format: Debevec, "PFM Portable FloatMap Image Format"; flows of three channels as FlyingThings3D has them (Mayer et al.,
CVPR 2016). A negative scale in the header means little-endian; its size is passed over, as other readers do.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from ffbench.errors import DataError
from ffbench.flow.checks import MAX_PIXELS, FlowField, FlowFile, check_dimensions, check_size, checked_values
from ffbench.io.bounds import read_bounded

_NUMBER = rb"[-+]?[0-9]{0,9}\.?[0-9]{0,9}(?:[eE][-+]?[0-9]{1,3})?"
_HEADER = re.compile(rb"(P[Ff])\s+([0-9]{1,9})\s+([0-9]{1,9})\s+(" + _NUMBER + rb")\s")
_HEADER_BYTES = 128
_CHANNELS = 3


def read_pfm(path: FlowFile | str, expected_size: tuple[int, int] | None = None, *, truth: bool = False) -> FlowField:
    """Read a `.pfm` file of three channels as (H, W, 2) float32 in pixels.

    Args:
        path: the file.
        expected_size: (H, W) that the flow must have.
        truth: whether it is a true flow, in which values that are not finite mark pixels that are not known.

    Raises:
        DataError: not such a file, of a wrong length or size, or a prediction with values that are not finite.
    """
    path = Path(path) if isinstance(path, str) else path
    pixels = MAX_PIXELS if expected_size is None else expected_size[0] * expected_size[1]
    most = 4 * _CHANNELS * pixels + _HEADER_BYTES
    content = read_bounded(path, most, f"{{size}} bytes, expected at most {most} for a flow", missing="no such file")
    header = _HEADER.match(content[:_HEADER_BYTES])
    if header is None:
        raise DataError(path, f"starts with {content[:8]!r}, expected the header of a .pfm", fault="wrong format")
    kind, width, height = header[1], int(header[2]), int(header[3])
    try:
        scale = float(header[4])
    except ValueError:
        scale = 0.0
    if kind != b"PF":
        raise DataError(path, "has one channel (Pf), expected three (PF): x, y and an unused one", fault="wrong format")
    if not (scale < 0 or scale > 0):
        raise DataError(path, f"the header's scale is {header[4]!r}, expected -1 or 1", fault="damaged")
    check_dimensions(path, width, height)
    check_size(path, (height, width), expected_size)
    body, expected = len(content) - header.end(), 4 * _CHANNELS * width * height
    if body != expected:
        raise DataError(
            path,
            f"{body} bytes after the header, expected {expected} for {width} x {height} pixels",
            fault="truncated" if body < expected else "damaged",
        )
    values = np.frombuffer(content, "<f4" if scale < 0 else ">f4", offset=header.end())
    rows = values.reshape(height, width, _CHANNELS)[::-1, :, :2]
    return checked_values(path, np.array(rows, np.float32, order="C"), truth=truth)
