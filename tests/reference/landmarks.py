"""Landmark metrics restated slowly: loops, and a similarity fitted as a general least-squares problem."""

from __future__ import annotations

import itertools
import math

import numpy as np


def epe(predicted: np.ndarray, reference: np.ndarray) -> list[float]:
    errors = []
    for i in range(len(predicted)):
        dx = float(predicted[i][0]) - float(reference[i][0])
        dy = float(predicted[i][1]) - float(reference[i][1])
        errors.append(math.sqrt(dx * dx + dy * dy))
    return errors


def similarity_residual(points: np.ndarray, displacement: np.ndarray) -> np.ndarray:
    """Fit x' = a x - b y + tx, y' = b x + a y + ty to where the points go, row by row; give what is left."""
    rows, targets = [], []
    for (x, y), (u, v) in zip(points, displacement, strict=True):
        rows += [[x, -y, 1, 0], [y, x, 0, 1]]
        targets += [x + u, y + v]
    a, b, tx, ty = np.linalg.lstsq(np.array(rows, float), np.array(targets, float), rcond=None)[0]
    residual = []
    for (x, y), (u, v) in zip(points, displacement, strict=True):
        residual.append([x + u - (a * x - b * y + tx), y + v - (b * x + a * y + ty)])
    return np.array(residual)


def bilinear(field: np.ndarray, x: float, y: float) -> np.ndarray:
    """Interpolate an (H, W, C) array at one point inside it."""
    height, width = field.shape[:2]
    left, top = min(math.floor(x), width - 2), min(math.floor(y), height - 2)
    total = np.zeros(field.shape[2])
    for row in (top, top + 1):
        for column in (left, left + 1):
            weight = (1 - abs(x - column)) * (1 - abs(y - row))
            total = total + weight * field[row, column].astype(float)
    return total


def in_hull(points: np.ndarray, x: float, y: float) -> bool:
    """Tell whether (x, y) lies in the convex hull: no line through it leaves all the points strictly on one side."""
    angles = sorted(math.atan2(py - y, px - x) for px, py in points if math.hypot(px - x, py - y) > 1e-9)
    if len(angles) < len(points):
        return True  # it is one of them
    gaps = [b - a for a, b in itertools.pairwise(angles)] + [angles[0] + 2 * math.pi - angles[-1]]
    return max(gaps) <= math.pi + 1e-9


def photometric(image1: np.ndarray, image2: np.ndarray, flow: np.ndarray, mask: np.ndarray) -> tuple[float, int]:
    height, width = mask.shape
    total, count = 0.0, 0
    for row in range(height):
        for column in range(width):
            x, y = column + float(flow[row, column, 0]), row + float(flow[row, column, 1])
            if mask[row, column] and 0 <= x <= width - 1 and 0 <= y <= height - 1:
                seen = bilinear(image2, x, y)
                total += sum(abs(seen[c] - float(image1[row, column, c])) for c in range(3)) / 3
                count += 1
    return total, count


def consistency(forward: np.ndarray, backward: np.ndarray, mask: np.ndarray) -> tuple[float, int]:
    height, width = mask.shape
    total, count = 0.0, 0
    for row in range(height):
        for column in range(width):
            u, v = (float(value) for value in forward[row, column])
            x, y = column + u, row + v
            if mask[row, column] and 0 <= x <= width - 1 and 0 <= y <= height - 1:
                back = bilinear(backward, x, y)
                total += math.hypot(u + back[0], v + back[1])
                count += 1
    return total, count
