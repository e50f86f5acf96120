"""From light to the file: exposure, blur, noise and JPEG of a camera."""

from __future__ import annotations

from dataclasses import dataclass

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

        image = light * np.float32(self.exposure)
        if self.blur > 0.15:
            image = cv2.GaussianBlur(image, (0, 0), self.blur)
        # Above 0.8 the light is squeezed, as film does, in place of a hard clip.
        image = np.where(image > 0.8, 0.8 + 0.2 * np.tanh((image - 0.8) / 0.2 * 0.6) / np.tanh(1.5), image)
        image = np.clip(image, 0, 1) ** np.float32(1 / 2.2)
        image = image + np.float32(self.contrast) * (image * image * (3 - 2 * image) - image)
        if self.grey or self.saturation != 1:
            luma = image @ np.array([0.299, 0.587, 0.114], np.float32)
            share = np.float32(0 if self.grey else self.saturation)
            image = luma[..., None] + share * (image - luma[..., None])
        if self.noise > 0:
            # Dark pixels have less noise than bright ones, but never none.
            level = np.float32(self.noise / 255) * np.sqrt(0.3 + 1.4 * np.clip(image[..., 1:2], 0, 1))
            channels = 1 if self.grey else 3
            image = image + level * rng.standard_normal((*image.shape[:2], channels), dtype=np.float32)
        recorded = np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)
        if self.jpeg is not None:
            _, code = cv2.imencode(".jpg", recorded[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, self.jpeg])
            recorded = np.ascontiguousarray(cv2.imdecode(code, cv2.IMREAD_COLOR)[..., ::-1])
        return recorded


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
