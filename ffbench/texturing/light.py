"""Evens the light of an unwrapped photograph by what its skin shows of it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ffbench.synth.bake import FloatImage
from ffbench.synth.head import FloatArray

LARGEST = 2.2
"""Light is taken for this multiple of its mean at most, and for its inverse at least."""
_ROUNDS = 8
_RIDGE = 0.02
_HUBER = 0.12


def harmonics(normals: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Give the nine spherical harmonics of orders 0 to 2, up to factors, of unit normals (..., 3): (..., 9)."""
    x, y, z = np.moveaxis(normals, -1, 0)
    return np.stack([np.ones_like(x), x, y, z, x * y, y * z, 3 * z * z - 1, x * z, x * x - y * y], axis=-1)


def shading(colour: FloatImage, normals: FloatImage, weight: FloatImage) -> FloatImage:
    """Estimate the light (N, N, 3) that fell on a surface, with a mean of 1 over the skin.

    Light that varies slowly over directions is nine numbers a channel (Ramamoorthi and Hanrahan, 2001). They are fitted
    to the colours as if all skin had one; by Huber's weights brows, beard and spots, which have another, count little.

    Args:
        colour: (N, N, 3) linear RGB.
        normals: (N, N, 3).
        weight: (N, N), how much a texel counts; 0 where there is no skin.
    """
    rows, columns = np.nonzero(weight > 0.3)
    step = max(len(rows) // 20_000, 1)
    rows, columns = rows[::step], columns[::step]
    unit = normals / np.maximum(np.linalg.norm(normals, axis=2, keepdims=True), 1e-6)
    design = np.asarray(harmonics(unit[rows, columns]), np.float64)
    every = harmonics(unit)
    light = np.empty_like(colour)
    for channel in range(3):
        value = colour[rows, columns, channel].astype(np.float64)
        level = max(float(np.median(value)), 1e-4)
        fitted = _robust(design, value / level, weight[rows, columns].astype(np.float64))
        shade = every @ fitted
        mean = np.average(design @ fitted, weights=weight[rows, columns])
        light[..., channel] = np.clip(shade / max(mean, 1e-3), 1 / LARGEST, LARGEST)
    return light


def _robust(design: FloatArray, value: FloatArray, weight: FloatArray) -> FloatArray:
    """Solve least squares with Huber's loss by reweighting; a small ridge on all but the constant."""
    ridge = _RIDGE * weight.sum() * np.diag([0.0] + [1.0] * (design.shape[1] - 1))
    share = weight
    fitted = np.zeros(design.shape[1])
    for _ in range(_ROUNDS):
        fitted = np.linalg.solve((design * share[:, None]).T @ design + ridge, design.T @ (share * value))
        off = np.abs(value - design @ fitted)
        share = weight * np.minimum(1, _HUBER / np.maximum(off, 1e-9))
    return fitted
