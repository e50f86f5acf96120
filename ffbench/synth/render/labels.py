"""Exact ground truth of a frame pair from the posed meshes: flows, depth, masks, regions (paper, section 3).

Every value belongs to the surface point that the pixel's centre sees in frame 1; nothing is blended.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numba
import numpy as np
import numpy.typing as npt

# Flows are rounded to this fraction of a pixel (3e-5 px at most), so that float32 holds facial, head and
# expression flow of up to 1024 px exactly and facial = head + expression to the last bit.
from ffbench.datasets.provenance import FLOW_STEPS
from ffbench.synth.render.barycentric import areas
from ffbench.synth.render.camera import Camera, Projected
from ffbench.synth.render.occlusion import find_clear, is_hidden, look_at
from ffbench.synth.render.raster import ZBuffer


class Surface(Protocol):
    """What labels need of a mesh: (T, 3) triangles, (T,) those drawn from both sides, (V,) the region of a vertex."""

    @property
    def triangles(self) -> npt.NDArray[np.int32]:
        """Counter-clockwise seen from outside."""

    @property
    def two_sided(self) -> npt.NDArray[np.bool_]:
        """Triangles of which both sides are drawn."""

    @property
    def region(self) -> npt.NDArray[np.uint8]:
        """Of each vertex."""


@dataclass(frozen=True)
class Labels:
    """Ground truth of a frame pair; all arrays are (H, W) or (H, W, 2), flows forward and in pixels.

    Attributes:
        facial: float32, flow of all that moves. The background stands still.
        head: float32, flow to the head partner, which has frame 1's expression and frame 2's pose (Eq. 4).
        expression: float32, facial - head, exactly.
        depth: float32, planar depth in dm, 0 where there is only background.
        mask: bool, where the bust is.
        occlusion: bool, what frame 2 does not show: hidden, or out of the image.
        region: uint8, values of `Region`.
    """

    facial: npt.NDArray[np.float32]
    head: npt.NDArray[np.float32]
    depth: npt.NDArray[np.float32]
    mask: npt.NDArray[np.bool_]
    occlusion: npt.NDArray[np.bool_]
    region: npt.NDArray[np.uint8]

    @property
    def expression(self) -> npt.NDArray[np.float32]:
        """What the face does beside moving with the head: facial - head (paper, section 3)."""
        return self.facial - self.head


def label_pair(
    topology: Surface,
    camera: Camera,
    frame1: Projected,
    frame2: Projected,
    partner: Projected,
    seen1: ZBuffer,
    seen2: ZBuffer,
) -> Labels:
    """Make the labels of a pair.

    Args:
        topology: what both meshes share.
        camera: the one camera of both frames.
        frame1, frame2: the bust in the two frames.
        partner: the head partner of frame 2.
        seen1, seen2: the supersampled z-buffers of both frames.
    """
    height, width = camera.height, camera.width
    facial = np.zeros((height, width, 2), np.float32)
    head = np.zeros((height, width, 2), np.float32)
    depth = np.zeros((height, width), np.float32)
    region = np.zeros((height, width), np.uint8)
    mask, occlusion = np.empty((height, width), np.bool_), np.zeros((height, width), np.bool_)
    view = look_at(camera, topology.triangles, topology.two_sided, frame1, frame2, seen2)
    _label(
        seen1.ids,
        topology.triangles,
        topology.region,
        frame1.xy,
        1 / frame1.depth,
        frame1.points,
        frame2.points,
        partner.points,
        camera.focal,
        (view.turned1, view.turned2, view.xy, view.inverse, view.planes),
        (seen2.ids, seen2.inverse_depth, view.starts, view.members),
        (facial, head, depth, region, mask, occlusion),
    )
    return Labels(facial, head, depth, mask, occlusion, region)


@numba.njit(cache=True, boundscheck=False)
def _label(  # type: ignore[no-untyped-def]
    seen, triangles, vertex_region, xy, inverse, points1, points2, partner, focal, view, seen2, labels
):
    """Fill the `labels`, row by row: what one row takes stays in the processor's cache."""
    turned1, turned2, xy2, inverse2, planes = view
    seen_ids, seen_inverse, starts, members = seen2
    facial, head, depth, region, mask, occlusion = labels
    size = height, width = mask.shape
    ids, landing, pending = np.empty(width, np.int32), np.zeros((width, 3)), np.empty(width, np.int64)
    for y in range(height):
        for x in range(width):
            i, j = np.uintp(x), np.uintp(2 * x + 1)
            ids[i] = seen[2 * y + 1, j]
            mask[y, i] = ids[i] >= 0
            # The background stands still, and is hidden where the bust comes to lie.
            occlusion[y, i] = (ids[i] < 0) & (seen_ids[2 * y + 1, j] >= 0)
        _label_row(
            y, size, ids, triangles, vertex_region, xy, inverse, points1, points2, partner, focal, facial[y], head[y],
            depth[y], region[y], landing,
        )  # fmt: skip
        for k in range(find_clear(ids, landing, planes, seen_inverse, size, pending)):
            x = pending[k]
            occlusion[y, x] = is_hidden(
                ids[x], landing[x, 0], landing[x, 1], landing[x, 2], size, triangles, turned1, turned2, xy2, inverse2,
                planes, seen_ids, seen_inverse, starts, members,
            )  # fmt: skip


@numba.njit(cache=True, boundscheck=False)
def _label_row(  # type: ignore[no-untyped-def]
    y, size, ids, triangles, vertex_region, xy, inverse, points1, points2, partner, focal, facial, head, depth, region,
    landing,
):  # fmt: skip
    """Label row `y` of an image of `size`, and say where its points lie in frame 2: `landing` (W, 3)."""
    center_x, center_y = (size[1] - 1) / 2, (size[0] - 1) / 2
    for x in range(size[1]):
        # Unsigned, since for a signed index every access asks whether it counts from the end.
        i = np.uintp(x)
        t = ids[i]
        if t < 0:
            continue
        a, b, c = np.uintp(triangles[t, 0]), np.uintp(triangles[t, 1]), np.uintp(triangles[t, 2])
        wa, wb, wc = areas(xy, a, b, c, x, y)
        wa, wb, wc = wa * inverse[a], wb * inverse[b], wc * inverse[c]
        total = 1 / (wa + wb + wc)
        wa, wb = wa * total, wb * total
        wc = 1 - wa - wb
        x1 = wa * points1[a, 0] + wb * points1[b, 0] + wc * points1[c, 0]
        y1 = wa * points1[a, 1] + wb * points1[b, 1] + wc * points1[c, 1]
        z1 = wa * points1[a, 2] + wb * points1[b, 2] + wc * points1[c, 2]
        x2 = wa * points2[a, 0] + wb * points2[b, 0] + wc * points2[c, 0]
        y2 = wa * points2[a, 1] + wb * points2[b, 1] + wc * points2[c, 1]
        z2 = wa * points2[a, 2] + wb * points2[b, 2] + wc * points2[c, 2]
        xh = wa * partner[a, 0] + wb * partner[b, 0] + wc * partner[c, 0]
        yh = wa * partner[a, 1] + wb * partner[b, 1] + wc * partner[c, 1]
        zh = wa * partner[a, 2] + wb * partner[b, 2] + wc * partner[c, 2]
        # Against the point's own image, not the pixel's centre: what does not move has exactly zero flow.
        f1, f2, fh = focal / z1, focal / z2, focal / zh
        u1, v1, u2, v2 = f1 * x1, f1 * y1, f2 * x2, f2 * y2
        facial[i, 0] = np.rint((u2 - u1) * FLOW_STEPS) / FLOW_STEPS
        facial[i, 1] = np.rint((v2 - v1) * FLOW_STEPS) / FLOW_STEPS
        head[i, 0] = np.rint((fh * xh - u1) * FLOW_STEPS) / FLOW_STEPS
        head[i, 1] = np.rint((fh * yh - v1) * FLOW_STEPS) / FLOW_STEPS
        depth[i] = z1
        landing[i, 0] = u2 + center_x
        landing[i, 1] = v2 + center_y
        landing[i, 2] = z2
        nearest = a
        if wb > wa and wb >= wc:
            nearest = b
        elif wc > wa:
            nearest = c
        region[i] = vertex_region[nearest]
