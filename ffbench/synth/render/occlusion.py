"""Which points of frame 1 does frame 2 show."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from ffbench.synth.render.barycentric import areas
from ffbench.synth.render.camera import Camera, Projected
from ffbench.synth.render.raster import ZBuffer

TILE = 6
# A point counts as hidden when another surface lies this much nearer, in dm: more than rounding in the
# depths, less than the thickness of an eyelid.
MARGIN = 1e-4
# How much nearer than a point's plane, in dm, the surface around it may be without a closer look; and how much
# nearer it must be for the point to be hidden without one.
NEAR, NEAR_ADJACENT, FAR = 1e-3, 0.02, 0.1


@dataclass(frozen=True)
class OcclusionProbe:
    """What it takes to ask frame 2 about points of frame 1.

    Attributes:
        triangles: (T, 3) of the mesh.
        turned1, turned2: (T,) which triangles show their inside in either frame.
        xy, inverse: (V, 2) and (V,) the mesh in frame 2, in pixels, and its 1/depth.
        planes: (T, 3) 1/depth of each triangle's plane in frame 2 at the image's origin, and its slopes along x
            and y; NaN where the triangle shows another side than in frame 1.
        seen: the supersampled z-buffer of frame 2.
        starts, members: the triangles that touch each tile of the image.
    """

    triangles: npt.NDArray[np.int32]
    turned1: npt.NDArray[np.bool_]
    turned2: npt.NDArray[np.bool_]
    xy: npt.NDArray[np.float64]
    inverse: npt.NDArray[np.float64]
    planes: npt.NDArray[np.float64]
    seen: ZBuffer
    starts: npt.NDArray[np.int64]
    members: npt.NDArray[np.int32]


def look_at(
    camera: Camera,
    triangles: npt.NDArray[np.int32],
    two_sided: npt.NDArray[np.bool_],
    frame1: Projected,
    frame2: Projected,
    seen2: ZBuffer,
) -> OcclusionProbe:
    """Prepare frame 2 for `find_clear` and `look_closer`.

    Args:
        camera: the camera of both frames.
        triangles: (T, 3) of the mesh.
        two_sided: (T,) triangles of which both sides are drawn.
        frame1, frame2: the mesh in both frames.
        seen2: the supersampled z-buffer of frame 2.

    A point is hidden when it leaves the image (its pixel area, half a pixel around the centres), when frame 2
    shows its surface from the other side, or when another surface lies before it.
    """
    inverse = 1 / frame2.depth
    turned1, turned2 = _turned(frame1.xy, triangles), _turned(frame2.xy, triangles)
    planes = _planes(frame2.xy, inverse, triangles)
    planes[turned1 != turned2] = np.nan
    starts, members = _bin_triangles(
        frame2.xy, frame2.depth, turned2, two_sided, triangles, camera.height, camera.width
    )
    return OcclusionProbe(triangles, turned1, turned2, frame2.xy, inverse, planes, seen2, starts, members)


@numba.njit(cache=True, boundscheck=False)
def _turned(xy, triangles):  # type: ignore[no-untyped-def]
    """Which triangles show their inside."""
    turned = np.empty(len(triangles), np.bool_)
    for t in range(len(triangles)):
        a, b, c = np.uintp(triangles[t, 0]), np.uintp(triangles[t, 1]), np.uintp(triangles[t, 2])
        area = (xy[b, 0] - xy[a, 0]) * (xy[c, 1] - xy[a, 1]) - (xy[c, 0] - xy[a, 0]) * (xy[b, 1] - xy[a, 1])
        turned[t] = not area < 0
    return turned


@numba.njit(cache=True, boundscheck=False)
def _bin_triangles(xy, depth, turned, two_sided, triangles, height, width):  # type: ignore[no-untyped-def]
    """List the drawn triangles that touch each tile of the image: offsets and ids."""
    rows, columns = (height + TILE) // TILE + 1, (width + TILE) // TILE + 1
    counts = np.zeros(rows * columns + 1, np.int64)
    boxes = np.empty((len(triangles), 4), np.int64)
    for t in range(len(triangles)):
        a, b, c = np.uintp(triangles[t, 0]), np.uintp(triangles[t, 1]), np.uintp(triangles[t, 2])
        boxes[t, 0] = -1
        if (turned[t] and not two_sided[t]) or not min(depth[a], depth[b], depth[c]) > 0:
            continue
        # Half a pixel of the image lies left of and above the first centre.
        left, right = min(xy[a, 0], xy[b, 0], xy[c, 0]) + 0.5, max(xy[a, 0], xy[b, 0], xy[c, 0]) + 0.5
        top, bottom = min(xy[a, 1], xy[b, 1], xy[c, 1]) + 0.5, max(xy[a, 1], xy[b, 1], xy[c, 1]) + 0.5
        if not (right >= 0 and bottom >= 0 and left <= width and top <= height):
            continue
        boxes[t, 0], boxes[t, 1] = max(int(left), 0) // TILE, min(int(right), width) // TILE
        boxes[t, 2], boxes[t, 3] = max(int(top), 0) // TILE, min(int(bottom), height) // TILE
        for row in range(boxes[t, 2], boxes[t, 3] + 1):
            for column in range(boxes[t, 0], boxes[t, 1] + 1):
                counts[row * columns + column + 1] += 1
    starts = np.cumsum(counts)
    members = np.empty(starts[-1], np.int32)
    place = starts[:-1].copy()
    for t in range(len(triangles)):
        if boxes[t, 0] < 0:
            continue
        for row in range(boxes[t, 2], boxes[t, 3] + 1):
            for column in range(boxes[t, 0], boxes[t, 1] + 1):
                members[place[row * columns + column]] = t
                place[row * columns + column] += 1
    return starts, members


@numba.njit(cache=True, boundscheck=False)
def _closeness(t, x, y, triangles, xy, inverse):  # type: ignore[no-untyped-def]
    """1/depth of triangle `t` at (x, y), or 0 where the point lies outside of it."""
    a, b, c = np.uintp(triangles[t, 0]), np.uintp(triangles[t, 1]), np.uintp(triangles[t, 2])
    wa, wb, wc = areas(xy, a, b, c, x, y)
    total = wa + wb + wc
    inside = (wa <= 0 and wb <= 0 and wc <= 0) or (wa >= 0 and wb >= 0 and wc >= 0)
    if total == 0 or not inside:
        return 0.0
    return (wa * inverse[a] + wb * inverse[b] + wc * inverse[c]) / total


@numba.njit(cache=True, boundscheck=False)
def _planes(xy, inverse, triangles):  # type: ignore[no-untyped-def]
    """1/depth of each triangle's plane (T, 3): at the image's origin, and its slopes along x and y."""
    planes = np.empty((len(triangles), 3))
    for t in range(len(triangles)):
        a, b, c = np.uintp(triangles[t, 0]), np.uintp(triangles[t, 1]), np.uintp(triangles[t, 2])
        area = (xy[b, 0] - xy[a, 0]) * (xy[c, 1] - xy[a, 1]) - (xy[c, 0] - xy[a, 0]) * (xy[b, 1] - xy[a, 1])
        area = area if area != 0 else 1e-12
        qa, qb, qc = inverse[a], inverse[b], inverse[c]
        slope_x = ((qb - qa) * (xy[c, 1] - xy[a, 1]) - (qc - qa) * (xy[b, 1] - xy[a, 1])) / area
        slope_y = ((qc - qa) * (xy[b, 0] - xy[a, 0]) - (qb - qa) * (xy[c, 0] - xy[a, 0])) / area
        planes[t, 0], planes[t, 1], planes[t, 2] = qa - slope_x * xy[a, 0] - slope_y * xy[a, 1], slope_x, slope_y
    return planes


@numba.njit(cache=True, boundscheck=False)
def find_clear(  # type: ignore[no-untyped-def]
    ids, landing, planes, seen_inverse, size, pending
):
    """Find the points of a row of frame 1 that may be hidden in frame 2; the others are seen.

    `ids` (W,) are the triangles of the row, -1 for the background; `landing` (W, 3) is where their points lie in
    frame 2: x, y in pixels, planar depth; `size` is (height, width). Writes the columns of the points that are not
    clear into `pending` (W,) and gives their number.

    A point is clear when the four samples of frame 2 around it show nothing that is nearer than its own plane.
    """
    height, width = size
    count = 0
    for n in range(width):
        # Unsigned, since for a signed index every access asks whether it counts from the end.
        t, i = ids[np.uintp(n)], np.uintp(n)
        if t < 0:
            continue
        x, y, z = landing[i, 0], landing[i, 1], landing[i, 2]
        inside = (x >= -0.5) & (x <= width - 0.5) & (y >= -0.5) & (y <= height - 0.5)
        column = min(max(int(np.floor(2 * x + 1)), 0), 2 * width - 1)
        row = min(max(int(np.floor(2 * y + 1)), 0), 2 * height - 1)
        left, right, top, bottom = np.uintp(column), np.uintp(column + 1), np.uintp(row), np.uintp(row + 1)
        own = np.uintp(t)
        at_left = planes[own, 0] + planes[own, 1] * ((column - 1) * 0.5)
        at_right = planes[own, 0] + planes[own, 1] * (column * 0.5)
        at_top, at_bottom = planes[own, 2] * ((row - 1) * 0.5), planes[own, 2] * (row * 0.5)
        clear = (seen_inverse[top, left] - (at_left + at_top)) * z * z < NEAR
        clear &= (seen_inverse[top, right] - (at_right + at_top)) * z * z < NEAR
        clear &= (seen_inverse[bottom, left] - (at_left + at_bottom)) * z * z < NEAR
        clear &= (seen_inverse[bottom, right] - (at_right + at_bottom)) * z * z < NEAR
        if not (inside & clear):
            pending[count] = n
            count += 1
    return count


@numba.njit(cache=True, boundscheck=False)
def is_hidden(  # type: ignore[no-untyped-def]
    t, x, y, z, size, triangles, turned1, turned2, xy, inverse, planes, seen_ids, seen_inverse, starts, members
):
    """Tell whether frame 2 hides the point (x, y, z) of triangle `t`; the names are those of `OcclusionProbe`."""
    height, width = size
    if not (-0.5 <= x <= width - 0.5 and -0.5 <= y <= height - 0.5) or turned1[t] != turned2[t]:
        return True
    # Where the four samples around the point show its own surface or something behind it, it is seen;
    # where they all show something well before it, it is not. The rest is compared with all triangles there.
    column = min(max(int(np.floor(2 * x + 1)), 0), 2 * width - 1)
    row = min(max(int(np.floor(2 * y + 1)), 0), 2 * height - 1)
    clear, blocked = 0, 0
    for k in range(4):
        j, i = column + (k & 1), row + (k >> 1)
        other = seen_ids[i, j]
        plane = planes[t, 0] + planes[t, 1] * ((j - 1) * 0.5) + planes[t, 2] * ((i - 1) * 0.5)
        excess = (seen_inverse[i, j] - plane) * z * z
        if other == t or other < 0 or excess < NEAR:
            clear += 1
            continue
        # Two triangles with a common edge that face the same way lie on either side of it.
        shared = 0
        for m in range(3):
            corner = triangles[other, m]
            for n in range(3):
                shared += corner == triangles[t, n]
        if (shared >= 2 and turned2[other] == turned2[t]) or (shared == 1 and excess < NEAR_ADJACENT):
            clear += 1
        elif excess > FAR:
            blocked += 1
    if clear == 4 or blocked == 4:
        return blocked == 4
    limit = 1 / max(z - MARGIN, 1e-9)
    tile = (int(y + 0.5) // TILE) * ((width + TILE) // TILE + 1) + int(x + 0.5) // TILE
    for k in range(starts[tile], starts[tile + 1]):
        other = members[k]
        if other != t and _closeness(other, x, y, triangles, xy, inverse) > limit:
            return True
    return False
