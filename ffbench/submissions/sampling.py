"""Every n-th pixel of a flow in half precision: what a bundle keeps, and the flow that the scorer makes of it."""

from __future__ import annotations

import hashlib
import zlib

import numpy as np
import numpy.typing as npt

from ffbench.flow.checks import FlowField, Mask

MAX_STEP = 32
MAX_HALF = 65504.0
"""Largest displacement of a component, in pixels, that half precision holds."""
_LEVEL = 6
_ZLIB_OVERHEAD = 64

HalfSamples = npt.NDArray[np.float16]


def offset(challenge: str, key: str, size: tuple[int, int], step: int) -> tuple[int, int]:
    """Return the (row, column) of a pair's first sample: a hash of challenge and key, so that none is preferred."""
    digest = hashlib.sha256(f"{challenge}\0{key}".encode()).digest()
    row, column = int.from_bytes(digest[:8], "big"), int.from_bytes(digest[8:16], "big")
    return row % min(step, size[0]), column % min(step, size[1])


def grid_shape(size: tuple[int, int], first: tuple[int, int], step: int) -> tuple[int, int]:
    """Return (rows, columns) of the samples in an image of (H, W) pixels."""
    return -(-(size[0] - first[0]) // step), -(-(size[1] - first[1]) // step)


def sampled_pixels(size: tuple[int, int], first: tuple[int, int], step: int) -> Mask:
    """Mark the sampled pixels of an image of (H, W) pixels."""
    mask = np.zeros(size, np.bool_)
    mask[first[0] :: step, first[1] :: step] = True
    return mask


def take(flow: FlowField, first: tuple[int, int], step: int) -> HalfSamples:
    """Take the samples (rows, columns, 2) of a flow (H, W, 2), rounded to half precision."""
    return flow[first[0] :: step, first[1] :: step].astype(np.float16)


def fill(samples: HalfSamples, size: tuple[int, int], first: tuple[int, int], step: int) -> FlowField:
    """Make a flow (H, W, 2) of its samples: exact at sampled pixels, bilinear between them, constant beyond them."""
    rows, row_weights = _neighbors(size[0], first[0], step, samples.shape[0])
    columns, column_weights = _neighbors(size[1], first[1], step, samples.shape[1])
    values = samples.astype(np.float32)
    wide = values[:, columns[0]] * (1 - column_weights)[:, None] + values[:, columns[1]] * column_weights[:, None]
    filled = wide[rows[0]] * (1 - row_weights)[:, None, None] + wide[rows[1]] * row_weights[:, None, None]
    return np.ascontiguousarray(filled, np.float32)


def _neighbors(
    length: int, first: int, step: int, count: int
) -> tuple[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]], npt.NDArray[np.float32]]:
    """Give, for each pixel of a line, the samples before and after it and the weight of the one after."""
    place = np.clip((np.arange(length) - first) / step, 0, count - 1)
    before = np.floor(place).astype(np.intp)
    after = np.minimum(before + 1, count - 1)
    return (before, after), (place - before).astype(np.float32)


def packed_bytes_allowed(size: tuple[int, int], step: int) -> int:
    """Return the most bytes that the packed samples of a flow of (H, W) pixels may take."""
    raw = 4 * -(-size[0] // step) * -(-size[1] // step)
    return raw + raw // 512 + _ZLIB_OVERHEAD


def pack(samples: HalfSamples) -> bytes:
    """Compress samples: differences along rows, low bytes apart from high ones, zlib."""
    planes = np.ascontiguousarray(samples.transpose(2, 0, 1)).view(np.uint16)
    # Differences of the bit patterns, modulo 2^16: small where a flow is smooth, and exact.
    steps = np.diff(planes, axis=2, prepend=np.uint16(0)).astype("<u2")
    return zlib.compress(np.ascontiguousarray(steps.view(np.uint8).reshape(-1, 2).T).tobytes(), _LEVEL)


def unpack(content: bytes, shape: tuple[int, int]) -> HalfSamples:
    """Undo `pack` for samples of (rows, columns), in memory that `shape` bounds.

    Raises:
        ValueError: the content is not what `pack` makes of samples of this shape.
    """
    count = 4 * shape[0] * shape[1]
    stream = zlib.decompressobj()
    try:
        raw = stream.decompress(content, count + 1)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    if len(raw) != count or not stream.eof or stream.unused_data:
        raise ValueError(f"it does not hold {shape[0]} x {shape[1]} samples")
    steps = np.frombuffer(raw, np.uint8).reshape(2, -1).T
    planes = np.ascontiguousarray(steps).view("<u2").reshape(2, *shape).astype(np.uint16)
    bits = np.add.accumulate(planes, axis=2, dtype=np.uint16)
    return np.ascontiguousarray(bits.view(np.float16).transpose(1, 2, 0))
