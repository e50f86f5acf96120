"""The rigid fit of a flow, as a least-squares problem that is written out and solved by NumPy in float64."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def fit_head_flow(flow: Array, depth: Array, weight: Array, step: int, ridge: tuple[float, ...]) -> Array:
    """Fit 10 coefficients to a flow (H, W, 2) with depth and weight (H, W); return the fitted flow (H, W, 2).

    `ridge` (10,) is relative to the sum of weights. It becomes ten further equations.
    """
    height, width = depth.shape
    rows = [(y, x) for y in range(0, height, step) for x in range(0, width, step)]
    weights = np.array([weight[y, x] for y, x in rows])
    total = weights.sum() + 1e-6
    points = np.array([[x, y, depth[y, x]] for y, x in rows], np.float64)
    centre = (weights[:, None] * points).sum(axis=0) / total
    spread = np.sqrt((weights[:, None] * (points - centre)[:, :2] ** 2).sum() / total / 2 + 1)

    def basis(x: float, y: float, z: float) -> Array:
        x, y, z = (x - centre[0]) / spread, (y - centre[1]) / spread, z - centre[2]
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
