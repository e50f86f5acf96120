"""Which triangle a pixel sees, by casting a ray through its centre at every triangle, in float64."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


class Hit(NamedTuple):
    """What one ray meets first: triangle (-1 for nothing), barycentric weights in space, planar depth.

    `clearance` is how near the ray comes to a border where the answer changes: the least weight of the
    triangle, times its size in pixels. Tests leave out rays that graze a border.
    """

    triangle: int
    weights: FloatArray
    depth: float
    clearance: float


def cast(
    points: FloatArray,
    triangles: npt.NDArray[np.int32],
    two_sided: npt.NDArray[np.bool_],
    focal: float,
    position: FloatArray,
    center: tuple[float, float],
) -> Hit:
    """Cast the ray of an image position at a mesh in the camera's axes (x right, y down, z forward)."""
    ray = np.array([*(position - np.array(center)) / focal, 1.0])
    corners = points[triangles]
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    # Where wa a + wb b + wc c = s ray with wa + wb + wc = 1, by Cramer's rule.
    volume = np.einsum("ti,i->t", np.cross(b - a, c - a), ray)
    with np.errstate(divide="ignore", invalid="ignore"):
        wa = np.einsum("ti,i->t", np.cross(b, c), ray) / volume
        wb = np.einsum("ti,i->t", np.cross(c, a), ray) / volume
        wc = np.einsum("ti,i->t", np.cross(a, b), ray) / volume
        s = wa * a[:, 2] + wb * b[:, 2] + wc * c[:, 2]
    least = np.minimum(np.minimum(wa, wb), wc)
    size = focal * np.abs(corners - corners.mean(axis=1, keepdims=True)).max(axis=(1, 2)) / np.maximum(s, 1e-9)
    possible = np.isfinite(least) & (s > 0)
    clearance = float(np.min(np.abs(least * size), where=possible, initial=np.inf))
    # Counter-clockwise seen from outside, in axes that look away from the viewer with y down.
    met = np.flatnonzero(possible & ((volume < 0) | two_sided) & (least >= 0))
    if len(met) == 0:
        return Hit(-1, np.zeros(3), np.inf, clearance)
    t = int(met[np.argmin(s[met])])
    return Hit(t, np.array([wa[t], wb[t], wc[t]]), float(s[t]), clearance)


def cast_many(
    points: FloatArray,
    triangles: npt.NDArray[np.int32],
    two_sided: npt.NDArray[np.bool_],
    focal: float,
    positions: FloatArray,
    center: tuple[float, float],
) -> list[Hit]:
    """Cast rays at many positions (N, 2), looking only at triangles whose image box comes near each."""
    xy = focal * points[:, :2] / points[:, 2:] + np.array(center)
    corners = xy[triangles]
    low, high = corners.min(axis=1) - 1, corners.max(axis=1) + 1
    hits = []
    for position in positions:
        near = np.flatnonzero((low <= position).all(axis=1) & (high >= position).all(axis=1))
        hit = cast(points, triangles[near], two_sided[near], focal, position, center)
        hits.append(hit._replace(triangle=int(near[hit.triangle])) if hit.triangle >= 0 else hit)
    return hits
