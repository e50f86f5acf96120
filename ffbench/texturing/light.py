"""Evens the light of an unwrapped photograph by what its skin shows of it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ffbench.synth.heads.head import FloatArray
from ffbench.synth.render.bake import FloatImage

LARGEST = 2.2
"""Light is taken for this multiple of its mean at most, and for its inverse at least."""
DARKEST = 2e-3
"""Linear RGB that ratios of colors are taken of is at least this."""
_ROUNDS = 8
_RIDGE = 0.02
_HUBER = 0.12
# Creases are as dark as this share of light from all around at least.
_LEAST_OPEN = 0.3
# Standard deviation, as a share of the sheet's height, of the blur that finds what light the harmonics leave over, and
# how much of that is taken away: some of it is the skin's own.
_LEFT_OVER, _TAKEN = 1 / 64, 0.7
# What is brighter than skin by more than this logarithm is gloss, of which this much is taken away.
_GLINT, _GLINT_TAKEN = 0.15, 0.7
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)


def even_light(color: FloatImage, normals: FloatImage, openness: FloatImage, weight: FloatImage) -> FloatImage:
    """Take the light out of the colors (N, N, 3) of a surface; the mean over the skin is kept.

    What little light reaches creases is divided out first, then what varies over directions, then most of what is left
    of slow changes, cast shadows above all, and of gloss. The last is done to the luminance alone, so that cheeks keep
    their color.

    Args:
        color: (N, N, 3) linear RGB.
        normals: (N, N, 3).
        openness: (N, N), share of the light from all around.
        weight: (N, N), how much a texel counts; 0 where there is no skin.
    """
    import cv2

    open_ = np.asarray(color / np.clip(openness, _LEAST_OPEN, 1)[..., None], np.float32)
    even = np.maximum(open_ / shading(open_, normals, weight), 0)
    tone = skin_tone(even, weight)
    trusted = np.asarray(weight * likeness(even, tone), np.float32)
    excess = np.log(np.maximum(even @ _LUMINANCE, DARKEST) / (tone @ _LUMINANCE))
    blur = _LEFT_OVER * len(color)
    mass = np.maximum(cv2.GaussianBlur(trusted, (0, 0), blur), 1e-4)
    slow = _TAKEN * cv2.GaussianBlur(np.asarray(trusted * excess, np.float32), (0, 0), blur) / mass
    glint = _GLINT_TAKEN * np.maximum(excess - slow - _GLINT, 0)
    return np.asarray(np.clip(even * np.exp(-slow - glint)[..., None], 0, 1), np.float32)


def skin_tone(color: FloatImage, weight: FloatImage) -> npt.NDArray[np.float32]:
    """Return the median linear RGB (3,) of what has weight."""
    return np.asarray(np.maximum(np.median(color[weight > 0.5], axis=0), DARKEST), np.float32)


def likeness(color: FloatImage, tone: npt.NDArray[np.float32], unlike: float = 0.35) -> FloatImage:
    """How like skin of a tone colors (N, N, 3) are, (N, N) from 0 to 1; by their ratio, which shade changes less.

    `unlike` is the natural logarithm of the ratio of a thing that is no skin.
    """
    away = np.log(np.maximum(color, DARKEST) / tone)
    return np.asarray(np.exp(-(away**2).sum(axis=2) / (2 * unlike**2)), np.float32)


def harmonics(normals: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Return the nine spherical harmonics of orders 0 to 2, up to factors, of unit normals (..., 3): (..., 9)."""
    x, y, z = np.moveaxis(normals, -1, 0)
    return np.stack([np.ones_like(x), x, y, z, x * y, y * z, 3 * z * z - 1, x * z, x * x - y * y], axis=-1)


def shading(color: FloatImage, normals: FloatImage, weight: FloatImage) -> FloatImage:
    """Estimate the light (N, N, 3) that fell on a surface, with a mean of 1 over the skin.

    Light that varies slowly over directions is nine numbers a channel (Ramamoorthi and Hanrahan, 2001). They are fitted
    to the colors as if all skin had one; by Huber's weights brows, beard and spots, which have another, count little.
    Arguments as those of `even_light`.
    """
    rows, columns = np.nonzero(weight > 0.3)
    step = max(len(rows) // 20_000, 1)
    rows, columns = rows[::step], columns[::step]
    unit = normals / np.maximum(np.linalg.norm(normals, axis=2, keepdims=True), 1e-6)
    design = np.asarray(harmonics(unit[rows, columns]), np.float64)
    every = harmonics(unit)
    light = np.empty_like(color)
    for channel in range(3):
        value = color[rows, columns, channel].astype(np.float64)
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
