"""Flow labels made from landmarks alone, as FMEAD's: triangles between them, one affine map each.

After Alkaddour, Tariq and Dhall, "Self-supervised approach for facial movement based optical flow" (IEEE
Transactions on Affective Computing 13(4), 2022), whose method the FacialFlowNet paper applied to MEAD.
"""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

SMALLEST_AREA = 1e-9
"""Twice the area, in px^2, below which a triangle counts as a line and covers nothing."""
TOLERANCE = 1e-9
"""By how much, in barycentric coordinates, a pixel's centre may be outside: those on an edge count."""


def piecewise_affine_flow(
    landmarks1: npt.NDArray[np.floating], landmarks2: npt.NDArray[np.floating], size: tuple[int, int]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """Make a dense flow from the displacements of landmarks.

    The landmarks of the first frame are triangulated (Delaunay); each triangle moves by the one affine map
    that takes its corners to where they are in the second frame. Landmarks may lie outside the image. Of
    landmarks at one place only one counts.

    Args:
        landmarks1, landmarks2: (N, 2) with N >= 3, x and y in pixels; the centre of the top left pixel is (0, 0).
        size: (height, width) of the image.

    Returns:
        The flow (H, W, 2) float32 in pixels, forward, and the mask (H, W) of the pixels whose centres lie in
        the convex hull of `landmarks1`. Outside of it the flow is 0 and means nothing.

    Raises:
        ValueError: arrays of other shapes, values that are not finite, or landmarks on one line.
    """
    from scipy.spatial import Delaunay, QhullError

    first, second = (np.ascontiguousarray(points, np.float64) for points in (landmarks1, landmarks2))
    if first.shape != second.shape or first.ndim != 2 or first.shape[1] != 2 or len(first) < 3:
        raise ValueError(f"expected landmarks (N, 2) twice with N >= 3, got {first.shape} and {second.shape}")
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise ValueError("expected landmarks that are finite")
    try:
        triangles = Delaunay(first).simplices
    except QhullError as error:
        raise ValueError("expected landmarks that are not all on one line") from error
    height, width = size
    flow = np.zeros((height, width, 2), np.float32)
    mask = np.zeros((height, width), np.bool_)
    _fill(np.ascontiguousarray(triangles, np.int64), first, second - first, flow, mask)
    return flow, mask


@numba.njit(cache=True, boundscheck=False)
def _fill(  # type: ignore[no-untyped-def]
    triangles, points, displacements, flow, mask
):
    height, width = mask.shape
    for t in range(len(triangles)):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ax, ay, bx, by, cx, cy = (
            points[a, 0], points[a, 1], points[b, 0], points[b, 1], points[c, 0], points[c, 1],
        )  # fmt: skip
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if abs(area) < SMALLEST_AREA:
            continue
        # Clipped to the image before they become integers: landmarks may lie anywhere.
        top = int(min(max(np.ceil(min(ay, by, cy)), 0.0), height))
        bottom = int(max(min(np.floor(max(ay, by, cy)), height - 1.0), -1.0))
        left = int(min(max(np.ceil(min(ax, bx, cx)), 0.0), width))
        right = int(max(min(np.floor(max(ax, bx, cx)), width - 1.0), -1.0))
        for y in range(top, bottom + 1):
            for x in range(left, right + 1):
                wb = ((x - ax) * (cy - ay) - (y - ay) * (cx - ax)) / area
                wc = ((bx - ax) * (y - ay) - (by - ay) * (x - ax)) / area
                wa = 1 - wb - wc
                if not min(wa, wb, wc) >= -TOLERANCE:
                    continue
                # Barycentric coordinates interpolate the displacements as the affine map does.
                for k in range(2):
                    flow[y, x, k] = wa * displacements[a, k] + wb * displacements[b, k] + wc * displacements[c, k]
                mask[y, x] = True
