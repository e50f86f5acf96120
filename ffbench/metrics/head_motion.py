"""The rigid part of a facial flow: what a method that gives one flow says about the head.

A flow is fitted by a motion of the image plane: `rigid` (rotation, translation and uniform scale: a head that turns in
the image plane, moves, and comes nearer) or `homography` (a plane that moves in space: it follows turns to the side and
nods as well). The fit is robust, since the face does not hold still while the head moves: iteratively reweighted least
squares, first by the sum of distances, then by Tukey's biweight, to which outliers do not count at all.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from ffbench.cards import MetricCard
from ffbench.scores import Term
from ffbench.typing import FlowField

Model = Literal["rigid", "homography"]
Derive = Literal["none", Model]
"""How a method with one flow gets a head flow: not at all, or by a model."""
Field = npt.NDArray[np.float64]

NATIVE_HEAD_FLOW = MetricCard(
    title="pairs whose head flow the method itself gave", unit="%", higher_is_better=True, minimum=0, maximum=100
)
MAX_POINTS = 2048
"""Pixels that are used, evenly spaced in scan order: enough for eight numbers, and fast."""
MIN_STABLE_POINTS = 64
_LEAST_DISTANCE_STEPS = 10
_BIWEIGHT_STEPS = 20
_BIWEIGHT_CUT = 4.685
"""In standard deviations: 95 % efficient under normal noise (Holland and Welsch 1977)."""
_SIGMA_OF_MEDIAN = 1 / 1.17741
"""Standard deviation of each component of a planar normal error over the median of its length."""
_LEAST_SIGMA = 1e-3
"""In px. Exact flows would otherwise leave no scale, and drop pixels by their round-off."""
_CONVERGED = 1e-8
_LEAST_DEPTH = 0.25
"""A plane that recedes to less than this share of its size at the image's border is no head."""


def native_head_flow_term(head: FlowField | None) -> Term:
    """Return the term of `OWN_HEAD`: 100 % of a pair where the method gave a head flow, 0 % where it was derived.

    >>> native_head_flow_term(np.zeros((2, 2, 2), np.float32)), native_head_flow_term(None)
    (Term(sum=100.0, count=1.0), Term(sum=0.0, count=1.0))
    """
    return Term(0.0 if head is None else 100.0, 1.0)


def fit_head_flow(
    flow: npt.ArrayLike, mask: npt.NDArray[np.bool_], model: Model, stable: npt.NDArray[np.bool_] | None = None
) -> FlowField:
    """Fit the rigid part of a facial flow and give it as a flow over the whole image.

    Args:
        flow: (H, W, 2) facial flow in px, finite inside the mask.
        mask: (H, W) bool, the head; not empty.
        model: `rigid` or `homography`.
        stable: (H, W) bool, regions that expressions move least; used, within the mask, if they have at least
            `MIN_STABLE_POINTS` pixels.

    Returns:
        (H, W, 2) float32 in px. A homography that does not hold over the whole image gives way to `rigid`.

    >>> flow = np.full((20, 20, 2), (2.0, -1.0))
    >>> flow[14:18, 8:12] = (2.0, 3.0)  # a mouth that opens
    >>> fit_head_flow(flow, np.ones((20, 20), bool), "rigid")[16, 10].round(3).tolist()
    [2.0, -1.0]
    """
    chosen = mask if stable is None or np.count_nonzero(mask & stable) < MIN_STABLE_POINTS else mask & stable
    height, width = mask.shape
    rows, columns = np.nonzero(chosen)
    step = -(-len(rows) // MAX_POINTS)
    rows, columns = rows[::step], columns[::step]
    # Coordinates of the order of one keep the equations well conditioned.
    center, unit = np.array([(width - 1) / 2, (height - 1) / 2]), max(width, height) / 2
    points = (np.stack([columns, rows], axis=1) - center) / unit
    moved = np.asarray(flow, np.float64)[rows, columns] / unit
    everywhere = (np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=2).reshape(-1, 2) - center) / unit
    parameters = _fit(points, moved, model, _LEAST_SIGMA / unit)
    if (_depth(everywhere, parameters) < _LEAST_DEPTH).any():
        parameters = _fit(points, moved, "rigid", _LEAST_SIGMA / unit)
    head: FlowField = (_move(everywhere, parameters) * unit).reshape(height, width, 2).astype(np.float32)
    return head


def _fit(points: Field, moved: Field, model: Model, least_sigma: float) -> Field:
    """Fit the parameters (8,) of `_move` to displacements (N, 2) of points (N, 2)."""
    matrix, right = _equations(points, moved, model), moved.T.reshape(-1)
    parameters, weights = np.zeros(8), np.ones(len(points))
    for step in range(_LEAST_DISTANCE_STEPS + _BIWEIGHT_STEPS):
        # The equations were multiplied by the depth; without it their errors are distances in the image.
        weighted = matrix * np.tile(weights / _depth(points, parameters) ** 2, 2)[:, None]
        # einsum, and not a BLAS product, whose last digits depend on the number of threads.
        normal, projected = np.einsum("ni,nj->ij", weighted, matrix), np.einsum("ni,n->i", weighted, right)
        previous, parameters = parameters, _expand(np.linalg.lstsq(normal, projected, rcond=1e-12)[0])
        error = np.linalg.norm(_move(points, parameters) - moved, axis=1)
        if step < _LEAST_DISTANCE_STEPS:
            weights = 1 / np.maximum(error, least_sigma)
            continue
        if np.abs(parameters - previous).max() < _CONVERGED:
            break
        sigma = max(float(np.median(error)) * _SIGMA_OF_MEDIAN, least_sigma)
        weights = np.maximum(1 - (error / (_BIWEIGHT_CUT * sigma)) ** 2, 0) ** 2
    return parameters


def _equations(points: Field, moved: Field, model: Model) -> Field:
    """Return the matrix (2 N, 8) or (2 N, 4) of the linear equations for the parameters; rows of x, then rows of y.

    A homography moves p to (p + g(p)) / (1 + s(p)) with g affine and s linear, so that the displacement d obeys
    d = g(p) - (p + d) s(p).
    """
    x, y = points.T
    one, none = np.ones(len(points)), np.zeros(len(points))
    if model == "rigid":
        return np.concatenate([np.stack([x, -y, one, none], axis=1), np.stack([y, x, none, one], axis=1)])
    qx, qy = (points + moved).T
    return np.concatenate(
        [
            np.stack([x, y, one, none, none, none, -qx * x, -qx * y], axis=1),
            np.stack([none, none, none, x, y, one, -qy * x, -qy * y], axis=1),
        ]
    )


def _expand(solution: Field) -> Field:
    if len(solution) == 8:
        return solution
    a, b, right, down = solution
    return np.array([a, -b, right, b, a, down, 0.0, 0.0])


def _move(points: Field, parameters: Field) -> Field:
    """Return the displacement (N, 2) of points (N, 2) under the parameters (g1 to g6 of g, then two of s)."""
    affine = points @ parameters[:6].reshape(2, 3)[:, :2].T + parameters[[2, 5]]
    depth = _depth(points, parameters)[:, None]
    moved: Field = (affine - points * (depth - 1)) / depth
    return moved


def _depth(points: Field, parameters: Field) -> Field:
    depth: Field = 1 + points @ parameters[6:]
    return depth
