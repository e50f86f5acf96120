"""Values between the pixels of a photograph, at exact places: OpenCV's remap rounds places to 1/32 px."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

FloatImage = npt.NDArray[np.float32]
_AT_PIXEL = 1e-7
"""Nearer to a pixel than this, px, its value is taken as it is."""


def sample_everywhere(photo: FloatImage, offsets: npt.NDArray[np.float64]) -> FloatImage:
    """Return the photograph (H, W, 3) at x + offsets(x) for every pixel x; `offsets` (H, W, 2) in px."""
    image = np.empty_like(photo)
    _sample_everywhere(photo, offsets, image)
    return image


@numba.njit(cache=True, boundscheck=False)
def _sample_everywhere(photo, offsets, image):  # type: ignore[no-untyped-def]
    weights = np.empty((2, 4), np.float32)
    for y in range(image.shape[0]):
        for x in range(image.shape[1]):
            u, v = x + offsets[y, x, 0], y + offsets[y, x, 1]
            image[y, x, 0], image[y, x, 1], image[y, x, 2] = cubic_sample(photo, u, v, weights)


@numba.njit(cache=True, boundscheck=False)
def cubic_sample(photo, u, v, weights):  # type: ignore[no-untyped-def]
    """Red, green and blue at column `u` and row `v` by the cubic of Catmull and Rom (1974), exact at pixels.

    Beyond its border a photograph goes on as in a mirror. `weights` (2, 4) is working memory.
    """
    height, width = photo.shape[0], photo.shape[1]
    left, top = np.int64(np.floor(u + _AT_PIXEL)), np.int64(np.floor(v + _AT_PIXEL))
    right, down = u - left, v - top
    if right < _AT_PIXEL and down < _AT_PIXEL:
        i, j = _mirrored(top, height), _mirrored(left, width)
        return photo[i, j, 0], photo[i, j, 1], photo[i, j, 2]
    _weights(np.float32(right), weights[0])
    _weights(np.float32(down), weights[1])
    red, green, blue = np.float32(0), np.float32(0), np.float32(0)
    for k in range(4):
        i = _mirrored(top - 1 + k, height)
        for m in range(4):
            j = _mirrored(left - 1 + m, width)
            weight = weights[1, k] * weights[0, m]
            red += weight * photo[i, j, 0]
            green += weight * photo[i, j, 1]
            blue += weight * photo[i, j, 2]
    return red, green, blue


@numba.njit(cache=True, boundscheck=False)
def linear_sample(values, u, v):  # type: ignore[no-untyped-def]
    """Value at column `u` and row `v`, bilinear; beyond the border that of the nearest pixel."""
    height, width = values.shape
    x, y = min(max(u, 0.0), width - 1.0), min(max(v, 0.0), height - 1.0)
    left, top = np.int64(x), np.int64(y)
    right, below = min(left + 1, width - 1), min(top + 1, height - 1)
    across, down = np.float32(x - left), np.float32(y - top)
    upper = values[top, left] + across * (values[top, right] - values[top, left])
    lower = values[below, left] + across * (values[below, right] - values[below, left])
    return upper + down * (lower - upper)


@numba.njit(cache=True, inline="always", boundscheck=False)
def _mirrored(i, count):  # type: ignore[no-untyped-def]
    i = abs(i)
    i = i if i < count else 2 * (count - 1) - i
    return min(max(i, 0), count - 1)


@numba.njit(cache=True, inline="always", boundscheck=False)
def _weights(t, out):  # type: ignore[no-untyped-def]
    """Weights of the four values around a place that is `t` beyond the second of them."""
    half, one = np.float32(0.5), np.float32(1)
    out[0] = t * (t * (one - half * t) - half)
    out[1] = one + t * t * (np.float32(1.5) * t - np.float32(2.5))
    out[2] = t * (half + t * (np.float32(2) - np.float32(1.5) * t))
    out[3] = t * t * (half * t - half)
