"""From photographs to what the engine draws with: sRGB to light, skin color, and still backgrounds."""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

FloatImage = npt.NDArray[np.float32]


@functools.cache
def _linear_of_srgb() -> npt.NDArray[np.float32]:
    value = np.arange(256) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4).astype(np.float32)


def to_linear(image: npt.NDArray[np.uint8]) -> FloatImage:
    """Turn an sRGB image (H, W, 3) uint8 into linear light in [0, 1] (IEC 61966-2-1)."""
    return _linear_of_srgb()[image]


def to_srgb(light: npt.NDArray[np.floating]) -> npt.NDArray[np.uint8]:
    """Turn linear light into sRGB uint8; what is outside of [0, 1] is clipped."""
    value = np.clip(light, 0, 1)
    encoded = np.where(value <= 0.0031308, value * 12.92, 1.055 * value ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(encoded * 255), np.uint8)


def skin_color(texture: npt.NDArray[np.uint8], size: int) -> FloatImage:
    """Scale a texture to (size, size, 3) in the engine's paint: the square root of linear albedo, in [0, 1]."""
    import cv2

    light = to_linear(texture)
    how = cv2.INTER_AREA if len(texture) > size else cv2.INTER_LINEAR
    return np.sqrt(np.asarray(cv2.resize(light, (size, size), interpolation=how), np.float32))


def cut_background(rng: np.random.Generator, photo: npt.NDArray[np.uint8], height: int, width: int) -> FloatImage:
    """Cut a background (height, width, 3) in linear RGB out of a photograph: a drawn part of it, drawn exposure.

    The part has the shape of the image and 50 to 100 % of the largest such side; it may be mirrored. Two times in
    three it is out of focus, as behind a portrait.
    """
    import cv2

    rows, columns = photo.shape[:2]
    share = min(rows / height, columns / width) * rng.uniform(0.5, 1.0)
    high, wide = max(int(height * share), 1), max(int(width * share), 1)
    top, left = int(rng.integers(rows - high + 1)), int(rng.integers(columns - wide + 1))
    part = photo[top : top + high, left : left + wide]
    if rng.random() < 0.5:
        part = part[:, ::-1]
    how = cv2.INTER_AREA if share > 1 else cv2.INTER_LINEAR
    image = np.asarray(cv2.resize(to_linear(part), (width, height), interpolation=how), np.float32)
    exposure = np.float32(np.exp(rng.normal(0, 0.25)))
    blur = float(np.exp(rng.uniform(np.log(0.002), np.log(0.02)))) * max(height, width)
    if rng.random() < 2 / 3:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), max(blur, 0.5)), np.float32)
    return np.asarray(np.clip(image * exposure, 0.0, 1.5), np.float32)
