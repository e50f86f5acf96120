"""Piecewise affine flow, pixel by pixel, over all triangles whose circumcircle holds no other landmark."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def delaunay_slowly(points: Array) -> list[tuple[int, int, int]]:
    """The Delaunay triangles of points of which no four lie on one circle."""
    found = []
    for corners in combinations(range(len(points)), 3):
        a, b, c = points[list(corners)]
        # The centre is as far from a as from b and from c.
        try:
            center = np.linalg.solve(2 * np.array([b - a, c - a]), [b @ b - a @ a, c @ c - a @ a])
        except np.linalg.LinAlgError:
            continue
        radius = np.linalg.norm(a - center)
        others = [p for i, p in enumerate(points) if i not in corners]
        if all(np.linalg.norm(p - center) > radius for p in others):
            found.append(corners)
    return found


def piecewise_affine_slowly(
    points1: Array, points2: Array, size: tuple[int, int]
) -> tuple[Array, npt.NDArray[np.bool_]]:
    """Flow (H, W, 2) and mask (H, W): each triangle's affine matrix is solved for, and applied to its pixels."""
    flow, mask = np.zeros((*size, 2)), np.zeros(size, bool)
    for corners in delaunay_slowly(points1):
        source = np.column_stack([points1[list(corners)], np.ones(3)])
        affine = np.linalg.solve(source, points2[list(corners)]).T
        for y in range(size[0]):
            for x in range(size[1]):
                pixel = np.array([x, y, 1.0])
                if (np.linalg.solve(source.T, pixel) >= 0).all():
                    flow[y, x] = affine @ pixel - pixel[:2]
                    mask[y, x] = True
    return flow, mask
