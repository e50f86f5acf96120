"""Which points of frame 1 does frame 2 show."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from ffbench.synth.camera import Camera, Projected
from ffbench.synth.raster import ZBuffer

TILE = 6
# A point counts as hidden when another surface lies this much nearer, in dm: more than rounding in the
# depths, less than the thickness of an eyelid.
MARGIN = 1e-4
# How much nearer than a point's plane, in dm, the surface around it may be without a closer look; and how much
# nearer it must be for the point to be hidden without one.
NEAR, NEAR_ADJACENT, FAR = 1e-3, 0.02, 0.1


def hidden_points(
    ids: npt.NDArray[np.int32],
    landing: npt.NDArray[np.float64],
    camera: Camera,
    triangles: npt.NDArray[np.int32],
    two_sided: npt.NDArray[np.bool_],
    frame1: Projected,
    frame2: Projected,
    seen2: ZBuffer,
) -> npt.NDArray[np.bool_]:
    """Tell for every pixel of frame 1 whether its point cannot be seen in frame 2.

    Args:
        ids: (H, W) triangle that each pixel of frame 1 sees, -1 for the background.
        landing: (H, W, 3) where its point lies in frame 2: x, y in pixels, planar depth.
        camera: the camera of both frames.
        triangles: (T, 3) of the mesh.
        two_sided: (T,) triangles of which both sides are drawn.
        frame1, frame2: the mesh in both frames.
        seen2: the supersampled z-buffer of frame 2.

    A point is hidden when it leaves the image (its pixel area, half a pixel around the centres), when frame 2
    shows its surface from the other side, or when another surface lies before it.
    """
    height, width = camera.height, camera.width
    hidden = np.zeros((height, width), np.bool_)
    inverse = 1 / frame2.depth
    turned1, turned2 = _turned(frame1.xy, triangles), _turned(frame2.xy, triangles)
    starts, members = _bin_triangles(frame2.xy, frame2.depth, turned2, two_sided, triangles, height, width)
    _test(
        ids, landing, triangles, turned1, turned2, frame2.xy, inverse, seen2.ids, seen2.inverse_depth, starts, members,
        hidden,
    )  # fmt: skip
    return hidden


@numba.njit(cache=True, boundscheck=False)
def _turned(xy, triangles):  # type: ignore[no-untyped-def]
    """Which triangles show their inside."""
    turned = np.empty(len(triangles), np.bool_)
    for t in range(len(triangles)):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
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
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
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
def _depth_at(t, x, y, triangles, xy, inverse):  # type: ignore[no-untyped-def]
    """1/depth of the plane of triangle `t` at (x, y), and whether the point lies inside the triangle."""
    a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
    ax, ay = xy[a, 0] - x, xy[a, 1] - y
    bx, by = xy[b, 0] - x, xy[b, 1] - y
    cx, cy = xy[c, 0] - x, xy[c, 1] - y
    wa, wb, wc = bx * cy - cx * by, cx * ay - ax * cy, ax * by - bx * ay
    total = wa + wb + wc
    inside = (wa <= 0 and wb <= 0 and wc <= 0) or (wa >= 0 and wb >= 0 and wc >= 0)
    if total == 0:
        return 0.0, False
    return (wa * inverse[a] + wb * inverse[b] + wc * inverse[c]) / total, inside


@numba.njit(cache=True, boundscheck=False)
def _plane(a, b, c, xy, inverse):  # type: ignore[no-untyped-def]
    """1/depth of the plane through three corners at the image's origin, and its slopes along x and y."""
    area = (xy[b, 0] - xy[a, 0]) * (xy[c, 1] - xy[a, 1]) - (xy[c, 0] - xy[a, 0]) * (xy[b, 1] - xy[a, 1])
    area = area if area != 0 else 1e-12
    qa, qb, qc = inverse[a], inverse[b], inverse[c]
    slope_x = ((qb - qa) * (xy[c, 1] - xy[a, 1]) - (qc - qa) * (xy[b, 1] - xy[a, 1])) / area
    slope_y = ((qc - qa) * (xy[b, 0] - xy[a, 0]) - (qb - qa) * (xy[c, 0] - xy[a, 0])) / area
    return qa - slope_x * xy[a, 0] - slope_y * xy[a, 1], slope_x, slope_y


@numba.njit(cache=True, boundscheck=False)
def _test(  # type: ignore[no-untyped-def]
    ids, landing, triangles, turned1, turned2, xy, inverse, seen_ids, seen_inverse, starts, members, hidden
):
    height, width = ids.shape
    columns = (width + TILE) // TILE + 1
    # The plane of the triangle that was looked at last; neighbouring pixels often share it.
    planar, origin, slope_x, slope_y = -1, 0.0, 0.0, 0.0
    for py in range(height):
        for px in range(width):
            t = ids[py, px]
            if t < 0:
                hidden[py, px] = seen_ids[2 * py + 1, 2 * px + 1] >= 0
                continue
            x, y, z = landing[py, px, 0], landing[py, px, 1], landing[py, px, 2]
            if not (-0.5 <= x <= width - 0.5 and -0.5 <= y <= height - 0.5):
                hidden[py, px] = True
                continue
            if turned1[t] != turned2[t]:
                hidden[py, px] = True
                continue
            a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
            # Where the four samples around the point show its own surface or something behind it, it is seen;
            # where they all show something well before it, it is not. The rest is looked at one by one.
            column = min(max(int(np.floor(2 * x + 1)), 0), 2 * width - 1)
            row = min(max(int(np.floor(2 * y + 1)), 0), 2 * height - 1)
            clear, blocked = 0, 0
            for k in range(4):
                j, i = column + (k & 1), row + (k >> 1)
                other = seen_ids[i, j]
                if other == t or other < 0:
                    clear += 1
                    continue
                # Two triangles with a common edge that face the same way lie on either side of it.
                shared = 0
                for m in range(3):
                    corner = triangles[other, m]
                    shared += (corner == a) | (corner == b) | (corner == c)
                if shared >= 2 and turned2[other] == turned2[t]:
                    clear += 1
                    continue
                if planar != t:
                    planar = t
                    origin, slope_x, slope_y = _plane(a, b, c, xy, inverse)
                plane = origin + slope_x * ((j - 1) * 0.5) + slope_y * ((i - 1) * 0.5)
                excess = (seen_inverse[i, j] - plane) * z * z
                if excess < (NEAR_ADJACENT if shared == 1 else NEAR):
                    clear += 1
                elif excess > FAR:
                    blocked += 1
            if clear == 4:
                continue
            if blocked == 4:
                hidden[py, px] = True
                continue
            limit = 1 / max(z - MARGIN, 1e-9)
            tile = (int(y + 0.5) // TILE) * columns + int(x + 0.5) // TILE
            for k in range(starts[tile], starts[tile + 1]):
                other = members[k]
                if other == t:
                    continue
                closeness, inside = _depth_at(other, x, y, triangles, xy, inverse)
                if inside and closeness > limit:
                    hidden[py, px] = True
                    break
