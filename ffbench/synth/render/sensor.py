"""From light to the file: exposure, blur, noise and JPEG of a camera."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

FloatImage = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Sensor:
    """How a camera records light.

    Attributes:
        exposure: factor of the light.
        contrast: strength of the S-shaped tone curve, 0 to 1.
        saturation: 1 as seen, 0 grey.
        blur: standard deviation of the lens blur in pixels.
        noise: standard deviation of the noise in grey levels at middle grey.
        jpeg: quality, or None to leave the image as it is.
        grey: whether the image is grey (three equal channels).
    """

    exposure: float = 1.0
    contrast: float = 0.2
    saturation: float = 1.0
    blur: float = 0.3
    noise: float = 1.0
    jpeg: int | None = None
    grey: bool = False

    def record(self, light: FloatImage, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
        """Turn linear RGB (H, W, 3) into an image (H, W, 3) uint8; `rng` makes the noise of this frame."""
        import cv2

        if self.blur > 0.15:
            light = np.asarray(cv2.GaussianBlur(light, (0, 0), self.blur), np.float32)
        offsets = rng.integers(len(_grain()) - light.shape[1] * 3, size=light.shape[0])
        recorded = np.empty(light.shape, np.uint8)
        saturation = 0.0 if self.grey else self.saturation
        curve = _tone_curve(self.contrast)
        _develop(light, curve, self.exposure, saturation, self.noise, _grain(), offsets, self.grey, recorded)
        if self.jpeg is not None:
            # Not by [..., ::-1]: OpenCV copies a view with negative strides byte by byte, which takes longer than JPEG.
            bgr = cv2.cvtColor(recorded, cv2.COLOR_RGB2BGR)
            code = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, self.jpeg])[1]
            decoded = np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR))
            recorded = np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8)
        return recorded


# Light above this, in units of full exposure, is white.
BRIGHTEST = 1.5


@functools.lru_cache(maxsize=64)
def _tone_curve(contrast: float) -> npt.NDArray[np.float32]:
    """Coefficients (8,) of a polynomial that takes the square root of light to grey levels, lowest power first.

    A polynomial can be worked out for eight values at a time, a table cannot; it is within three grey levels of
    the curve.
    """
    root = np.sin(np.linspace(0, np.pi / 2, 400)) ** 2 * BRIGHTEST**0.5
    light = root * root
    # Above 0.8 the light is squeezed, as film does, in place of a hard clip.
    light = np.where(light > 0.8, 0.8 + 0.2 * np.tanh((light - 0.8) * 3) / np.tanh(2.1), light)
    tone = light ** (1 / 2.2)
    grey = 255 * (tone + contrast * (tone * tone * (3 - 2 * tone) - tone))
    return np.polynomial.polynomial.polyfit(root, grey, 7).astype(np.float32)


@functools.cache
def _grain() -> FloatImage:
    """A table of standard normal numbers; every row of an image starts at a place of its own in it."""
    return np.random.default_rng(0).standard_normal(1 << 18, dtype=np.float32)


@numba.njit(cache=True, fastmath=True, boundscheck=False)
def _develop(light, curve, exposure, saturation, noise, grain, offsets, grey, recorded):  # type: ignore[no-untyped-def]
    height, width = light.shape[0], light.shape[1]
    gain, keep, level = np.float32(exposure), np.float32(saturation), np.float32(noise)
    k0, k1, k2, k3, k4, k5, k6, k7 = curve
    dark, white, brightest = np.float32(0), np.float32(255), np.float32(BRIGHTEST)
    tones = np.empty(3 * width, np.float32)
    for y in range(height):
        row = light[y].reshape(3 * width)
        for i in range(3 * width):
            s = np.sqrt(min(max(row[i] * gain, dark), brightest))
            tones[i] = k0 + s * (k1 + s * (k2 + s * (k3 + s * (k4 + s * (k5 + s * (k6 + s * k7))))))
        speckle = grain[offsets[y] : offsets[y] + 3 * width]
        step = 0 if grey else 1
        for x in range(width):
            red, green, blue = tones[3 * x], tones[3 * x + 1], tones[3 * x + 2]
            luma = np.float32(0.299) * red + np.float32(0.587) * green + np.float32(0.114) * blue
            # Dark pixels have less noise than bright ones, but never none.
            sigma = level * (np.float32(0.6) + np.float32(0.7 / 255) * luma)
            luma += np.float32(0.5)
            tones[3 * x] = luma + keep * (red - luma) + sigma * speckle[3 * x]
            tones[3 * x + 1] = luma + keep * (green - luma) + sigma * speckle[3 * x + step]
            tones[3 * x + 2] = luma + keep * (blue - luma) + sigma * speckle[3 * x + 2 * step]
        out = recorded[y].reshape(3 * width)
        for i in range(3 * width):
            out[i] = np.uint8(min(max(tones[i], dark), white))


def sample_sensor(rng: np.random.Generator) -> Sensor:
    """Draw a camera, from clean to poor."""
    return Sensor(
        exposure=float(np.exp(rng.normal(0.05, 0.2))),
        contrast=float(rng.uniform(0, 0.6)),
        saturation=float(rng.uniform(0.6, 1.15)),
        blur=float(max(rng.normal(0.35, 0.35), 0)),
        noise=float(rng.exponential(1.8)) if rng.random() < 0.8 else 0.0,
        jpeg=int(rng.integers(45, 96)) if rng.random() < 0.5 else None,
        grey=bool(rng.random() < 0.15),
    )
