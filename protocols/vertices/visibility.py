"""Which vertices of a mesh a camera sees."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ffbench.datasets.tracks.metrical import Camera
from ffbench.formats.ply import Mesh
from ffbench.synth.render.raster import FARTHEST, rasterize

TOLERANCE = 0.01
"""Of the mesh's extent in depth: how far behind the visible surface a vertex may lie and still be seen. Between the
pixel centres, where its depth is known, the surface bends."""


def visible_vertices(mesh: Mesh, camera: Camera) -> npt.NDArray[np.bool_]:
    """Tell for each vertex, (N,), whether it is seen: it is inside the image, faces the camera, and nothing hides it.

    A vertex faces the camera when a triangle at it does. It is hidden when at all four pixel centres around it the
    surface is nearer than the vertex by more than `TOLERANCE` of the mesh's extent in depth.
    """
    points, depth = camera.project(mesh.vertices)
    width, height = camera.size
    usable = np.asarray((np.abs(points) < FARTHEST).all(axis=1), np.bool_)  # false where a point is NaN
    triangles = mesh.triangles[usable[mesh.triangles].all(axis=1)]
    if not len(triangles):
        return np.zeros(len(points), np.bool_)
    facing = np.zeros(len(points), np.bool_)
    corners = points[triangles]
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    # Counter-clockwise seen from outside; y points down in the image, so that the sign turns.
    front = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0] < 0
    facing[triangles[front]] = True
    safe = np.where(usable[:, None], points, 0.0)
    surface = rasterize(safe, np.where(usable, depth, 1.0), triangles, height, width)
    left, top = np.floor(safe).astype(np.int64).T
    inside = usable & np.all((points >= 0) & (points <= (width - 1, height - 1)), axis=1)
    farthest = np.zeros(len(points))
    for column, row in ((left, top), (left + 1, top), (left, top + 1), (left + 1, top + 1)):
        inverse = surface.inverse_depth[row.clip(0, height - 1), column.clip(0, width - 1)].astype(np.float64)
        there = np.divide(1.0, inverse, out=np.full(len(points), np.inf), where=inverse > 0)
        farthest = np.maximum(farthest, there)
    tolerance = TOLERANCE * float(np.ptp(depth[usable]))
    return np.asarray(inside & facing & (np.where(usable, depth, np.inf) <= farthest + tolerance), np.bool_)
