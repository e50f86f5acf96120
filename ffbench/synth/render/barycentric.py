"""Barycentric coordinates of a place on the screen, for the kernels that go through the pixels."""

from __future__ import annotations

import numba


@numba.njit(cache=True, inline="always", boundscheck=False)
def areas(xy, a, b, c, x, y):  # type: ignore[no-untyped-def]
    """Twice the signed areas that (x, y) and two corners each enclose: opposite corner `a`, `b` and `c` of `xy` (V, 2).

    Divided by their sum they are the barycentric coordinates on the screen; each times its corner's 1/depth first,
    those of the point of the surface (perspective-correct interpolation).
    """
    ax, ay = xy[a, 0] - x, xy[a, 1] - y
    bx, by = xy[b, 0] - x, xy[b, 1] - y
    cx, cy = xy[c, 0] - x, xy[c, 1] - y
    return bx * cy - cx * by, cx * ay - ax * cy, ax * by - bx * ay
