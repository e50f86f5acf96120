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


@numba.njit(cache=True, boundscheck=False, inline="always")
def _span(row, step, inverse, begin, end):  # type: ignore[no-untyped-def]
    """Narrow begin..end to the steps n where row - n * step >= 0, exactly."""
    if step > 0:
        n = np.int64(min(max(row * inverse, -1.0), end + 1.0))
        # The quotient of floats may be one off; whole numbers decide.
        n += row - (n + 1) * step >= 0
        n -= row - n * step < 0
        end = min(end, n)
    elif step < 0:
        n = np.int64(min(max(row * inverse, begin - 1.0), end + 1.0))
        n += row - n * step < 0
        n -= row - (n - 1) * step >= 0
        begin = max(begin, n)
    elif row < 0:
        end = begin - 1
    return begin, end


@numba.njit(cache=True, boundscheck=False)
def _rasterize(xy, depth, triangles, two_sided, ids, inverse_depth):  # type: ignore[no-untyped-def]
    height, width = ids.shape
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        # Counter-clockwise in a world with y up is clockwise on the screen: take the corners backwards.
        b, c = c, b
        turned = (xy[b, 0] - xy[a, 0]) * (xy[c, 1] - xy[a, 1]) - (xy[c, 0] - xy[a, 0]) * (xy[b, 1] - xy[a, 1]) < 0
        if turned:
            if two_sided[t]:
                b, c = c, b
            else:
                continue
        za, zb, zc = depth[a], depth[b], depth[c]
        if not (za > 0 and zb > 0 and zc > 0):
            continue
        x0, y0, x1, y1, x2, y2 = xy[a, 0], xy[a, 1], xy[b, 0], xy[b, 1], xy[c, 0], xy[c, 1]
        left, right = min(x0, x1, x2), max(x0, x1, x2)
        top, bottom = min(y0, y1, y2), max(y0, y1, y2)
        if not (right >= 0 and bottom >= 0 and left <= width - 1 and top <= height - 1):
            continue
        if left < -FARTHEST or top < -FARTHEST or right > FARTHEST or bottom > FARTHEST:
            continue
        ix0, iy0 = np.int64(np.rint(x0 * SUBPIXELS)), np.int64(np.rint(y0 * SUBPIXELS))
        ix1, iy1 = np.int64(np.rint(x1 * SUBPIXELS)), np.int64(np.rint(y1 * SUBPIXELS))
        ix2, iy2 = np.int64(np.rint(x2 * SUBPIXELS)), np.int64(np.rint(y2 * SUBPIXELS))
        area = (ix1 - ix0) * (iy2 - iy0) - (ix2 - ix0) * (iy1 - iy0)
        if area <= 0:
            continue
        # Ceiling and floor of the snapped bounding box, by shifts of SUBPIXELS = 2^12.
        first_x = max((min(ix0, ix1, ix2) + SUBPIXELS - 1) >> 12, 0)
        last_x = min(max(ix0, ix1, ix2) >> 12, width - 1)
        first_y = max((min(iy0, iy1, iy2) + SUBPIXELS - 1) >> 12, 0)
        last_y = min(max(iy0, iy1, iy2) >> 12, height - 1)
        if first_x > last_x or first_y > last_y:
            continue
        # Edge k lies opposite corner k; its function is positive inside. A top or left edge owns its pixels.
        dx0, dy0 = ix2 - ix1, iy2 - iy1
        dx1, dy1 = ix0 - ix2, iy0 - iy2
        dx2, dy2 = ix1 - ix0, iy1 - iy0
        own0 = 0 if dy0 < 0 or (dy0 == 0 and dx0 > 0) else -1
        own1 = 0 if dy1 < 0 or (dy1 == 0 and dx1 > 0) else -1
        own2 = 0 if dy2 < 0 or (dy2 == 0 and dx2 > 0) else -1
        px, py = first_x * SUBPIXELS, first_y * SUBPIXELS
        row0 = dx0 * (py - iy1) - dy0 * (px - ix1) + own0
        row1 = dx1 * (py - iy2) - dy1 * (px - ix2) + own1
        row2 = dx2 * (py - iy0) - dy2 * (px - ix0) + own2
        # 1/depth is affine on the screen; the clamp keeps slivers from shooting past their corners.
        q0, q1, q2 = 1 / za, 1 / zb, 1 / zc
        scale = 1.0 / area
        slope_x = -(dy0 * q0 + dy1 * q1 + dy2 * q2) * scale * SUBPIXELS
        nearest, farthest = max(q0, q1, q2), min(q0, q1, q2)
        step0, step1, step2 = dy0 * SUBPIXELS, dy1 * SUBPIXELS, dy2 * SUBPIXELS
        inverse0 = 1.0 / step0 if step0 != 0 else 0.0
        inverse1 = 1.0 / step1 if step1 != 0 else 0.0
        inverse2 = 1.0 / step2 if step2 != 0 else 0.0
        count = last_x - first_x
        for y in range(first_y, last_y + 1):
            begin, end = _span(row0, step0, inverse0, 0, count)
            begin, end = _span(row1, step1, inverse1, begin, end)
            begin, end = _span(row2, step2, inverse2, begin, end)
            if begin <= end:
                q = ((row0 - own0) * q0 + (row1 - own1) * q1 + (row2 - own2) * q2) * scale + slope_x * begin
                for x in range(first_x + begin, first_x + end + 1):
                    value = np.float32(min(max(q, farthest), nearest))
                    if value > inverse_depth[y, x]:
                        inverse_depth[y, x] = value
                        ids[y, x] = t
                    q += slope_x
            row0 += dx0 * SUBPIXELS
            row1 += dx1 * SUBPIXELS
            row2 += dx2 * SUBPIXELS
