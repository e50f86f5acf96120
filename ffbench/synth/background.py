"""Still backgrounds: plain walls, and blurred rooms out of rectangles, lamps and noise."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatImage = npt.NDArray[np.float32]


def wall(rng: np.random.Generator, height: int, width: int) -> FloatImage:
    """A plain wall under uneven light, (H, W, 3) linear RGB."""
    tone = rng.uniform(0.08, 0.8) * (1 + rng.normal(0, 0.06, 3))
    y, x = np.mgrid[0:height, 0:width].astype(np.float32) / max(height, width)
    centre, reach = rng.uniform([-0.2, -0.2], [1.2, 1.0]), rng.uniform(0.5, 1.6)
    pool = np.exp(-((x - centre[0]) ** 2 + (y - centre[1]) ** 2) / reach**2)
    plaster = 0.02 * _noise(rng, height, width, 8) + 0.015 * _noise(rng, height, width, 60)
    shade = (0.55 + 0.6 * pool) * (1 + rng.uniform(0, 1) * plaster)
    return np.asarray(np.clip(shade[..., None] * tone, 0.005, 1.0), np.float32)


def room(rng: np.random.Generator, height: int, width: int) -> FloatImage:
    """A room or street out of focus, (H, W, 3) linear RGB."""
    import cv2

    image = wall(rng, height, width)
    for _ in range(int(rng.integers(6, 40))):
        centre = rng.uniform([0, 0], [width, height])
        size = np.exp(rng.uniform(np.log(0.02), np.log(0.5), 2)) * max(height, width)
        box = cv2.boxPoints((tuple(centre), tuple(size), float(rng.choice([0, 0, 0, 90]) + rng.normal(0, 5))))
        colour = rng.beta(0.9, 1.6) * (1 + rng.normal(0, 0.25, 3))
        layer = image.copy()
        if rng.random() < 0.8:
            cv2.fillPoly(layer, [box.astype(np.int32)], np.clip(colour, 0, 1).tolist())
        else:
            cv2.circle(
                layer, (int(centre[0]), int(centre[1])), int(size[0] / 3), np.clip(2 * colour, 0, 1.5).tolist(), -1
            )
        share = rng.uniform(0.4, 1.0)
        image = np.asarray(image + share * (layer - image), np.float32)
    grain = 1 + 0.25 * rng.uniform(0, 1) * (0.6 * _noise(rng, height, width, 5))
    image = np.asarray(image * np.clip(grain, 0.2, 3)[..., None], np.float32)
    blur = np.exp(rng.uniform(np.log(0.002), np.log(0.025))) * max(height, width)
    return np.asarray(np.clip(cv2.GaussianBlur(image, (0, 0), blur), 0.002, 1.5), np.float32)


def sample_background(rng: np.random.Generator, height: int, width: int) -> FloatImage:
    """Draw a background, (H, W, 3) linear RGB: a wall one time in three."""
    return wall(rng, height, width) if rng.random() < 1 / 3 else room(rng, height, width)


def _noise(rng: np.random.Generator, height: int, width: int, nodes: int) -> FloatImage:
    """Smooth noise (H, W) out of three octaves, the coarsest of `nodes` cells across."""
    import cv2

    image = np.zeros((height, width), np.float32)
    for octave in range(3):
        count = nodes << octave
        grid = rng.standard_normal((count * height // max(height, width) + 2, count + 2), dtype=np.float32)
        image += cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC) * np.float32(0.6**octave)
    return image
