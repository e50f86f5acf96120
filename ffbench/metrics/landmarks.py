"""Errors of a flow at landmarks: endpoint error, and what is left of it without the motion of the whole face."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from ffbench.scores import Term
from ffbench.typing import Mask, Points


def endpoint_errors(predicted: npt.ArrayLike, reference: npt.ArrayLike) -> Points:
    """Return the Euclidean distance between two displacements at each point (paper, Eq. 6), in their unit.

    Args:
        predicted, reference: (N, 2) displacements, x and y.

    Returns:
        (N,) float64, NaN where either displacement is.

    >>> endpoint_errors([[3.0, 4.0], [1.0, 1.0]], [[0.0, 0.0], [1.0, 1.0]]).tolist()
    [5.0, 0.0]
    """
    difference = _points(predicted) - _points(reference)
    return np.asarray(np.hypot(difference[:, 0], difference[:, 1]), np.float64)


def nonrigid_residual(points: npt.ArrayLike, displacement: npt.ArrayLike) -> Points:
    """Take the best similarity transform (translation, rotation, scale) out of a displacement field.

    T is the similarity that minimises the sum over the points of |p + d - T(p)|^2; the residual is p + d - T(p).

    In the plane T(p) = c p + t with complex c and t, so the fit is linear least squares and the residual is
    (I - P)(p + d), where P projects onto the space spanned by p and the constant. The points themselves lie in
    that space, hence (I - P)(p + d) = (I - P) d: the residual is *linear* in d. Two things follow.
    Fitting prediction and reference each by its own T and comparing the residuals is the same as taking one best
    similarity out of their difference: r(d1) - r(d2) = r(d1 - d2). And adding any similarity motion to d leaves
    the residual as it is.

    Args:
        points: (N, 2) finite positions, N >= 3. Two points are carried anywhere by a similarity, so that the
            residual of fewer than three says nothing.
        displacement: (N, 2) finite displacements.

    Returns:
        (N, 2) float64 residual, in the unit of the displacement. Where all points coincide only the translation
        can be told, and only it is taken out.

    Raises:
        ValueError: fewer than three points, or arrays that do not fit each other.

    >>> square = [[0, 0], [2, 0], [2, 2], [0, 2]]
    >>> nonrigid_residual(square, [[1, 5], [1, 5], [1, 5], [1, 5]]).round(9).tolist()  # a shift
    [[0.0, 0.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]]
    >>> nonrigid_residual(square, [[0, 0], [0, 0], [0, 0], [4, 4]]).tolist()  # one corner moves
    [[0.0, -2.0], [0.0, 0.0], [-2.0, 0.0], [2.0, 2.0]]
    """
    position, moved = _points(points), _points(displacement)
    if position.shape != moved.shape or len(position) < 3:
        raise ValueError(f"expected two (N, 2) arrays, N >= 3, got {position.shape} and {moved.shape}")
    z = _centerd(position)
    d = _centerd(moved)
    power = np.vdot(z, z).real
    residual = d - (np.vdot(z, d) / power if power else 0.0) * z
    return np.stack([residual.real, residual.imag], axis=1)


def nonrigid_errors(points: npt.ArrayLike, predicted: npt.ArrayLike, reference: npt.ArrayLike) -> Points:
    """Return the endpoint error after each displacement field has lost its own best similarity transform.

    See `nonrigid_residual` for the fit, arguments and errors; the result is (N,) float64.

    >>> points = [[0, 0], [2, 0], [2, 2], [0, 2]]
    >>> still, grown = [[0, 0]] * 4, [[0, 0], [1, 0], [1, 1], [0, 1]]
    >>> endpoint_errors(grown, still).round(3).tolist(), nonrigid_errors(points, grown, still).round(3).tolist()
    ([0.0, 1.0, 1.414, 1.0], [0.0, 0.0, 0.0, 0.0])
    """
    return endpoint_errors(nonrigid_residual(points, predicted), nonrigid_residual(points, reference))


def error_terms(metric: str, errors: Points, valid: Mask, groups: Mapping[str, Mask]) -> dict[str, Term]:
    """Sum `errors` over the valid points, and over those of each group.

    Args:
        metric: name of the terms: `metric` and `metric/group`.
        errors: (N,) one error a point.
        valid: (N,) the points that count.
        groups: (N,) members of each group by its name.

    Returns:
        Sums and counts in float64; a group without a valid point has no term.

    >>> error_terms("epe", np.array([1.0, 2.0, 9.0]), np.array([True, True, False]),
    ...             {"lips": np.array([False, True, True])})
    {'epe': Term(sum=3.0, count=2.0), 'epe/lips': Term(sum=2.0, count=1.0)}
    """
    members = {metric: valid, **{f"{metric}/{name}": valid & group for name, group in groups.items()}}
    return {name: Term(float(errors[m].sum()), float(m.sum())) for name, m in members.items() if m.any()}


def motion_bins(displacement: npt.ArrayLike, edges: tuple[float, ...]) -> dict[str, Mask]:
    """Sort points by how far they move: from 0 to the first edge, between edges, and from the last edge on.

    Args:
        displacement: (N, 2) reference displacements in px.
        edges: rising positive edges in px; a bin holds its lower edge, not its upper one.

    >>> {name: mask.tolist() for name, mask in motion_bins([[0, 0], [3, 4]], (1, 5)).items()}
    {'motion_0-1px': [True, False], 'motion_1-5px': [False, False], 'motion_5px+': [False, True]}
    """
    d = _points(displacement)
    length = np.hypot(d[:, 0], d[:, 1])
    lower = (0.0, *edges)
    bins = {
        f"motion_{low:g}-{high:g}px": (length >= low) & (length < high) for low, high in zip(lower, edges, strict=False)
    }
    return {**bins, f"motion_{lower[-1]:g}px+": length >= lower[-1]}


def _points(values: npt.ArrayLike) -> Points:
    points = np.asarray(values, np.float64)
    if points.ndim != 2 or points.shape[1] != 2:
        raise ValueError(f"expected (N, 2), got {points.shape}")
    return points


def _centerd(points: Points) -> npt.NDArray[np.complex128]:
    values = points[:, 0] + 1j * points[:, 1]
    return np.asarray(values - values.mean(), np.complex128)
