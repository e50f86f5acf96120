"""Rigid motions, fitted to a flow and aligned to images: least squares that is written out, in float64."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Array = npt.NDArray[np.float64]


def fit_motion(flow: Array, depth: Array, weight: Array, step: int, ridge: tuple[float, ...]) -> Array:
    """Fit 10 coefficients to a flow (H, W, 2) with depth and weight (H, W); return the fitted flow (H, W, 2).

    `ridge` (10,) is relative to the sum of weights. It becomes ten further equations.
    """
    height, width = depth.shape
    rows = [(y, x) for y in range(0, height, step) for x in range(0, width, step)]
    weights = np.array([weight[y, x] for y, x in rows])
    total = weights.sum() + 1e-6
    points = np.array([[x, y, depth[y, x]] for y, x in rows], np.float64)
    center = (weights[:, None] * points).sum(axis=0) / total
    spread = np.sqrt((weights[:, None] * (points - center)[:, :2] ** 2).sum() / total / 2 + 1)

    def basis(x: float, y: float, z: float) -> Array:
        x, y, z = (x - center[0]) / spread, (y - center[1]) / spread, z - center[2]
        return np.array([[1, x, y, z, 0, 0, 0, 0, x * x, x * y], [0, 0, 0, 0, 1, x, y, z, x * y, y * y]])

    equations, right = [], []
    for (y, x), w in zip(rows, weights, strict=True):
        equations.append(np.sqrt(w) * basis(x, y, depth[y, x]))
        right.append(np.sqrt(w) * flow[y, x])
    equations.append(np.diag(np.sqrt(np.array(ridge) * total)))
    right.append(np.zeros(10))
    solution = np.linalg.lstsq(np.concatenate(equations), np.concatenate(right), rcond=None)[0]
    fitted = [[basis(x, y, depth[y, x]) @ solution for x in range(width)] for y in range(height)]
    return np.array(fitted)


def align_once(
    coefficients: Array,
    coordinates: Array,
    first: Array,
    second: Array,
    weight: Array,
    *,
    step: int,
    half: float,
    damping: float,
) -> Array:
    """Make one Gauss-Newton round on two images (H, W); return the coefficients (10,) after it.

    `coordinates` (H, W, 3) are the x, y and z that the coefficients (10,) are of; `half` is the residual of half
    weight, `damping` the share of the mean of the diagonal that is added to it.
    """
    height, width = first.shape

    def slopes(image: Array) -> tuple[Array, Array]:
        padded = np.pad(image, 1, mode="edge")
        return (padded[1:-1, 2:] - padded[1:-1, :-2]) / 2, (padded[2:, 1:-1] - padded[:-2, 1:-1]) / 2

    (first_x, first_y), (second_x, second_y) = slopes(first), slopes(second)
    normal, right = np.zeros((10, 10)), np.zeros(10)
    for row in range(0, height, step):
        for column in range(0, width, step):
            x, y, z = coordinates[row, column]
            basis_u = np.array([1, x, y, z, 0, 0, 0, 0, x * x, x * y])
            basis_v = np.array([0, 0, 0, 0, 1, x, y, z, x * y, y * y])
            to_x, to_y = column + basis_u @ coefficients, row + basis_v @ coefficients
            if not (0 <= to_x <= width - 1 and 0 <= to_y <= height - 1):
                continue
            there, there_x, there_y = (
                ndimage.map_coordinates(image, [[to_y], [to_x]], order=1)[0] for image in (second, second_x, second_y)
            )
            residual = there - first[row, column]
            along_x, along_y = (there_x + first_x[row, column]) / 2, (there_y + first_y[row, column]) / 2
            jacobian = along_x * basis_u + along_y * basis_v
            trust = weight[row, column] / (1 + (residual / half) ** 2)
            normal += trust * np.outer(jacobian, jacobian)
            right += trust * jacobian * residual
    normal += np.eye(10) * (damping * np.diag(normal).mean() + 1e-6)
    return coefficients - np.linalg.solve(normal, right)


def local_contrast(image: Array, fine: float, coarse: float, flat: float) -> Array:
    """Return grey values (H, W) of RGB (3, H, W) in [-1, 1], without brightness and contrast of their surroundings."""

    def blurred(values: Array, deviation: float) -> Array:
        reach = max(1, round(3 * deviation))
        kernel = np.exp(-((np.arange(-reach, reach + 1) / deviation) ** 2) / 2)
        kernel /= kernel.sum()
        return ndimage.convolve1d(ndimage.convolve1d(values, kernel, 1, mode="nearest"), kernel, 0, mode="nearest")

    smooth = blurred(image.mean(axis=0) / 2, fine)
    band = smooth - blurred(smooth, coarse)
    return band / np.sqrt(blurred(band**2, coarse) + flat**2)
