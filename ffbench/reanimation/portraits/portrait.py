"""A photograph of a person as a surface that can be moved: a fine grid over the photograph, with depth.

The grid covers the person, and what would lie beyond the photograph's border. Its depth is that of the fitted face mesh
inside the face, and falls back smoothly around it. Everything of it is found in the photograph alone, once.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ffbench.facemesh.groups import OVAL
from ffbench.reanimation.portraits.body import Body, smooth_step
from ffbench.reanimation.portraits.expressions import expression_basis, mouth_is_open
from ffbench.reanimation.portraits.matte import cut_out, fill_behind
from ffbench.reanimation.portraits.mesh import FACE_WIDTH, LEFT_SIDE, RIGHT_SIDE, HeadFrame, face_triangles, head_frame
from ffbench.reanimation.portraits.parts import face_skin, grown, regions_at
from ffbench.synth.render.camera import Camera, Projected
from ffbench.synth.render.raster import rasterize
from ffbench.typing import Image

FloatImage = npt.NDArray[np.float32]
FloatArray = npt.NDArray[np.float64]

DISTANCE = 8.0
"""From the camera to the head, dm: the lens of a portrait. The photograph does not say."""
CELLS = 64
"""Cells of the grid across the width of the face."""
_MARGIN = 0.35
"""How far the grid goes beyond the photograph, in widths of the face."""
_SMOOTHING, _SMOOTHING_OUTSIDE = 1.3, 5.0
"""Standard deviations of the blur of the depth, in cells, inside the face and away from it."""
_FALL, _FALL_REACH = 0.9, 0.8
"""How far hair and ears lie behind the border of the face at most, and over which distance, dm."""
_GRAZING = 0.12
"""Cosine of the angle to the surface's normal under which the photograph shows too little of it: 83 degrees."""
_PAINTED_OVER = 0.3
"""What follows the head by more than this share is painted over in what is behind it."""
_LOOSE_HAIR = 0.07
"""How far around the person the photograph is painted over in what is behind, in widths of the face."""


@dataclass(frozen=True)
class Portrait:
    """A photograph and the surface that was fitted to it.

    Attributes:
        image: (H, W, 3) float32, the photograph, 0 to 255.
        alpha: (H, W) float32, how much of a pixel is the person.
        behind: (H, W, 3) float32, the photograph without the person.
        exact: (H, W) bool, the skin of the face where labels are exact.
        camera: that the photograph was taken with, as far as it is known.
        rest: (V, 3) float64, the surface in the camera's axes, dm.
        source: (V, 2) float64, x and y in px of the photograph.
        triangles: (T, 3) int32, counter-clockwise seen from outside.
        two_sided: (T,) bool, all False: its back is never seen.
        region: (V,) uint8, keys of `parts.REGIONS`, 0 outside of the face.
        follows: (V,) float64, 1 what moves as the head does, 0 the body, which is still.
        basis: (units, V, 3) float64, displacements of `expressions.UNITS` at weight 1, dm, in the camera's axes.
        normals: (V, 3) float64, outward, of the surface at rest.
        frame: the head's axes and place, dm.
        landmarks: (468, 2) float64, x and y in px.
        width: of the face in px.
        mouth_open: whether the inside of the mouth is seen.
    """

    image: FloatImage
    alpha: FloatImage
    behind: FloatImage
    exact: npt.NDArray[np.bool_]
    camera: Camera
    rest: FloatArray
    source: FloatArray
    triangles: npt.NDArray[np.int32]
    region: npt.NDArray[np.uint8]
    follows: FloatArray
    basis: FloatArray
    normals: FloatArray
    frame: HeadFrame
    landmarks: FloatArray
    width: float
    mouth_open: bool
    two_sided: npt.NDArray[np.bool_] = field(repr=False)


def face_width(points: FloatArray, depth: FloatArray) -> float:
    """Return the width of a face in space, px, from its mesh: `points` (468, 2) and `depth` (468,)."""
    sides = np.column_stack([points, depth])[[LEFT_SIDE, RIGHT_SIDE]]
    return float(np.linalg.norm(sides[1] - sides[0]))


def mesh_in_space(points: FloatArray, depth: FloatArray, camera: Camera) -> FloatArray:
    """Return the face mesh (468, 3) in the camera's axes, dm, so that the camera sees it at `points` (468, 2)."""
    away = camera.distance + (depth - depth.mean()) * (camera.distance / camera.focal)
    center = np.array([(camera.width - 1) / 2, (camera.height - 1) / 2])
    return np.column_stack([(points - center) * away[:, None] / camera.focal, away])


def portrait_camera(points: FloatArray, depth: FloatArray, height: int, width: int) -> Camera:
    """Return the camera that sees a face of `FACE_WIDTH` as wide as it is in the photograph."""
    return Camera(height, width, DISTANCE * face_width(points, depth) / FACE_WIDTH, DISTANCE, (0.0, 0.0, 0.0))


def prepare_portrait(image: Image, points: FloatArray, depth: FloatArray) -> Portrait:
    """Fit the surface.

    Args:
        image: (H, W, 3) uint8 RGB.
        points: (468, 2) x and y of the face mesh, px.
        depth: (468,) in the same unit, smaller is nearer.
    """
    height, width = image.shape[:2]
    camera = portrait_camera(points, depth, height, width)
    mesh = mesh_in_space(points, depth, camera)
    size = face_width(points, depth)
    frame = head_frame(mesh)
    matte = cut_out(image, points)
    pixels = image.astype(np.float32)
    grid = _Grid(height, width, size)
    body = Body(points)
    y, x = np.mgrid[:height, :width].astype(np.float64)
    place = body.place(np.stack([x.ravel(), y.ravel()], axis=1))
    alpha = np.maximum(matte, body.cover(place).reshape(height, width).astype(np.float32))
    follows = body.follows(place).reshape(height, width)
    alpha[follows <= 0] = 0
    away = _depth(grid, mesh, points, camera)
    source = grid.points()
    center = np.array([(width - 1) / 2, (height - 1) / 2])
    vertices = np.column_stack([(source - center) * (away / camera.focal)[:, None], away])
    at_nodes = body.follows(body.place(source))
    triangles = _triangles(grid, alpha)
    normals = _normals(vertices, triangles)
    head, face = frame.coordinates(vertices), frame.coordinates(mesh)
    basis = expression_basis(head, face) @ frame.axes * frame.eye_distance
    skin = face_skin(points, (height, width), size) & (alpha >= 1) & (follows >= 1)
    exact = skin & _seen_well(grid, vertices, normals, (height, width))
    used, triangles = _used(triangles)
    return Portrait(
        image=pixels,
        alpha=alpha,
        behind=_behind(pixels, matte, follows, size),
        exact=exact,
        camera=camera,
        rest=vertices[used],
        source=source[used],
        triangles=triangles,
        region=regions_at(source[used], points),
        follows=at_nodes[used],
        basis=np.ascontiguousarray(basis[:, used]),
        normals=normals[used],
        frame=frame,
        landmarks=points,
        width=size,
        mouth_open=mouth_is_open(face),
        two_sided=np.zeros(len(triangles), np.bool_),
    )


def project(camera: Camera, points: FloatArray) -> Projected:
    """See points (V, 3) that are in the camera's axes already."""
    return Projected(points, camera.to_pixels(points))


def _behind(pixels: FloatImage, matte: FloatImage, follows: FloatArray, size: float) -> FloatImage:
    """Return the photograph with what moves, and the loose hair around it, painted over from around both."""
    import cv2

    moves = (matte > 0) & (follows > _PAINTED_OVER)
    hidden = grown(moves, max(round(_LOOSE_HAIR * size), 2))
    filled = fill_behind(pixels, hidden, 0.3 * size)
    soft = np.maximum(cv2.GaussianBlur(hidden.astype(np.float32), (0, 0), max(0.015 * size, 1.0)), moves)
    soft = np.where(follows > 0, soft, 0).astype(np.float32)
    return np.asarray(pixels + soft[..., None] * (filled - pixels), np.float32)


def _used(triangles: npt.NDArray[np.int32]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    """Return the vertices that triangles use, and the triangles by their numbers among these."""
    used, numbers = np.unique(triangles, return_inverse=True)
    return used.astype(np.int64), numbers.reshape(triangles.shape).astype(np.int32)


class _Grid:
    """Nodes over a photograph and its surroundings: node (i, j) lies at (j, i) * step - margin px."""

    def __init__(self, height: int, width: int, size: float) -> None:
        self.step = max(size / CELLS, 1.0)
        self.margin = np.ceil(_MARGIN * size / self.step) * self.step
        self.rows, self.columns = (int(np.ceil((side + 2 * self.margin) / self.step)) + 1 for side in (height, width))

    def points(self) -> FloatArray:
        """Return x and y of all nodes, row by row, (rows * columns, 2) px."""
        y, x = np.mgrid[: self.rows, : self.columns]
        nodes: FloatArray = np.stack([x.ravel(), y.ravel()], axis=1) * self.step - self.margin
        return nodes

    def of(self, pixels: FloatArray) -> FloatArray:
        """Return where x and y in px (N, 2) lie among the nodes: column and row."""
        return np.asarray((pixels + self.margin) / self.step, np.float64)

    def at_pixels(self, values: npt.NDArray[np.float32], shape: tuple[int, int]) -> npt.NDArray[np.float32]:
        """Interpolate values at the nodes (rows, columns) at every pixel of an image."""
        import cv2

        y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
        column, row = ((axis + np.float32(self.margin)) / np.float32(self.step) for axis in (x, y))
        return np.asarray(cv2.remap(values, column, row, cv2.INTER_LINEAR), np.float32)


def _depth(grid: _Grid, mesh: FloatArray, points: FloatArray, camera: Camera) -> FloatArray:
    """Return the depth of all nodes (rows * columns,): that of the mesh, and behind it around the face."""
    import cv2

    nodes = grid.of(points)
    seen = rasterize(nodes, mesh[:, 2], face_triangles(), grid.rows, grid.columns)
    known = seen.ids >= 0
    depth = np.where(known, 1 / np.maximum(seen.inverse_depth, 1e-6), 0).astype(np.float32)
    outline = np.zeros((grid.rows, grid.columns), np.uint8)
    cv2.fillPoly(outline, [np.round(nodes[list(OVAL)]).astype(np.int32)], 1)
    inside = known & (outline > 0)
    distance, nearest = cv2.distanceTransformWithLabels(
        (~inside).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE, labelType=cv2.DIST_LABEL_PIXEL
    )
    values = np.zeros(int(nearest.max()) + 1, np.float32)
    values[nearest[inside]] = depth[inside]
    cell = grid.step * camera.distance / camera.focal
    away = distance * cell
    filled = np.where(inside, depth, values[nearest] + _FALL * (1 - np.exp(-away / _FALL_REACH))).astype(np.float32)
    near = cv2.GaussianBlur(filled, (0, 0), _SMOOTHING)
    far = cv2.GaussianBlur(filled, (0, 0), _SMOOTHING_OUTSIDE)
    share = smooth_step(np.asarray(distance, np.float64) / (3 * _SMOOTHING_OUTSIDE))
    return np.asarray(near * (1 - share) + far * share, np.float64).ravel()


def _triangles(grid: _Grid, alpha: FloatImage) -> npt.NDArray[np.int32]:
    """Return two triangles for every cell that holds some of the person; beyond the border its last pixels go on."""
    import cv2

    kernel = np.ones((3, 3), np.uint8)
    y, x = np.mgrid[: grid.rows, : grid.columns].astype(np.float32)
    column, row = ((axis * np.float32(grid.step) - np.float32(grid.margin)) for axis in (x, y))
    spread = cv2.dilate(alpha, np.ones((2 * int(np.ceil(grid.step)) + 1,) * 2, np.uint8))
    some = cv2.remap(spread, column, row, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE) > 0
    some = cv2.dilate(some.astype(np.uint8), kernel) > 0
    wanted = some[:-1, :-1] & some[1:, :-1] & some[:-1, 1:] & some[1:, 1:]
    i, j = np.nonzero(wanted)
    a = i * grid.columns + j
    b, c, d = a + 1, a + grid.columns, a + grid.columns + 1
    # Counter-clockwise seen from outside, with y up.
    return np.concatenate([np.stack([a, c, b], axis=1), np.stack([b, c, d], axis=1)]).astype(np.int32)


def _normals(vertices: FloatArray, triangles: npt.NDArray[np.int32]) -> FloatArray:
    """Return outward unit normals (V, 3), the mean of those of the triangles around by their area."""
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    across = np.cross(c - a, b - a)
    normals = np.zeros_like(vertices)
    for k in range(3):
        for axis in range(3):
            normals[:, axis] += np.bincount(triangles[:, k], across[:, axis], len(vertices))
    # Towards the camera, which looks along z.
    normals *= -np.sign(normals[:, 2:] + 1e-12)
    return np.asarray(normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12), np.float64)


def _seen_well(grid: _Grid, vertices: FloatArray, normals: FloatArray, shape: tuple[int, int]) -> npt.NDArray[np.bool_]:
    rays = vertices / np.linalg.norm(vertices, axis=1, keepdims=True)
    cosine = -(normals * rays).sum(axis=1).astype(np.float32)
    return np.asarray(grid.at_pixels(cosine.reshape(grid.rows, grid.columns), shape) > _GRAZING, np.bool_)
