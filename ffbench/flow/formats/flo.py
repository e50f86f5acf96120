"""Middlebury `.flo`: 'PIEH', int32 width and height, then float32 (u, v) by rows; all little-endian.

Format: Baker et al., A Database and Evaluation Methodology for Optical Flow, IJCV 2011.
"""

from __future__ import annotations

import mmap
import os
import struct
from pathlib import Path

import numpy as np

from ffbench.errors import DataError
from ffbench.flow.checks import FlowFile, check_dimensions, check_size, checked_values, reading_flow
from ffbench.typing import FlowField

MAGIC = b"PIEH"  # the bytes of float32 202021.25
HEADER = struct.Struct("<4sii")


def read_flo(path: FlowFile | str, expected_size: tuple[int, int] | None = None, *, truth: bool = False) -> FlowField:
    """Read a `.flo` file as (H, W, 2) float32 in pixels.

    Args:
        path: the file.
        expected_size: (H, W) that the flow must have.
        truth: whether it is a true flow, in which values that are not finite mark pixels that are not known.

    Raises:
        DataError: not a `.flo` file, of a wrong length or size, or a prediction with values that are not finite.
    """
    path = Path(path) if isinstance(path, str) else path
    with reading_flow(path), path.open("rb") as file:
        length = path.stat().st_size
        height, width = _parse_header(path, file.read(HEADER.size), length)
        check_size(path, (height, width), expected_size)
        # Reads no more than the length that was just checked, also if the file has grown since.
        values = np.empty(height * width * 2, "<f4")
        count = file.readinto(values.view(np.uint8).data)  # type: ignore[attr-defined]
    if count != values.nbytes:
        raise DataError(path, "became shorter while it was read", fault="truncated")
    flow = values.astype(np.float32, copy=False).reshape(height, width, 2)
    return checked_values(path, flow, truth=truth)


def map_flo(path: Path | str, expected_size: tuple[int, int] | None = None) -> FlowField:
    """Map a `.flo` file into memory as a read-only (H, W, 2) array; pixels are read when they are used.

    Header and length are checked as in `read_flo`. The values are not: that would read the whole file.
    As with any memory map, the process dies if another one cuts the file short while it is in use.

    Raises:
        DataError: not a `.flo` file, or of a wrong length or size.
    """
    with reading_flow(path):
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        try:
            length = os.fstat(handle).st_size
            height, width = _parse_header(path, os.read(handle, HEADER.size), length)
            check_size(path, (height, width), expected_size)
            content = mmap.mmap(handle, length, access=mmap.ACCESS_READ)
        finally:
            os.close(handle)
    flow: FlowField = np.ndarray((height, width, 2), "<f4", content, HEADER.size)
    return flow


def write_flo(path: Path | str, flow: FlowField) -> None:
    """Write a flow (H, W, 2) float32 as `.flo`, in place: `write_flow` checks it and writes atomically."""
    with open(path, "wb") as file:
        file.write(HEADER.pack(MAGIC, flow.shape[1], flow.shape[0]))
        flow.astype("<f4", copy=False).tofile(file)


def encode_flo(flow: FlowField) -> bytes:
    """Return a flow (H, W, 2) as the content of a `.flo` file."""
    return HEADER.pack(MAGIC, flow.shape[1], flow.shape[0]) + flow.astype("<f4", copy=False).tobytes()


def _parse_header(path: FlowFile | str, header: bytes, length: int) -> tuple[int, int]:
    """Check the header against the length of the file and give (H, W)."""
    if len(header) < HEADER.size:
        raise DataError(
            path, f"{length} bytes, expected at least {HEADER.size}: not a .flo file or cut short", fault="truncated"
        )
    magic, width, height = HEADER.unpack(header)
    if magic == MAGIC[::-1]:
        raise DataError(path, "the bytes are swapped (big-endian); a .flo file is little-endian", fault="wrong format")
    if magic != MAGIC:
        raise DataError(path, f"starts with {magic!r}, expected {MAGIC!r}: not a .flo file", fault="wrong format")
    check_dimensions(path, width, height)
    expected = HEADER.size + 8 * width * height
    if length != expected:
        short = length < expected
        found = "cut short" if short else f"{length - expected} bytes too many"
        raise DataError(
            path,
            f"{length} bytes, expected {expected} for {width} x {height} pixels: {found}",
            fault="truncated" if short else "damaged",
        )
    return height, width
