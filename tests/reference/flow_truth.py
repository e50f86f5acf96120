"""Ground truth of a frame pair by casting rays: where does the point that a pixel sees go, and is it seen there."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tests.reference.raster import FloatArray, Hit, cast_many


class Truth(NamedTuple):
    """Of one pixel: what its ray meets, flow (2,), planar depth, and whether frame 2 hides the point."""

    hit: Hit
    flow: FloatArray
    depth: float
    hidden: bool
    margin: float
    """How far the hidden/seen answer is from changing, in pixels or hundredths of a dm."""


def truth(
    points1: FloatArray,
    points2: FloatArray,
    triangles: npt.NDArray[np.int32],
    two_sided: npt.NDArray[np.bool_],
    focal: float,
    height: int,
    width: int,
    pixels: npt.NDArray[np.int64],
) -> list[Truth]:
    """Work out pixels (N, 2), x and y, of a mesh in the camera's axes in both frames."""
    center = ((width - 1) / 2, (height - 1) / 2)
    first = cast_many(points1, triangles, two_sided, focal, pixels.astype(np.float64), center)
    landed = []
    for hit in first:
        point = hit.weights @ points2[triangles[hit.triangle]] if hit.triangle >= 0 else np.array([0.0, 0.0, 1.0])
        landed.append([*(focal * point[:2] / point[2] + np.array(center)), point[2]])
    second = cast_many(points2, triangles, two_sided, focal, np.array(landed)[:, :2], center)
    result = []
    for pixel, hit, (x, y, z), other in zip(pixels, first, landed, second, strict=True):
        inside = -0.5 <= x <= width - 0.5 and -0.5 <= y <= height - 0.5
        hidden = not inside or other.depth < z - 1e-4 or other.triangle == -1
        if hit.triangle >= 0:
            corners = triangles[hit.triangle]
            hidden = hidden or _faces_away(points1[corners]) != _faces_away(points2[corners])
        border = min(abs(x + 0.5), abs(y + 0.5), abs(x - width + 0.5), abs(y - height + 0.5))
        # Its own surface is met at its own depth; another one should be clearly nearer.
        gap = np.inf if abs(other.depth - z) < 1e-7 else 100 * abs(z - other.depth)
        margin = min(other.clearance, border, gap)
        result.append(Truth(hit, np.array([x, y]) - pixel, hit.depth, hidden, margin))
    return result


def _faces_away(corners: FloatArray) -> bool:
    return bool(np.dot(np.cross(corners[1] - corners[0], corners[2] - corners[0]), corners[0]) > 0)
