"""Slow, obvious float64 re-statements of what the DecFlow networks compute fast."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def bilinear(image: Array, x: float, y: float) -> Array:
    """Read an (H, W, C) image between its pixels; outside it everything is zero."""
    height, width = image.shape[:2]
    value = np.zeros(image.shape[2:])
    for row in (math.floor(y), math.floor(y) + 1):
        for column in (math.floor(x), math.floor(x) + 1):
            if 0 <= row < height and 0 <= column < width:
                value = value + image[row, column] * (1 - abs(x - column)) * (1 - abs(y - row))
    return value


def correlation_windows(features1: Array, features2: Array, centers: Array, radius: int) -> Array:
    """Correlate (B, H, W, C) with windows of (B, h, w, C) around centres (B, H, W, 2): (B, H, W, side ** 2)."""
    batch, height, width, channels = features1.shape
    side = 2 * radius + 1
    result = np.zeros((batch, height, width, side, side))
    for b, row, column in np.ndindex(batch, height, width):
        x, y = centers[b, row, column]
        for i, j in np.ndindex(side, side):
            other = bilinear(features2[b], x + i - radius, y + j - radius)
            result[b, row, column, i, j] = features1[b, row, column] @ other / math.sqrt(channels)
    return result.reshape(batch, height, width, side * side)


def pooled(features: Array) -> Array:
    """Mean of 2x2 cells of (B, H, W, C); an odd last row or column is left out."""
    batch, height, width, channels = features.shape
    result = np.zeros((batch, height // 2, width // 2, channels))
    for row, column in np.ndindex(height // 2, width // 2):
        result[:, row, column] = features[:, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2].mean(axis=(1, 2))
    return result


def convex_upsample(flow: Array, weights: Array, factor: int) -> Array:
    """Upsample one flow (2, h, w) by weights (9 * factor * factor, h, w) before the softmax."""
    _, height, width = flow.shape
    weights = weights.reshape(9, factor, factor, height, width)
    result = np.zeros((2, factor * height, factor * width))
    for row, column, y, x in np.ndindex(height, width, factor, factor):
        share = np.exp(weights[:, y, x, row, column])
        share = share / share.sum()
        for n in range(9):
            r, c = row + n // 3 - 1, column + n % 3 - 1
            if 0 <= r < height and 0 <= c < width:
                result[:, factor * row + y, factor * column + x] += share[n] * factor * flow[:, r, c]
    return result


def sequence_loss(predictions: list[Array], target: Array, counted: npt.NDArray[np.bool_], gamma: float) -> float:
    """RAFT's loss over flows (B, 2, H, W), of the pixels (B, H, W) that count, divided by all."""
    total = 0.0
    for step, flow in enumerate(predictions):
        weight = gamma ** (len(predictions) - 1 - step)
        error = 0.0
        for b, channel, row, column in np.ndindex(*target.shape):
            if counted[b, row, column]:
                error += abs(flow[b, channel, row, column] - target[b, channel, row, column])
        total += weight * error / target.size
    return total
