"""Still images: RGB bytes, or an error that names the file."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, PngImagePlugin, UnidentifiedImageError

from ffbench.errors import DataError, one_line
from ffbench.io.archives.member_path import DatasetPath, as_dataset_path
from ffbench.io.bounds import names_file_if_out_of_memory, refuse_bomb

MAX_PIXELS = 2**26
"""Larger images (8192 x 8192) are refused before they are decoded: a header is free, the memory is not."""

IMAGE_SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"})
_FORMATS = ("BMP", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
_EXIF_ORIENTATION = 0x0112
# PNG may carry one too, but behind the pixels: to look for it would decode every image twice. TIFF turns itself.
_ORIENTED_FORMATS = ("JPEG", "WEBP")
_SIDEWAYS = range(5, 9)
_Turn = Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.uint8]]
_UPRIGHT: dict[int, _Turn] = {
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: pixels.swapaxes(0, 1)[:, ::-1],
    7: lambda pixels: pixels[::-1, ::-1].swapaxes(0, 1),
    8: lambda pixels: pixels.swapaxes(0, 1)[::-1],
}
"""By orientation tag, what stands the image upright (Exif 2.32, 4.6.4 A)."""
_MAX_PIXELS_OF = {"WEBP": 2**23, "PPM": 2**25}
"""Their decoders hold several copies of the image."""
_TILE_WIDTH, _TILE_LENGTH = 322, 323
_SMALL_TILE = 2**20
_STRIP_PIXELS = 2**20
# Of a PNG's texts, which nobody looks at, Pillow would unpack 64 MB.
PngImagePlugin.MAX_TEXT_MEMORY = PngImagePlugin.MAX_TEXT_CHUNK


@names_file_if_out_of_memory
def read_image(path: DatasetPath | str, expected_size: tuple[int, int] | None = None) -> npt.NDArray[np.uint8]:
    """Read an image file as an (H, W, 3) uint8 RGB array.

    Grey becomes three equal channels, 16-bit samples keep their upper byte, alpha is dropped without
    blending, an EXIF orientation of a JPEG or WEBP is applied.

    Args:
        path: the file.
        expected_size: (H, W) that the image must have; another is refused before it is decoded.

    Raises:
        DataError: the file is missing, truncated, larger than `MAX_PIXELS`, of far fewer bytes than its pixels could
            have, of another size than expected, or not a PNG, JPEG, BMP, PGM/PPM, TIFF or WebP image of 8 or 16 bits.
    """
    path = as_dataset_path(path)
    image = _open(path)
    try:
        with image:
            orientation = _orientation(image)
            height, width = image.size if orientation in _SIDEWAYS else image.size[::-1]
            if expected_size is not None and (height, width) != expected_size:
                wanted = f"{expected_size[1]} x {expected_size[0]}"
                raise DataError(path, f"{width} x {height} pixels, expected {wanted} (width x height)")
            if expected_size is None:
                refuse_bomb(path, path.stat().st_size, 3 * width * height)
            if image.mode == "F":
                raise DataError(path, "has floating-point samples; expected 8 or 16 bits")
            image.load()
            pixels = _to_rgb(path, image)
        # The decoder's own copy is given up by now.
        turn = _UPRIGHT.get(orientation)
        return pixels if turn is None else np.ascontiguousarray(turn(pixels))
    except (DataError, MemoryError):
        raise
    except Exception as error:  # decoders raise many kinds on damaged files
        raise DataError(path, f"the image is damaged or truncated ({one_line(error)})") from error


def encode_png(image: npt.NDArray[np.uint8]) -> bytes:
    """Encode an image, (H, W, 3) RGB or (H, W) grey, as PNG; compressed little, since writing takes the most time."""
    import cv2

    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR) if image.ndim == 3 else image
    return bytes(cv2.imencode(".png", bgr, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1])


def image_size(path: DatasetPath | str) -> tuple[int, int]:
    """Return (width, height) of the array that `read_image` would give, from the header alone.

    Raises:
        DataError: as `read_image`, for what the header shows.
    """
    path = as_dataset_path(path)
    try:
        with _open(path) as image:
            width, height = image.size
            sideways = _orientation(image) in _SIDEWAYS
    except (DataError, MemoryError):
        raise
    except Exception as error:
        raise DataError(path, f"the image's header is damaged ({one_line(error)})") from error
    return (height, width) if sideways else (width, height)


def natural_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """Return a sort key under which `img2` comes before `img10`."""
    return tuple(
        (0, int(part), part) if part.isdigit() else (1, 0, part)
        for part in re.split(r"([0-9]+)", name.casefold())
        if part
    )


def _open(path: DatasetPath) -> Image.Image:
    try:
        # Pillow opens real files by their name, and maps some.
        image = Image.open(path if isinstance(path, Path) else path.open(), formats=_FORMATS)
    except FileNotFoundError as error:
        raise DataError(path, "no such image file") from error
    except UnidentifiedImageError as error:
        raise DataError(path, f"not an image that can be read ({_expected()})") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DataError(path, f"{one_line(error)}; at most {MAX_PIXELS} pixels are read") from error
    except Exception as error:
        raise DataError(path, f"cannot be read as an image ({one_line(error)})") from error
    width, height = image.size
    most = _MAX_PIXELS_OF.get(str(image.format), MAX_PIXELS)
    try:
        if not 0 < width * height <= most:
            raise DataError(path, f"the header says {width} x {height}; at most {most} pixels are read")
        _check_tiles(path, image)
    except DataError:
        image.close()
        raise
    return image


def _check_tiles(path: DatasetPath, image: Image.Image) -> None:
    """Check that the tiles of a TIFF are not larger than it is: each is unpacked whole, whatever it adds."""
    tags = getattr(image, "tag_v2", {})
    sides = [tags.get(tag) or 0 for tag in (_TILE_WIDTH, _TILE_LENGTH)]
    if not all(isinstance(side, int) for side in sides):
        raise DataError(path, f"the image's header is damaged (tiles of {sides[0]} x {sides[1]})")
    if sides[0] * sides[1] > _SMALL_TILE + 2 * image.size[0] * image.size[1]:
        raise DataError(path, f"tiles of {sides[0]} x {sides[1]} pixels, larger than the image; it is refused")


def _orientation(image: Image.Image) -> int:
    return int(image.getexif().get(_EXIF_ORIENTATION, 1)) if image.format in _ORIENTED_FORMATS else 1


def _to_rgb(path: DatasetPath, image: Image.Image) -> npt.NDArray[np.uint8]:
    """Convert a decoded image in strips of rows, so that no second copy of it is made."""
    width, height = image.size
    pixels = np.empty((height, width, 3), np.uint8)
    rows = max(1, _STRIP_PIXELS // width)
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        strip = image if rows >= height else image.crop((0, top, width, bottom))
        if strip.mode.startswith("I"):
            pixels[top:bottom] = _upper_byte(path, np.asarray(strip))[:, :, None]
        else:
            pixels[top:bottom] = np.asarray(strip.convert("RGB"))
    return pixels


def _upper_byte(path: DatasetPath, grey: npt.NDArray[np.generic]) -> npt.NDArray[np.uint8]:
    values = grey.astype(np.int64)
    if values.min() < 0 or values.max() > 65535:
        raise DataError(path, "has samples outside 0..65535; expected 8 or 16 bits")
    return (values >> 8).astype(np.uint8)


def _expected() -> str:
    return "expected " + ", ".join(_FORMATS)
