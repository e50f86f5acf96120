from __future__ import annotations

import struct
import tracemalloc
import zlib
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffbench.errors import DataError
from ffbench.flow.checks import UNKNOWN, is_known
from ffbench.flow.files import read_flow, read_flow_valid, write_flow
from ffbench.flow.formats.kitti import read_kitti
from tests.flow.strategies import examples, flows

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    return SIGNATURE + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )


def header(width: int = 2, height: int = 1, depth: int = 16, color: int = 2, interlace: int = 0) -> tuple[bytes, bytes]:
    return b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, interlace)


def pixels(rows: bytes) -> tuple[bytes, bytes]:
    return b"IDAT", zlib.compress(rows)


END = (b"IEND", b"")
# Filter 0, then R, G, B of two pixels: (1, -2) px, and one that is not valid.
ROW = struct.pack(">B6H", 0, 2**15 + 64, 2**15 - 128, 1, 5, 6, 0)


def test_reads_the_format_as_defined(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(header(), pixels(ROW), END))
    flow, valid = read_flow_valid(tmp_path / "a.png", (1, 2))
    np.testing.assert_array_equal(flow, np.array([[[1, -2], [UNKNOWN, UNKNOWN]]], np.float32))
    np.testing.assert_array_equal(valid, [[True, False]])


def test_writes_the_format_as_defined(tmp_path: Path) -> None:
    flow = np.array([[[-512, 511.984375], [1e10, 0]], [[0.5, -0.25], [0, 0]]], np.float32)
    write_flow(tmp_path / "a.png", flow)
    bgr = cv2.imread(str(tmp_path / "a.png"), cv2.IMREAD_UNCHANGED)
    assert bgr.dtype == np.uint16
    expected = [[[0, 65535, 1], [0, 0, 0]], [[32800, 32752, 1], [32768, 32768, 1]]]
    np.testing.assert_array_equal(bgr[:, :, ::-1], expected)


@given(flow=flows(limit=511.984375))
@examples(50)
def test_round_trip_within_half_a_step(tmp_path_factory: pytest.TempPathFactory, flow: np.ndarray) -> None:
    flow[::2, ::3] = UNKNOWN
    path = tmp_path_factory.mktemp("png") / "a.png"
    write_flow(path, flow)
    back = read_flow(path)
    known = is_known(flow)
    np.testing.assert_array_equal(is_known(back), known)
    assert np.abs(back - flow)[known].max(initial=0) <= 1 / 128
    write_flow(path, back)
    np.testing.assert_array_equal(read_flow(path), back)


def test_values_beyond_the_format_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a\.png: a KITTI PNG holds -512 to 511\.98 px"):
        write_flow(tmp_path / "a.png", np.full((2, 2, 2), 512, np.float32))
    assert not list(tmp_path.iterdir())


GOOD = png(header(), pixels(ROW), END)
BAD = {
    "empty": (b"", "is not a PNG"),
    "a .flo file": (b"PIEH" + GOOD[4:], "is not a PNG"),
    "cut in a chunk": (GOOD[:40], "cut short at byte 40"),
    "no end": (GOOD[:-12], "cut short at byte"),
    "trailing": (GOOD + b"12345", "5 bytes too many after the end"),
    "checksum": (GOOD[:20] + b"\x01" + GOOD[21:], "checksum of the chunk at byte 8"),
    "8 bits": (png(header(depth=8), pixels(ROW), END), "PNG of 8 bits and color type 2, expected 16 bits"),
    "grey": (png(header(color=0), pixels(ROW), END), "PNG of 16 bits and color type 0"),
    "interlaced": (png(header(interlace=1), pixels(ROW), END), "interlaced"),
    "two headers": (png(header(), header(), pixels(ROW), END), "does not start with its header, or has two"),
    "no header": (png(pixels(ROW), END), "does not start with its header"),
    "short header": (png((b"IHDR", b"abc"), pixels(ROW), END), "header has 3 bytes"),
    "huge": (png(header(2**31 - 1, 2**31 - 1), pixels(ROW), END), "2147483647 x 2147483647 pixels"),
    "zero": (png(header(0, 1), pixels(b""), END), "0 x 1 pixels"),
    "rows missing": (png(header(2, 2), pixels(ROW), END), "not those of 2 x 2"),
    "rows too many": (png(header(), pixels(ROW + ROW), END), "not those of 2 x 1"),
    "no pixels": (png(header(), END), "not those of 2 x 1"),
    "stream cut": (png(header(), (b"IDAT", zlib.compress(ROW)[:-3]), END), "not those of 2 x 1"),
    "stream damaged": (png(header(), (b"IDAT", b"abcdefgh"), END), "pixels are damaged"),
    "stream too long": (png(header(), (b"IDAT", zlib.compress(ROW) + b"x"), END), "not those of 2 x 1"),
    "filter": (png(header(), pixels(b"\x05" + ROW[1:]), END), "unknown row filter"),
}


@pytest.mark.parametrize("case", BAD)
def test_damage_is_named(tmp_path: Path, case: str) -> None:
    path = tmp_path / "bad.png"
    data, message = BAD[case]
    path.write_bytes(data)
    with pytest.raises(DataError) as error:
        read_kitti(path)
    assert str(error.value).startswith(f"{path}: ")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_transposed(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(GOOD)
    with pytest.raises(DataError, match=r"flow is 2 x 1 \(width x height\), expected 1 x 2: transposed\?"):
        read_kitti(tmp_path / "a.png", (2, 1))


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png(header(), pixels(bytes(50_000_000)), END))
    tracemalloc.start()
    with pytest.raises(DataError, match="not those of 2 x 1"):
        read_kitti(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


def test_chunks_of_text_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(header(), (b"tEXt", b"a\0b"), pixels(ROW), END))
    np.testing.assert_array_equal(read_kitti(tmp_path / "a.png")[0, 0], [1, -2])


@given(position=st.integers(0, len(GOOD) - 1), byte=st.integers(0, 255), cut=st.integers(-8, 8))
@examples(200)
def test_damage_is_never_accepted(tmp_path_factory: pytest.TempPathFactory, position: int, byte: int, cut: int) -> None:
    data = bytearray(GOOD)
    data[position] = byte
    mutated = bytes(data[:cut] if cut < 0 else data + bytes(cut))
    path = tmp_path_factory.mktemp("png") / "bad.png"
    path.write_bytes(mutated)
    if mutated == GOOD:
        assert read_kitti(path).shape == (1, 2, 2)
    else:
        with pytest.raises(DataError, match=r"bad\.png: "):
            read_kitti(path)


def filtered_with(kind: int, pixels: npt.NDArray[np.uint16]) -> bytes:
    """Return (H, W, 3) pixels with one filter for all rows, byte by byte as the PNG specification has it."""
    raw = pixels.astype(">u2").view(np.uint8).reshape(len(pixels), -1).astype(int)
    rows = bytearray()
    for y in range(len(raw)):
        rows.append(kind)
        for x in range(raw.shape[1]):
            left = raw[y, x - 6] if x >= 6 else 0
            up = raw[y - 1, x] if y else 0
            corner = raw[y - 1, x - 6] if y and x >= 6 else 0
            plane = left + up - corner
            paeth = min((left, up, corner), key=lambda neighbor: abs(plane - neighbor))
            rows.append((raw[y, x] - (0, left, up, (left + up) // 2, paeth)[kind]) % 256)
    return bytes(rows)


@pytest.mark.parametrize("kind", range(5))
def test_every_row_filter_of_png_is_undone(tmp_path: Path, kind: int) -> None:
    pixels = np.random.default_rng(kind).integers(0, 2**16, (5, 7, 3)).astype(np.uint16)
    pixels[:, :, 2] = 1
    path = tmp_path / "a.png"
    content = zlib.compress(filtered_with(kind, pixels))
    path.write_bytes(png(header(7, 5), (b"IDAT", content), (b"IEND", b"")))
    assert np.array_equal(cv2.imread(str(path), cv2.IMREAD_UNCHANGED)[:, :, ::-1], pixels)
    assert np.array_equal(read_kitti(path), (pixels[:, :, :2].astype(np.float32) - 2**15) / 64)
