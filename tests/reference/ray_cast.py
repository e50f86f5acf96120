"""Flow of a moving surface by casting rays, one pixel and one triangle at a time: slow, in float64, and plain."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def cast(direction: FloatArray, points: FloatArray, triangles: npt.NDArray[np.int32]) -> tuple[int, FloatArray] | None:
    """Return the nearest triangle that a ray from the origin hits from its front, and the place (3,) as weights.

    Moeller and Trumbore's equations: origin + t d = (1 - u - v) a + u b + v c. A front shows its corners
    counter-clockwise to whom looks at it with y up; here y is down.
    """
    best, found = np.inf, None
    for number, (a, b, c) in enumerate(points[triangles]):
        matrix = np.column_stack([-direction, b - a, c - a])
        determinant = np.linalg.det(matrix)
        # The side that it shows: the normal against the ray.
        if abs(determinant) < 1e-14 or np.cross(b - a, c - a) @ direction >= 0:
            continue
        t, u, v = np.linalg.solve(matrix, -a)
        if t > 0 and min(u, v, 1 - u - v) >= -1e-9 and t < best:
            best, found = t, (number, np.array([1 - u - v, u, v]))
    return found


def near(direction: FloatArray, points: FloatArray, triangles: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """Return the triangles whose box in the image holds the ray, so that not all have to be cast against."""
    seen = points[triangles][..., :2] / points[triangles][..., 2:]
    place = direction[:2] / direction[2]
    return np.flatnonzero(((seen.min(axis=1) <= place + 1e-6) & (seen.max(axis=1) >= place - 1e-6)).all(axis=1))


def flow_at(
    x: int, y: int, size: tuple[int, int], focal: float, first: FloatArray, second: FloatArray,
    triangles: npt.NDArray[np.int32],
) -> tuple[FloatArray, bool] | None:  # fmt: skip
    """Return the flow (2,) of pixel (x, y), px, and whether frame 2 hides its point; None where there is no surface.

    Args:
        x, y: of the pixel.
        size: height and width of the image.
        focal: px.
        first, second: (V, 3) the surface in both frames, in the camera's axes.
        triangles: (T, 3).
    """
    center = np.array([(size[1] - 1) / 2, (size[0] - 1) / 2])
    ray = np.array([*((np.array([x, y]) - center) / focal), 1.0])
    some = near(ray, first, triangles)
    hit = cast(ray, first, triangles[some])
    if hit is None:
        return None
    corners = triangles[some[hit[0]]]
    place = hit[1] @ second[corners]
    back = place / place[2]
    some = near(back, second, triangles)
    seen = cast(back, second, triangles[some])
    landing = back[:2] * focal + center
    inside = -0.5 <= landing[0] <= size[1] - 0.5 and -0.5 <= landing[1] <= size[0] - 0.5
    hidden = not inside or seen is None
    if not hidden and seen is not None:
        nearest = seen[1] @ second[triangles[some[seen[0]]]]
        hidden = bool(nearest[2] < place[2] - 1e-4)
    return landing - np.array([x, y]), hidden
