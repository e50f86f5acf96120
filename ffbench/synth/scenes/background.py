"""Still backgrounds: plain walls, and blurred rooms out of rectangles, lamps and noise."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatImage = npt.NDArray[np.float32]


def wall(rng: np.random.Generator, height: int, width: int) -> FloatImage:
    """A plain wall under uneven light, (H, W, 3) linear RGB."""
    tone = (rng.uniform(0.08, 0.8) * (1 + rng.normal(0, 0.06, 3))).astype(np.float32)
    longest = max(height, width)
    center, reach = rng.uniform([-0.2, -0.2], [1.2, 1.0]), rng.uniform(0.5, 1.6)
    down = np.exp(-(((np.arange(height) / longest - center[1]) / reach) ** 2)).astype(np.float32)
    across = np.exp(-(((np.arange(width) / longest - center[0]) / reach) ** 2)).astype(np.float32)
    shade = np.float32(0.55) + np.float32(0.6) * (down[:, None] * across)
    plaster = _noise(rng, height, width, 8)
    shade *= 1 + np.float32(rng.uniform(0, 0.03)) * plaster
    return np.asarray(np.clip(shade[..., None] * tone, 0.005, 1.0), np.float32)


def room(rng: np.random.Generator, height: int, width: int) -> FloatImage:
    """A room or street out of focus, (H, W, 3) linear RGB."""
    import cv2

    # Drawn at half the size, since it is blurred anyway.
    small_height, small_width = (height + 1) // 2, (width + 1) // 2
    longest = max(small_height, small_width)
    image = wall(rng, small_height, small_width)
    for _ in range(int(rng.integers(6, 40))):
        center = rng.uniform([0, 0], [small_width, small_height])
        size = np.exp(rng.uniform(np.log(0.02), np.log(0.5), 2)) * longest
        color = np.clip(rng.beta(0.9, 1.6) * (1 + rng.normal(0, 0.2, 3)), 0, 1.5)
        turn = float(rng.choice([0, 0, 0, 90]) + rng.normal(0, 5))
        if rng.random() < 0.8:
            box = cv2.boxPoints(((float(center[0]), float(center[1])), (float(size[0]), float(size[1])), turn))
            cv2.fillPoly(image, [np.asarray(box).astype(np.int32)], color.tolist())
        else:
            middle = (int(center[0]), int(center[1]))
            cv2.circle(image, middle, int(size[0] / 3), np.clip(2 * color, 0, 1.5).tolist(), -1)
    grain = 1 + np.float32(0.15 * rng.uniform(0, 1)) * _noise(rng, small_height, small_width, 5)
    image = np.asarray(image * np.clip(grain, 0.2, 3)[..., None], np.float32)
    blur = np.exp(rng.uniform(np.log(0.002), np.log(0.025))) * longest
    image = np.asarray(cv2.GaussianBlur(image, (0, 0), max(blur, 0.9)), np.float32)
    image = np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
    return np.clip(image, 0.002, 1.5, out=image)


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
