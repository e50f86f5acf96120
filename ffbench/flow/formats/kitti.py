"""KITTI's flow PNG: 16-bit RGB with u = (R - 2^15) / 64, v = (G - 2^15) / 64, and B > 0 where it is valid.

Format: KITTI optical flow development kit 2015. Values lie in [-512, 511.98] px, 1/64 px apart.
"""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numba
import numpy as np
import numpy.typing as npt

from ffbench.errors import DataError
from ffbench.flow.checks import MAX_PIXELS, UNKNOWN, FlowFile, check_dimensions, check_size, is_known, reading_flow
from ffbench.io.bounds import CutShortError, inflated, refuse_bomb
from ffbench.typing import FlowField

SIGNATURE = b"\x89PNG\r\n\x1a\n"
STEPS_PER_PIXEL = 64
ZERO = 2**15
_DEPTH, _RGB = 16, 2
_PIXEL_BYTES = 6
_COMPRESSION = 6
# Noise compresses by less than nothing: 6 bytes a pixel, and some for filters and chunk headers.
MAX_FILE_BYTES = 8 * MAX_PIXELS


def read_kitti(path: FlowFile | str, expected_size: tuple[int, int] | None = None) -> FlowField:
    """Read a KITTI flow PNG as (H, W, 2) float32 in pixels; pixels that are not valid hold `UNKNOWN`.

    Raises:
        DataError: not a 16-bit RGB PNG, damaged, or of a wrong size.
    """
    path = Path(path) if isinstance(path, str) else path
    with reading_flow(path), path.open("rb") as file:
        length = path.stat().st_size
        if length > MAX_FILE_BYTES:
            raise DataError(path, f"{length} bytes, expected at most {MAX_FILE_BYTES} for a flow PNG")
        content = file.read(length)
    header, data = _split_png(path, content)
    del content  # of noise it is as large as what is made of it
    height, width = _parse_header(path, header)
    check_size(path, (height, width), expected_size)
    if expected_size is None:
        refuse_bomb(path, length, 8 * height * width)
    _check_pixels(path, data, height, width)
    rgb = _unfiltered(zlib.decompress(data), height, width)
    del data
    flow: FlowField = rgb[:, :, :2].astype(np.float32)
    flow -= ZERO
    flow /= STEPS_PER_PIXEL
    flow[rgb[:, :, 2] == 0] = UNKNOWN
    return flow


def encode_kitti(path: Path | str, flow: FlowField) -> bytes:
    """Return a flow (H, W, 2) float32 as the content of a KITTI PNG; `path` only names it in errors.

    Values are rounded to 1/64 px, so they change by at most 1/128 px.

    Raises:
        DataError: a known value outside of [-512, 511.98] px.
    """
    known = is_known(flow)
    steps = np.rint(np.where(known[:, :, None], flow, 0) * STEPS_PER_PIXEL) + ZERO
    if steps.min() < 0 or steps.max() > 2**16 - 1:
        raise DataError(path, "a KITTI PNG holds -512 to 511.98 px, this flow goes beyond; write .flo")
    rgb = np.dstack((steps, known)).astype(">u2")
    rgb[~known] = 0
    height, width = known.shape
    header = struct.pack(">IIBBBBB", width, height, _DEPTH, _RGB, 0, 0, 0)
    data = zlib.compress(_filtered(rgb), _COMPRESSION)
    return SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _split_png(path: FlowFile, content: bytes) -> tuple[bytes, bytes]:
    """Walk the chunks of a PNG up to its very last byte and give the IHDR and the joined IDAT chunks."""
    if not content.startswith(SIGNATURE):
        raise DataError(path, "is not a PNG, expected a 16-bit RGB one (KITTI flow)", fault="wrong format")
    header, data = b"", []
    kind, offset = b"", len(SIGNATURE)
    while kind != b"IEND":
        if offset + 12 > len(content):
            raise DataError(path, f"the PNG is cut short at byte {len(content)}", fault="truncated")
        length, kind = struct.unpack_from(">I4s", content, offset)
        end = offset + 12 + length
        if end > len(content):
            raise DataError(path, f"the PNG is cut short at byte {len(content)}", fault="truncated")
        body = content[offset + 8 : end - 4]
        if zlib.crc32(body, zlib.crc32(kind)) != int.from_bytes(content[end - 4 : end], "big"):
            raise DataError(path, f"the PNG is damaged (checksum of the chunk at byte {offset})")
        if (kind == b"IHDR") != (offset == len(SIGNATURE)):
            raise DataError(path, "the PNG does not start with its header, or has two")
        if kind == b"IHDR":
            header = body
        elif kind == b"IDAT":
            data.append(body)
        offset = end
    if offset != len(content):
        raise DataError(path, f"{len(content) - offset} bytes too many after the end of the PNG")
    return header, b"".join(data)


def _parse_header(path: FlowFile, header: bytes) -> tuple[int, int]:
    if len(header) != 13:
        raise DataError(path, f"the PNG's header has {len(header)} bytes, expected 13")
    width, height, depth, color, compression, method, interlace = struct.unpack(">IIBBBBB", header)
    if (depth, color) != (_DEPTH, _RGB):
        picture = "; a picture of the flow in colors cannot be scored, write the flow itself" if depth == 8 else ""
        raise DataError(
            path,
            f"PNG of {depth} bits and color type {color}, expected 16 bits and 2 (RGB): not a KITTI flow{picture}",
            fault="wrong format",
        )
    if (compression, method, interlace) != (0, 0, 0):
        raise DataError(path, "the PNG is interlaced or its header damaged; write it without interlacing")
    check_dimensions(path, width, height)
    return height, width


def _check_pixels(path: FlowFile, data: bytes, height: int, width: int) -> None:
    """Check that the compressed data hold exactly the rows that the header states."""
    row_bytes = 1 + 6 * width
    wanted, place = height * row_bytes, 0
    try:
        for content in inflated(io.BytesIO(data), len(data)):
            # The first byte of each row names its filter.
            if max(content[-place % row_bytes :: row_bytes], default=0) > 4:
                raise DataError(path, "the PNG's pixels are damaged (unknown row filter)")
            place += len(content)
            if place > wanted:
                break
    except ValueError as error:
        raise DataError(
            path,
            f"the PNG's pixels are damaged or not those of {width} x {height}, the data {error}",
            fault="truncated" if isinstance(error, CutShortError) else "damaged",
        ) from error
    if place != wanted:
        raise DataError(path, f"the PNG's pixels are not those of {width} x {height}, as its header states")


def _unfiltered(content: bytes, height: int, width: int) -> npt.NDArray[np.uint16]:
    """Undo the filter of each row, whose first byte names it; return (H, W, 3)."""
    rows = np.frombuffer(content, np.uint8).reshape(height, 1 + _PIXEL_BYTES * width)
    pixels = np.empty((height, _PIXEL_BYTES * width), np.uint8)
    _unfilter(rows, pixels)
    return pixels.view(">u2").reshape(height, width, 3)


# Compiled when the module is imported: the compiler ends a process that has little memory left.
@numba.njit(numba.void(numba.types.Array(numba.uint8, 2, "C", readonly=True), numba.uint8[:, ::1]), cache=True)
def _unfilter(rows: npt.NDArray[np.uint8], pixels: npt.NDArray[np.uint8]) -> None:
    """Add to each byte what its row's filter foretells: nothing, left, up, their mean, or Paeth's choice.

    PNG specification, third edition, section 9.2; bytes are counted modulo 256, those outside of the image are 0.
    """
    for y in range(rows.shape[0]):
        kind = rows[y, 0]
        for x in range(pixels.shape[1]):
            inside = x >= _PIXEL_BYTES
            left = np.int32(pixels[y, x - _PIXEL_BYTES]) if inside else np.int32(0)
            up = np.int32(pixels[y - 1, x]) if y else np.int32(0)
            guess = np.int32(0)
            if kind == 1:
                guess = left
            elif kind == 2:
                guess = up
            elif kind == 3:
                guess = (left + up) // 2
            elif kind == 4:
                corner = np.int32(pixels[y - 1, x - _PIXEL_BYTES]) if y and inside else np.int32(0)
                by_left, by_up, by_corner = abs(up - corner), abs(left - corner), abs(left + up - 2 * corner)
                guess = left if by_left <= by_up and by_left <= by_corner else up if by_up <= by_corner else corner
            pixels[y, x] = (rows[y, x + 1] + guess) & 255


def _filtered(pixels: npt.NDArray[np.uint16]) -> bytes:
    """Return (H, W, 3) big-endian pixels as rows of the filter `up`, which a smooth flow compresses well with."""
    height = len(pixels)
    rows = np.empty((height, 1 + pixels[0].nbytes), np.uint8)
    rows[:, 0] = 2
    flat = pixels.view(np.uint8).reshape(height, -1)
    rows[0, 1:] = flat[0]
    np.subtract(flat[1:], flat[:-1], out=rows[1:, 1:])
    return rows.tobytes()


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + zlib.crc32(body, zlib.crc32(kind)).to_bytes(4, "big")
