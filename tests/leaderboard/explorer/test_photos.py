"""A visitor's photos: both made smaller alike, and every hostile one refused in one line that names it."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from ffbench.errors import DataError
from ffbench.leaderboard.explorer import photos


def encoded(width: int, height: int, form: str = "PNG", mode: str = "RGB") -> bytes:
    content = io.BytesIO()
    Image.effect_noise((width, height), 60).convert(mode).save(content, format=form)
    return content.getvalue()


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_that_claims(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000)))


def test_large_photos_are_made_smaller_by_one_factor() -> None:
    pair, factor = photos.photo_pair(("a.jpg", encoded(1000, 500, "JPEG")), ("b.png", encoded(1000, 500)))
    assert pair.image1.shape == pair.image2.shape == (photos.MAX_SIDE // 2, photos.MAX_SIDE, 3)
    assert factor == photos.MAX_SIDE / 1000


def test_small_photos_keep_every_pixel() -> None:
    content = encoded(40, 30)
    pair, factor = photos.photo_pair(("a.png", content), ("b.png", content))
    assert factor == 1
    np.testing.assert_array_equal(pair.image1, np.asarray(Image.open(io.BytesIO(content)).convert("RGB")))


def test_a_long_thin_photo_keeps_a_pixel() -> None:
    pair, _ = photos.photo_pair(("a.png", encoded(4000, 1)), ("b.png", encoded(4000, 1)))
    assert pair.image1.shape == (1, photos.MAX_SIDE, 3)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not an image"),
        (b"\x80\x04\x95cposix\nsystem\n.", "not an image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "not an image"),
        (encoded(40, 30, "GIF", "L"), "not an image"),
        (encoded(40, 30)[:200], "damaged or truncated"),
        (encoded(40, 30, "TIFF", "F"), "floating-point"),
        (png_that_claims(100_000, 100_000), "at most"),
        (png_that_claims(8000, 7000), "at most 50000000 pixels"),
        (png_that_claims(40, 30), "damaged or truncated"),
        (encoded(41, 30), "is 41 x 30 pixels, expected 40 x 30 as good.png"),
        (bytes(photos.MAX_MEGABYTES * 2**20 + 1), "at most 20 MB"),
    ],
    ids=["empty", "pickle", "svg", "gif", "cut", "float", "bomb", "large", "short", "other size", "heavy"],
)
def test_a_hostile_photo_is_refused_by_its_name(content: bytes, said: str) -> None:
    with pytest.raises(DataError, match=said) as error:
        photos.photo_pair(("good.png", encoded(40, 30)), ("../<b>evil.png", content))
    assert str(error.value).startswith("../<b>evil.png: ")
    assert "ffbench-photo" not in str(error.value)
