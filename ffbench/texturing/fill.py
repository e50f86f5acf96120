"""Fills what a photograph does not show, without seams."""

from __future__ import annotations

import numpy as np

from ffbench.synth.render.bake import FloatImage
from ffbench.texturing.light import DARKEST

_LARGEST_GAIN = 4.0


def push_pull(value: FloatImage, weight: FloatImage) -> FloatImage:
    """Continue an image (H, W, C) smoothly from where it has weight (H, W) to where it has none.

    Means over ever larger squares are pushed up a pyramid and pulled down into the holes (Gortler et al., 1996).
    """
    import cv2

    height, width = weight.shape
    if min(height, width) <= 1:
        return value
    half = (max(width // 2, 1), max(height // 2, 1))
    mass = cv2.resize(weight, half, interpolation=cv2.INTER_AREA)
    total = cv2.resize(value * weight[..., None], half, interpolation=cv2.INTER_AREA)
    coarse = np.reshape(total, (half[1], half[0], -1)) / np.maximum(mass, 1e-6)[..., None]
    # A square with any weight at all is worth as much as four times that.
    below = push_pull(np.asarray(coarse, np.float32), np.asarray(np.minimum(4 * mass, 1), np.float32))
    pulled = np.reshape(cv2.resize(below, (width, height), interpolation=cv2.INTER_LINEAR), value.shape)
    return np.asarray(weight[..., None] * value + (1 - weight[..., None]) * pulled, np.float32)


def blend(own: FloatImage, weight: FloatImage, base: FloatImage, trusted: FloatImage) -> FloatImage:
    """Show `own` (N, N, 3) where it has weight, and `base` (N, N, 3) elsewhere, brought to own's color.

    The ratio of the two is continued from where it is known and trusted (N, N) to where it is not, so that the base
    keeps its detail and there is no step at the border. Linear RGB.
    """
    import cv2

    ratio = np.log(np.maximum(own, DARKEST) / np.maximum(base, DARKEST))
    ratio = np.clip(ratio, -np.log(_LARGEST_GAIN), np.log(_LARGEST_GAIN)).astype(np.float32)
    gain = push_pull(ratio, trusted)
    gain = np.asarray(cv2.GaussianBlur(gain, (0, 0), len(own) / 64), np.float32)
    return np.asarray(weight[..., None] * own + (1 - weight[..., None]) * base * np.exp(gain), np.float32)
