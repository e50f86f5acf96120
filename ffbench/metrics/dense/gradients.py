"""Noise of a flow where the true one is smooth: gradients that are not there."""

from __future__ import annotations

import math

import numba
import numpy as np
import numpy.typing as npt

from ffbench.cards import MetricCard
from ffbench.flow.checks import UNKNOWN_THRESHOLD
from ffbench.scores import Term

SMOOTH = 0.1
"""Largest gradient of the true flow, px a px, of a pixel that counts as smooth."""
GRADIENT_METRIC = MetricCard(title="gradient of the error in smooth skin", unit="px/px", minimum=0)


def gradient_noise_term(prediction: npt.ArrayLike, truth: npt.ArrayLike, mask: npt.ArrayLike) -> Term:
    """Sum the gradient of a flow's error over the pixels where the true flow is smooth.

    The gradient of a field f at a pixel is the Frobenius norm of its forward differences,
    sqrt(|f(x + 1, y) - f(x, y)|^2 + |f(x, y + 1) - f(x, y)|^2). A pixel counts if it, its right and its lower
    neighbor are in the mask with a known true flow (below 1e9), and the gradient of the true flow there is at most
    0.1. A constant error, however large, has no gradient.

    Args:
        prediction, truth: (H, W, 2) float32 in px, finite where they count.
        mask: (H, W) bool, the skin.

    Returns:
        The sum of the gradients of prediction - truth, in px a px, and the number of pixels that count.

    Raises:
        ValueError: arrays that do not fit each other.

    >>> step = np.zeros((2, 3, 2), np.float32)
    >>> step[:, 1:, 0] = 0.5
    >>> gradient_noise_term(step, np.zeros((2, 3, 2)), np.ones((2, 3), bool))
    Term(sum=0.5, count=2.0)
    """
    flow, true_flow = (np.ascontiguousarray(array, np.float32) for array in (prediction, truth))
    counted = np.ascontiguousarray(mask, np.bool_)
    if flow.shape != true_flow.shape or flow.shape != (*counted.shape, 2):
        raise ValueError(f"shapes {flow.shape}, {true_flow.shape} and {counted.shape} do not fit each other")
    total, count = _sum_gradients(flow, true_flow, counted)
    return Term(float(total), float(count))


@numba.njit(cache=True, nogil=True)
def _sum_gradients(prediction, truth, mask):  # type: ignore[no-untyped-def]
    total, count = 0.0, 0
    for y in range(mask.shape[0] - 1):
        for x in range(mask.shape[1] - 1):
            if not (mask[y, x] and mask[y, x + 1] and mask[y + 1, x]):
                continue
            smooth, noise, known = 0.0, 0.0, True
            for c in range(2):
                here, right, below = np.float64(truth[y, x, c]), truth[y, x + 1, c], truth[y + 1, x, c]
                known &= abs(here) < UNKNOWN_THRESHOLD
                known &= abs(right) < UNKNOWN_THRESHOLD
                known &= abs(below) < UNKNOWN_THRESHOLD
                error = prediction[y, x, c] - here
                to_right = (prediction[y, x + 1, c] - np.float64(right)) - error
                to_below = (prediction[y + 1, x, c] - np.float64(below)) - error
                smooth += (right - here) ** 2 + (below - here) ** 2
                noise += to_right**2 + to_below**2
            if known and smooth <= SMOOTH * SMOOTH:
                total += math.sqrt(noise)
                count += 1
    return total, count
