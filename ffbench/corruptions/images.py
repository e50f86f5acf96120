"""Corruptions of single frames: of the light, the sensor, the lens, and the size and coding of images.

Each takes a frame, (H, W, 3) uint8 RGB, its number in the clip and the strength, and gives a frame of the same size.
Light is linear: a value v of 0 to 255 stands for (v / 255) ** 2.2.
"""

from __future__ import annotations

import math

import numpy as np

from ffbench.typing import Floats, Image

GAMMA = 2.2
PERIOD = 20
"""Frames in which exposure and color go up, down and back: in five they go from no change to the full one."""
FULL_WELL = 2000.0
"""Photons that a pixel of full brightness counts before light is taken away."""
_READ_NOISE = 2.0  # photons
_TURN = 40  # frames in which the direction of a motion blur turns once
_ALONG = 8  # points a pixel on the path of a motion blur


def noise(image: Image, rng: np.random.Generator, photons: float) -> Image:
    """Return the frame with shot noise of a sensor whose full brightness is `photons`, and read noise of 2 photons.

    It is as bright as before. The noise of each frame is its own.
    """
    counted = rng.poisson(_linear(image) * photons) + rng.normal(0, _READ_NOISE, image.shape)
    return _image(counted / photons)


def low_light(image: Image, rng: np.random.Generator, share: float) -> Image:
    """Return the frame as taken with a share of the light: darker, and with the noise of few photons."""
    counted = rng.poisson(_linear(image) * share * FULL_WELL) + rng.normal(0, _READ_NOISE, image.shape)
    return _image(counted / FULL_WELL)


def exposure(image: Image, frame: int, stops: float) -> Image:
    """Return the frame with light times 2 ** (stops sin(2 pi frame / PERIOD)), cut off at white."""
    return _image(_linear(image) * 2 ** (stops * _swing(frame)))


def color_shift(image: Image, frame: int, stops: float) -> Image:
    """Return the frame with red up and blue down by stops sin(2 pi frame / PERIOD): a white balance that drifts."""
    step = stops * _swing(frame)
    return _image(_linear(image) * np.array([2**step, 1.0, 2**-step]))


def blur(image: Image, sigma: float) -> Image:
    """Return the frame out of focus: a Gaussian of `sigma` px."""
    import cv2

    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REFLECT_101), np.uint8)


def motion_blur(image: Image, frame: int, length: float) -> Image:
    """Return the frame blurred along a straight path of `length` px, whose direction turns once in 40 frames."""
    import cv2

    angle = 2 * math.pi * frame / _TURN
    return np.asarray(
        cv2.filter2D(image, -1, _path(length, angle).astype(np.float32), borderType=cv2.BORDER_REFLECT_101), np.uint8
    )


def downscale(image: Image, factor: float) -> Image:
    """Return the frame made smaller by `factor` (means of areas) and as large as before again (cubic)."""
    import cv2

    height, width = image.shape[:2]
    small = cv2.resize(
        image, (max(round(width / factor), 1), max(round(height / factor), 1)), interpolation=cv2.INTER_AREA
    )
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def jpeg(image: Image, quality: int) -> Image:
    """Return the frame as JPEG of a quality (1 to 100) gives it back."""
    import cv2

    done, content = cv2.imencode(".jpg", np.ascontiguousarray(image[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise RuntimeError("OpenCV cannot encode JPEG")
    return np.ascontiguousarray(np.asarray(cv2.imdecode(content, cv2.IMREAD_COLOR), np.uint8)[..., ::-1])


def _swing(frame: int) -> float:
    return math.sin(2 * math.pi * frame / PERIOD)


def _linear(image: Image) -> Floats:
    return np.asarray((image / 255.0) ** GAMMA, np.float64)


def _image(light: Floats) -> Image:
    return np.rint(255 * np.clip(light, 0, 1) ** (1 / GAMMA)).astype(np.uint8)


def _path(length: float, angle: float) -> Floats:
    """Return the kernel of a straight path through its center, its points spread over four pixels each."""
    radius = math.ceil(length / 2) + 1
    kernel = np.zeros((2 * radius + 1, 2 * radius + 1))
    along = np.linspace(-length / 2, length / 2, max(round(_ALONG * length), 2))
    x, y = radius + along * math.cos(angle), radius + along * math.sin(angle)
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    for dx in (0, 1):
        for dy in (0, 1):
            weight = np.abs(1 - dx - (x - left)) * np.abs(1 - dy - (y - top))
            np.add.at(kernel, (top + dy, left + dx), weight)
    return np.asarray(kernel / kernel.sum(), np.float64)
