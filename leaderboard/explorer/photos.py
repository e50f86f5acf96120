"""A visitor's two photos: bounded before they are decoded, made smaller, never kept."""

from __future__ import annotations

import threading

import numpy as np

from ffbench.datasets.images import image_size, read_image
from ffbench.errors import DataError
from ffbench.protocol import Pair
from ffbench.typing import Image

from ..work.private import private_folder

MAX_MEGABYTES = 20
MAX_PIXELS = 50_000_000
"""What a header may say; more is refused before anything is decoded."""
MAX_SIDE = 640
"""Longest side, in pixels, of what methods are given."""
_ONE_AT_A_TIME = threading.Lock()
"""Held while photos are decoded, so that many visitors at once need no more memory than one."""


def photo_pair(first: tuple[str, bytes], second: tuple[str, bytes]) -> tuple[Pair[None], float]:
    """Read two uploaded photos, given as (file name, content), and bring both to at most `MAX_SIDE`.

    Returns:
        The pair, and the factor by which it was made smaller (1: not at all).

    Raises:
        DataError: one is no image, damaged, too large, or the two are not of one size.
    """
    with _ONE_AT_A_TIME:
        image1, image2 = _read(*first), _read(*second)
    if image1.shape != image2.shape:
        sizes = [f"{image.shape[1]} x {image.shape[0]}" for image in (image1, image2)]
        raise DataError(f"{second[0]}: is {sizes[1]} pixels, expected {sizes[0]} as {first[0]}: flow needs one size")
    factor = min(1.0, MAX_SIDE / max(image1.shape[:2]))
    return Pair("photos", _smaller(image1, factor), _smaller(image2, factor), None), factor


def _read(name: str, content: bytes) -> Image:
    if len(content) > MAX_MEGABYTES * 2**20:
        raise DataError(f"{name}: is {len(content)} bytes, at most {MAX_MEGABYTES} MB are read")
    with private_folder("photo") as folder:
        path = folder / "photo"
        path.write_bytes(content)
        try:
            width, height = image_size(path)
            if width * height > MAX_PIXELS:
                raise DataError(f"{path}: the header says {width} x {height}; at most {MAX_PIXELS} pixels are decoded")
            return read_image(path)
        except DataError as error:
            raise DataError(str(error).replace(str(path), name)) from None


def _smaller(image: Image, factor: float) -> Image:
    import cv2

    if factor == 1:
        return image
    size = max(1, round(image.shape[1] * factor)), max(1, round(image.shape[0] * factor))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
