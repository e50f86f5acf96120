"""Images of every kind that datasets hold, and files that are not images."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps, PngImagePlugin

from ffbench.datasets.images import MAX_PIXELS, image_size, natural_key, read_image
from ffbench.errors import DataError

COLOR = np.random.default_rng(3).integers(0, 256, (7, 5, 3), np.uint8)


def save(path: Path, array: np.ndarray, **options: object) -> Path:
    Image.fromarray(array).save(path, **options)
    return path


def png_header(width: int, height: int) -> bytes:
    """A PNG that promises an image of this size and holds none of it."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    data = b"IDAT" + zlib.compress(b"\0" * 64)
    return b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", len(data) - 4) + data + struct.pack(">I", zlib.crc32(data))


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".ppm", ".tif"])
def test_lossless_color_comes_back_as_rgb(tmp_path: Path, suffix: str) -> None:
    image = read_image(save(tmp_path / f"a{suffix}", COLOR))
    assert image.dtype == np.uint8
    assert np.array_equal(image, COLOR)


def test_jpeg_keeps_the_order_of_channels(tmp_path: Path) -> None:
    orange = np.full((16, 16, 3), (250, 130, 10), np.uint8)
    assert np.abs(read_image(save(tmp_path / "a.jpg", orange)).astype(int) - orange).max() < 6


def test_grey_becomes_three_equal_channels(tmp_path: Path) -> None:
    grey = COLOR[..., 0]
    for suffix in (".png", ".pgm"):
        image = read_image(save(tmp_path / f"a{suffix}", grey))
        assert np.array_equal(image, np.repeat(grey[:, :, None], 3, axis=2))


def test_alpha_is_dropped_without_blending(tmp_path: Path) -> None:
    transparent = np.dstack([COLOR, np.zeros((7, 5), np.uint8)])
    assert np.array_equal(read_image(save(tmp_path / "a.png", transparent)), COLOR)
    grey_alpha = np.ascontiguousarray(transparent[..., [0, 3]])
    assert np.array_equal(read_image(save(tmp_path / "b.png", grey_alpha))[..., 2], COLOR[..., 0])


def test_palette_and_bilevel(tmp_path: Path) -> None:
    Image.fromarray(COLOR).quantize(4).save(tmp_path / "p.png")
    expected = np.asarray(Image.open(tmp_path / "p.png").convert("RGB"))
    assert np.array_equal(read_image(tmp_path / "p.png"), expected)
    save(tmp_path / "b.png", COLOR[..., 0] > 127)
    assert np.array_equal(read_image(tmp_path / "b.png")[..., 1], np.where(COLOR[..., 0] > 127, 255, 0))


def test_sixteen_bits_keep_the_upper_byte(tmp_path: Path) -> None:
    wide = np.array([[0, 255, 256, 65535, 32768]], np.uint16)
    for suffix in (".png", ".tif"):
        assert read_image(save(tmp_path / f"a{suffix}", wide))[0, :, 0].tolist() == [0, 0, 1, 255, 128]


def test_orientation_is_applied_and_known_from_the_header(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera lay on its side: turn clockwise
    path = save(tmp_path / "a.webp", COLOR, exif=exif, lossless=True)
    assert np.array_equal(read_image(path), np.rot90(COLOR, -1))
    assert image_size(path) == (7, 5)


def test_size_from_the_header_is_width_and_height(tmp_path: Path) -> None:
    assert image_size(save(tmp_path / "a.png", COLOR)) == (5, 7)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "no such image"),
        (b"", "not an image"),
        (b"not an image at all", "not an image"),
        (b"GIF89a" + bytes(40), "not an image"),
        (png_header(8193, 8192), "header says 8193 x 8192"),
        (png_header(60000, 60000), str(MAX_PIXELS)),
        (png_header(0, 4), "a.png"),
        (png_header(400, 400), "truncated"),
    ],
)
def test_bad_files_are_named(tmp_path: Path, content: bytes | None, said: str) -> None:
    path = tmp_path / "a.png"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=said) as caught:
        read_image(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".tif", ".ppm", ".webp"])
def test_truncated_files_are_errors(tmp_path: Path, suffix: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    path = save(tmp_path / f"a{suffix}", noise)
    content = path.read_bytes()
    for part in (0.02, 0.3, 0.9):
        path.write_bytes(content[: int(len(content) * part)])
        with pytest.raises(DataError, match="a.+" + suffix):
            read_image(path)


def test_a_folder_is_not_an_image(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=str(tmp_path)):
        read_image(tmp_path)


def test_floating_point_images_are_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "a.tif", np.ones((3, 3), np.float32))
    with pytest.raises(DataError, match="floating-point"):
        read_image(path)
    # A PFM under the name of a PPM is one too; who takes its samples for bytes sees black.
    portable = tmp_path / "a.ppm"
    portable.write_bytes(b"Pf\n3 3\n-1.0\n" + np.full((3, 3), 0.9, "<f4").tobytes())
    with pytest.raises(DataError, match="floating-point"):
        read_image(portable)
    with Image.open(portable) as opened:
        assert not np.array(opened.convert("RGB")).any()
    wide = save(tmp_path / "b.tif", np.array([[0, 70000]], np.int32))
    with pytest.raises(DataError, match="outside"):
        read_image(wide)


def test_natural_order() -> None:
    names = ["img10.png", "img2.png", "IMG1.png", "a.png", "10.png", "9.png", "img2b.png"]
    expected = ["9.png", "10.png", "a.png", "IMG1.png", "img2.png", "img2b.png", "img10.png"]
    assert sorted(names, key=natural_key) == expected


def test_another_size_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)).save(path)
    assert read_image(path, (40, 60)).shape == (40, 60, 3)
    # Without its second half it is damaged; here nobody comes that far.
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DataError, match=r"60 x 40 pixels, expected 40 x 60"):
        read_image(path, (60, 40))
    with pytest.raises(DataError, match="damaged or truncated"):
        read_image(path, (40, 60))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_stood_upright(tmp_path: Path, orientation: int) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (16, 24, 3), np.uint8)
    path = tmp_path / "a.jpg"
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(noise).save(path, exif=exif)
    with Image.open(path) as opened:
        expected = np.array(ImageOps.exif_transpose(opened))
    assert np.array_equal(read_image(path), expected)
    assert read_image(path).flags["C_CONTIGUOUS"]


def test_texts_of_a_png_are_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    texts = PngImagePlugin.PngInfo()
    for number in range(3):
        texts.add_text(f"t{number}", "a" * 700_000, zip=True)
    Image.new("RGB", (6, 4)).save(path, pnginfo=texts)
    with pytest.raises(DataError, match="text"):
        read_image(path)
