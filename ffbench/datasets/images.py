"""Still images: RGB bytes, or an error that names the file."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from ffbench.archives.member_path import Place, as_place
from ffbench.errors import DataError

MAX_PIXELS = 2**26
"""Larger images (8192 x 8192) are refused before they are decoded: a header is free, the memory is not."""

IMAGE_SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"})
_FORMATS = ("BMP", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
_EXIF_ORIENTATION = 0x0112
# PNG may carry one too, but behind the pixels: to look for it would decode every image twice. TIFF turns itself.
_ORIENTED_FORMATS = ("JPEG", "WEBP")


def read_image(path: Place | str) -> npt.NDArray[np.uint8]:
    """Read an image file as an (H, W, 3) uint8 RGB array.

    Grey becomes three equal channels, 16-bit samples keep their upper byte, alpha is dropped without
    blending, an EXIF orientation of a JPEG or WEBP is applied.

    Raises:
        DataError: the file is missing, truncated, larger than `MAX_PIXELS` or not a PNG, JPEG, BMP,
            PGM/PPM, TIFF or WebP image of 8 or 16 bits.
    """
    path = as_place(path)
    image = _open(path)
    try:
        with image:
            image.load()
            upright = ImageOps.exif_transpose(image) if image.format in _ORIENTED_FORMATS else image
            if upright.mode.startswith("I"):
                return _from_wide_grey(path, np.asarray(upright))
            if upright.mode == "F":
                raise DataError(f"{path}: has floating-point samples; expected 8 or 16 bits")
            return np.array(upright.convert("RGB"))
    except DataError:
        raise
    except Exception as error:  # decoders raise many kinds on damaged files
        raise DataError(f"{path}: the image is damaged or truncated ({_one_line(error)})") from error


def encode_png(image: npt.NDArray[np.uint8]) -> bytes:
    """Encode an image, (H, W, 3) RGB or (H, W) grey, as PNG; compressed little, since writing takes the most time."""
    import cv2

    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR) if image.ndim == 3 else image
    return bytes(cv2.imencode(".png", bgr, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1])


def image_size(path: Place | str) -> tuple[int, int]:
    """Give (width, height) of the array that `read_image` would give, from the header alone.

    Raises:
        DataError: as `read_image`, for what the header shows.
    """
    path = as_place(path)
    try:
        with _open(path) as image:
            width, height = image.size
            # Values 5 to 8 of the orientation tag lay the image on its side.
            oriented = image.format in _ORIENTED_FORMATS
            sideways = oriented and image.getexif().get(_EXIF_ORIENTATION) in range(5, 9)
    except DataError:
        raise
    except Exception as error:
        raise DataError(f"{path}: the image's header is damaged ({_one_line(error)})") from error
    return (height, width) if sideways else (width, height)


def natural_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """Give a sort key under which `img2` comes before `img10`."""
    return tuple(
        (0, int(part), part) if part.isdigit() else (1, 0, part)
        for part in re.split(r"([0-9]+)", name.casefold())
        if part
    )


def _open(path: Place) -> Image.Image:
    try:
        # Pillow opens real files by their name, and maps some.
        image = Image.open(path if isinstance(path, Path) else path.open(), formats=_FORMATS)
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such image file") from error
    except UnidentifiedImageError as error:
        raise DataError(f"{path}: not an image that can be read ({_expected()})") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DataError(f"{path}: {_one_line(error)}; at most {MAX_PIXELS} pixels are read") from error
    except Exception as error:
        raise DataError(f"{path}: cannot be read as an image ({_one_line(error)})") from error
    width, height = image.size
    if not 0 < width * height <= MAX_PIXELS:
        image.close()
        raise DataError(f"{path}: the header says {width} x {height}; at most {MAX_PIXELS} pixels are read")
    return image


def _from_wide_grey(path: Place, grey: npt.NDArray[np.generic]) -> npt.NDArray[np.uint8]:
    values = grey.astype(np.int64)
    if values.min() < 0 or values.max() > 65535:
        raise DataError(f"{path}: has samples outside 0..65535; expected 8 or 16 bits")
    return np.repeat((values >> 8).astype(np.uint8)[:, :, None], 3, axis=2)


def _expected() -> str:
    return "expected " + ", ".join(_FORMATS)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
