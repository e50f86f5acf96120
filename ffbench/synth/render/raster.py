"""Which triangle a pixel sees: a z-buffer over pixel centres, exact at shared edges.

Pixel centres lie at integer coordinates: x = 0 is the centre of the first column, throughout ffbench.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

# Corners are snapped to this fraction of a pixel, so that edge functions are integers and two triangles
# that share an edge agree on every pixel, bit by bit.
SUBPIXELS = 4096
# Farther off the image than this, a corner would overflow the integer edge functions.
FARTHEST = 1 << 17
# Rows of a triangle's bounding box are lengthened to a multiple of this: whole vectors of the processor, no rest.
LANES = 8


@dataclass(frozen=True)
class ZBuffer:
    """The visible surface: triangle ids (H, W) int32, -1 where there is none, and 1/depth (H, W) float32."""

    ids: npt.NDArray[np.int32]
    inverse_depth: npt.NDArray[np.float32]


def rasterize(
    xy: npt.NDArray[np.float64],
    depth: npt.NDArray[np.float64],
    triangles: npt.NDArray[np.int32],
    height: int,
    width: int,
    two_sided: npt.NDArray[np.bool_] | None = None,
) -> ZBuffer:
    """Find the nearest triangle at every pixel centre.

    Args:
        xy: (V, 2) image coordinates in pixels, x to the right, y down.
        depth: (V,) planar depth, positive in front of the camera.
        triangles: (T, 3), counter-clockwise seen from outside; those with a corner that is not in front of the
            camera are not drawn.
        height, width: size of the image.
        two_sided: (T,) triangles that are drawn when they turn their back, too; None: no triangle is.

    A pixel centre that lies exactly on an edge belongs to one of the two triangles (top-left rule); of two
    surfaces at the same depth the first triangle wins.
    """
    ids = np.full((height, width), -1, np.int32)
    inverse_depth = np.zeros((height, width), np.float32)
    sides = np.zeros(len(triangles), np.bool_) if two_sided is None else two_sided
    _rasterize(xy, depth, triangles, sides, ids, inverse_depth)
    return ZBuffer(ids, inverse_depth)


def rasterize_supersampled(
    xy: npt.NDArray[np.float64],
    depth: npt.NDArray[np.float64],
    triangles: npt.NDArray[np.int32],
    height: int,
    width: int,
    two_sided: npt.NDArray[np.bool_] | None = None,
) -> ZBuffer:
    """Rasterise on a grid of half a pixel, (2 H + 1, 2 W + 1); the pixel (y, x) is sample (2 y + 1, 2 x + 1)."""
    return rasterize(xy * 2 + 1, depth, triangles, 2 * height + 1, 2 * width + 1, two_sided)


@numba.njit(cache=True, boundscheck=False)
def _rasterize(xy, depth, triangles, two_sided, ids, inverse_depth):  # type: ignore[no-untyped-def]
    height, width = ids.shape
    snapped = np.empty((len(xy), 2), np.int64)
    closeness = np.zeros(len(xy), np.float64)
    for v in range(len(xy)):
        # Zero for what cannot be drawn; comparisons with NaN are false.
        if depth[v] > 0 and abs(xy[v, 0]) <= FARTHEST and abs(xy[v, 1]) <= FARTHEST:
            snapped[v, 0] = np.int64(np.rint(xy[v, 0] * SUBPIXELS))
            snapped[v, 1] = np.int64(np.rint(xy[v, 1] * SUBPIXELS))
            closeness[v] = 1 / depth[v]
    for t in range(triangles.shape[0]):
        # Counter-clockwise in a world with y up is clockwise on the screen: take the corners backwards.
        a, b, c = np.uintp(triangles[t, 0]), np.uintp(triangles[t, 2]), np.uintp(triangles[t, 1])
        x0, y0 = snapped[a, 0], snapped[a, 1]
        x1, y1, x2, y2 = snapped[b, 0], snapped[b, 1], snapped[c, 0], snapped[c, 1]
        area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
        if area < 0 and two_sided[t]:
            b, c = c, b
            x1, y1, x2, y2, area = x2, y2, x1, y1, -area
        if area <= 0:
            continue
        # Ceiling and floor of the bounding box, by shifts of SUBPIXELS = 2^12.
        first_x = max((min(x0, x1, x2) + SUBPIXELS - 1) >> 12, 0)
        last_x = min(max(x0, x1, x2) >> 12, width - 1)
        first_y = max((min(y0, y1, y2) + SUBPIXELS - 1) >> 12, 0)
        last_y = min(max(y0, y1, y2) >> 12, height - 1)
        q0, q1, q2 = closeness[a], closeness[b], closeness[c]
        if first_x > last_x or first_y > last_y or q0 == 0 or q1 == 0 or q2 == 0:
            continue
        # Edge k lies opposite corner k; its function is positive inside. A top or left edge owns its pixels.
        dx0, dy0 = x2 - x1, y2 - y1
        dx1, dy1 = x0 - x2, y0 - y2
        dx2, dy2 = x1 - x0, y1 - y0
        own0 = 0 if dy0 < 0 or (dy0 == 0 and dx0 > 0) else -1
        own1 = 0 if dy1 < 0 or (dy1 == 0 and dx1 > 0) else -1
        own2 = 0 if dy2 < 0 or (dy2 == 0 and dx2 > 0) else -1
        px, py = first_x * SUBPIXELS, first_y * SUBPIXELS
        row0 = dx0 * (py - y1) - dy0 * (px - x1) + own0
        row1 = dx1 * (py - y2) - dy1 * (px - x2) + own1
        row2 = dx2 * (py - y0) - dy2 * (px - x0) + own2
        # 1/depth is affine on the screen; the clamp keeps slivers from shooting past their corners.
        scale = 1.0 / area
        slope_x = -(dy0 * q0 + dy1 * q1 + dy2 * q2) * scale * SUBPIXELS
        nearest, farthest = max(q0, q1, q2), min(q0, q1, q2)
        step0, step1, step2 = dy0 * SUBPIXELS, dy1 * SUBPIXELS, dy2 * SUBPIXELS
        last_x = min(first_x + ((last_x - first_x) | (LANES - 1)), width - 1)
        for y in range(first_y, last_y + 1):
            q = ((row0 - own0) * q0 + (row1 - own1) * q1 + (row2 - own2) * q2) * scale
            # Every sample of the row is tried and written, changed or not: without a branch the compiler takes
            # several at a time, which beats working out where the row enters and leaves the triangle.
            nearest_so_far = inverse_depth[np.uintp(y), np.uintp(first_x) : np.uintp(last_x + 1)]
            owner = ids[np.uintp(y), np.uintp(first_x) : np.uintp(last_x + 1)]
            for n in range(len(owner)):
                # Unsigned, since for a signed index every access asks whether it counts from the end.
                i = np.uintp(n)
                inside = (row0 - n * step0) | (row1 - n * step1) | (row2 - n * step2)
                value = np.float32(min(max(q + slope_x * n, farthest), nearest))
                wins = (inside >= 0) & (value > nearest_so_far[i])
                nearest_so_far[i] = value if wins else nearest_so_far[i]
                owner[i] = t if wins else owner[i]
            row0 += dx0 * SUBPIXELS
            row1 += dx1 * SUBPIXELS
            row2 += dx2 * SUBPIXELS
