"""The sheet that skin, hair and cloth are drawn on, and the patterns of noise that all drawing takes from."""

from __future__ import annotations

import functools

import numba
import numpy as np
import numpy.typing as npt

from ffbench.synth.appearance.chart import Chart, chart
from ffbench.synth.appearance.look import Appearance
from ffbench.synth.heads.head import FloatArray, HeadModel
from ffbench.synth.render.bake import FloatImage, region_maps
from ffbench.synth.render.shading import Texture


class Sheet:
    """A square sheet under way: color (N, N, 3) and gloss (N, N) in [0, 1], and what is needed to draw on it."""

    def __init__(self, head: HeadModel, look: Appearance, size: int) -> None:
        self.look, self.size = look, size
        self.chart: Chart = chart(head)
        self.maps = region_maps(head, size)
        self.rng = np.random.default_rng([look.seed, 2])
        ramp = (np.arange(size, dtype=np.float32) + np.float32(0.5)) / np.float32(size)
        self.u, self.v = ramp[None, :], ramp[:, None]
        self.color = np.empty((size, size, 3), np.float32)
        self.color[:] = np.tile(np.array(look.skin, np.float32), (size, 1))
        self.gloss = np.zeros((size, size), np.float32)

    def noise(self, kind: str) -> FloatImage:
        """One of the stored patterns, shifted at random."""
        pattern = patterns(self.size)[kind]
        down, right = self.rng.integers(self.size, size=2)
        return np.roll(pattern, (int(down), int(right)), (0, 1))

    def window(self, low: FloatArray, high: FloatArray) -> tuple[slice, slice]:
        """The part of the sheet between two corners (u, v), in rows and columns."""
        (left, top), (right, bottom) = (np.clip(corner * self.size, 0, self.size).astype(int) for corner in (low, high))
        return slice(int(top), int(bottom)), slice(int(left), int(right))

    def blob(self, center: FloatArray, width: float, height: float, part: tuple[slice, slice]) -> FloatImage:
        """A soft spot with radii in dm."""
        across = (self.u[:, part[1]] - np.float32(center[0])) / np.float32(width * self.chart.wide)
        down = (self.v[part[0]] - np.float32(center[1])) / np.float32(height * self.chart.high)
        return np.asarray(np.exp(-across * across) * np.exp(-down * down))

    def mix(self, color: npt.ArrayLike, share: FloatImage, part: tuple[slice, slice] | None = None) -> None:
        """Cover a part of the sheet with a color, or an image of colors, by a share (h, w)."""
        target = self.color if part is None else self.color[part]
        _mix(target, share, np.broadcast_to(np.asarray(color, np.float32), target.shape))


@numba.njit(cache=True)
def _mix(target, share, color):  # type: ignore[no-untyped-def]
    for y in range(target.shape[0]):
        for x in range(target.shape[1]):
            # Hair, cloth and spots cover a part of their window only.
            if share[y, x] != 0:
                for k in range(3):
                    target[y, x, k] += share[y, x] * (color[y, x, k] - target[y, x, k])


@numba.njit(cache=True)
def darken(image, factor):  # type: ignore[no-untyped-def]
    """Multiply an image (h, w, 3) by a factor (h, w) in place: NumPy is slow at loops over three channels."""
    for y in range(image.shape[0]):
        for x in range(image.shape[1]):
            for k in range(3):
                image[y, x, k] *= factor[y, x]


def tinted(color: npt.ArrayLike, factor: FloatImage) -> FloatImage:
    """Return a color (3,) times a factor (h, w): (h, w, 3)."""
    import cv2

    return np.asarray(cv2.merge([channel * factor for channel in np.asarray(color, np.float32)]), np.float32)


@functools.lru_cache(maxsize=4)
def patterns(size: int) -> dict[str, FloatImage]:
    """Noise that tiles, of about unit variance, made once: by name, (size, size) each."""
    import cv2

    rng = np.random.default_rng(20240)

    def smooth(across: int, down: int) -> FloatImage:
        nodes = rng.standard_normal((max(down, 2), max(across, 2)), dtype=np.float32)
        tiled = np.tile(nodes, (2, 2))
        image = cv2.resize(tiled, (2 * size, 2 * size), interpolation=cv2.INTER_CUBIC)
        return np.asarray(image[size // 2 : size // 2 + size, size // 2 : size // 2 + size])

    grain = rng.standard_normal((size, size), dtype=np.float32)
    fine = size / 1024
    wrapped = np.pad(grain, 16, mode="wrap")
    band = cv2.GaussianBlur(wrapped, (0, 0), 0.9 * fine + 0.2) - cv2.GaussianBlur(wrapped, (0, 0), 2.4 * fine + 0.4)
    pores = band[16:-16, 16:-16]
    strands = 0.65 * smooth(size // 2, size // 24) + 0.75 * smooth(size // 5, size // 40)
    return {
        "grain": grain,
        "pores": np.asarray(pores / pores.std(), np.float32),
        "patches": 0.7 * smooth(14, 14) + 0.5 * smooth(40, 40) + 0.4 * smooth(110, 110),
        "tint": 0.85 * smooth(22, 22) + 0.5 * smooth(70, 70),
        "strands": strands,
        "locks": 0.8 * smooth(size // 18, size // 80) + 0.6 * smooth(size // 40, size // 120),
        "lines": 0.8 * smooth(size * 2 // 5, size // 16) + 0.5 * smooth(size // 5, size // 8),
        "ragged": 0.7 * smooth(60, 12) + 0.7 * smooth(150, 20),
        "folds": 0.8 * smooth(26, 9) + 0.6 * smooth(60, 18),
    }


def pack(color: FloatImage, gloss: FloatImage) -> Texture:
    """Put color (H, W, 3) and gloss (H, W) in [0, 1] into (H, W, 4) uint8.

    The shader squares the color to get light, which takes sRGB for a gamma of 2: near enough for paint.
    """
    import cv2

    # Rounds, and saturates at 255; what is a shade below zero becomes a shade above.
    parts = [cv2.convertScaleAbs(color, alpha=255), cv2.convertScaleAbs(gloss, alpha=255)]
    return np.asarray(cv2.merge(parts), np.uint8)
