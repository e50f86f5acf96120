"""Static maps of a head: fields of its vertices drawn into texture space, and how open each vertex is to light."""

from __future__ import annotations

import functools

import numba
import numpy as np
import numpy.typing as npt

from ffbench.synth.heads.head import FloatArray, HeadModel, Part, Pose, Region, Topology
from ffbench.synth.heads.normals import vertex_normals
from ffbench.synth.render.raster import rasterize

FloatImage = npt.NDArray[np.float32]


def smooth_field(topology: Topology, field: FloatArray, rounds: int) -> FloatArray:
    """Average a field (V, C) over the edges of the mesh, `rounds` times."""
    edges = np.concatenate([topology.triangles[:, [i, j]] for i, j in ((0, 1), (1, 2), (2, 0))])
    edges = np.concatenate([edges, edges[:, ::-1]])
    degree = np.maximum(np.bincount(edges[:, 0], minlength=len(field)), 1)
    for _ in range(rounds):
        neighbours = np.stack(
            [
                np.bincount(edges[:, 0], weights=column[edges[:, 1]], minlength=len(field)) / degree
                for column in field.T
            ],
            axis=1,
        )
        field = (field + neighbours) / 2
    return field


def bake(head: HeadModel, field: FloatArray, size: int) -> FloatImage:
    """Draw a field (V, C) of the skin into texture space, (size, size, C); the outermost surface wins.

    Texels that no triangle covers take the value of the nearest one that is covered.
    """
    import cv2

    topology = head.topology
    skin = topology.part == Part.SKIN
    corners, uv = topology.triangles[skin], topology.uv[skin].astype(np.float64)
    # What passes the seam is drawn on both of its sides.
    uv = np.concatenate([uv, uv - [1, 0]])
    corners = np.concatenate([corners, corners])
    xy = uv.reshape(-1, 2) * size - 0.5
    outwards = np.hypot(head.template[:, 0], head.template[:, 2])[corners].reshape(-1)
    triangles = np.arange(len(xy), dtype=np.int32).reshape(-1, 3)
    ids = rasterize(xy, 20 - outwards, triangles, size, size).ids
    rows, columns = np.nonzero(ids >= 0)
    hit = ids[rows, columns]
    a, b, c = (xy[3 * hit + k] - np.stack([columns, rows], axis=1) for k in range(3))
    weights = np.stack([_cross(b, c), _cross(c, a), _cross(a, b)], axis=1)
    weights /= weights.sum(axis=1, keepdims=True)
    drawn = np.zeros((size, size, field.shape[1]), np.float32)
    drawn[rows, columns] = np.einsum("nk,nkc->nc", weights, field[corners[hit]])
    empty = (ids < 0).astype(np.uint8)
    _, label = cv2.distanceTransformWithLabels(empty, cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL)
    source = np.zeros(label.max() + 1, np.int64)
    source[label[rows, columns]] = rows * size + columns
    return np.asarray(drawn.reshape(size * size, -1)[source[label]])


def _cross(a: FloatArray, b: FloatArray) -> FloatArray:
    return a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]


@functools.lru_cache(maxsize=8)
def region_maps(head: HeadModel, size: int) -> dict[Region, FloatImage]:
    """Soft masks (size, size) of the regions in texture space, from 0 to 1 across each border."""
    regions = [Region.LIPS, Region.MOUTH, Region.NOSE, Region.EARS, Region.CHIN]
    field = np.stack([head.topology.region == region for region in regions], axis=1).astype(np.float64)
    baked = bake(head, smooth_field(head.topology, field, 1), size)
    return {region: np.ascontiguousarray(baked[..., i]) for i, region in enumerate(regions)}


def _sphere(count: int) -> FloatArray:
    """Directions (count, 3) spread evenly over the sphere (Fibonacci spiral)."""
    k = np.arange(count) + 0.5
    y = 1 - 2 * k / count
    angle = np.pi * (1 + 5**0.5) * k
    ring = np.sqrt(1 - y * y)
    return np.stack([ring * np.cos(angle), y, ring * np.sin(angle)], axis=1)


def lit_share(
    vertices: FloatArray, triangles: npt.NDArray[np.int32], direction: FloatArray, size: int, bias: float
) -> FloatArray:
    """How much of the light from `direction` reaches each vertex (V,), by a depth map of `size` pixels.

    Four neighbours of the map are compared, so that borders of shadows are soft. `bias` in dm keeps a
    surface from shading itself.
    """
    forward = direction / np.linalg.norm(direction)
    aside = np.cross([0.0, 1.0, 0.0] if abs(forward[1]) < 0.9 else [1.0, 0.0, 0.0], forward)
    aside /= np.linalg.norm(aside)
    # Axis by axis in memory: sums and extremes of rows of three are slow.
    seen = np.ascontiguousarray((vertices @ np.stack([aside, np.cross(forward, aside), forward], axis=1)).T)
    low, high = seen.min(axis=1), seen.max(axis=1)
    scale = (size - 4) / max(high[0] - low[0], high[1] - low[1])
    xy = np.stack([(seen[0] - low[0]) * scale + 1.5, (high[1] - seen[1]) * scale + 1.5], axis=1)
    # The rasteriser keeps the largest 1/depth and interpolates it straight, which is what this view without
    # perspective wants of the closeness to the lamp.
    closeness = seen[2] - low[2] + 1.0
    nearest = rasterize(xy, 1 / closeness, triangles, size, size).inverse_depth
    lit = np.empty(len(vertices))
    _compare(xy, closeness + bias, nearest, lit)
    return lit


@numba.njit(cache=True, boundscheck=False)
def _compare(xy, closeness, nearest, lit):  # type: ignore[no-untyped-def]
    for v in range(len(xy)):
        column, row = int(np.floor(xy[v, 0])), int(np.floor(xy[v, 1]))
        fx, fy = xy[v, 0] - column, xy[v, 1] - row
        lit[v] = (
            (1 - fx) * (1 - fy) * (nearest[row, column] < closeness[v])
            + fx * (1 - fy) * (nearest[row, column + 1] < closeness[v])
            + (1 - fx) * fy * (nearest[row + 1, column] < closeness[v])
            + fx * fy * (nearest[row + 1, column + 1] < closeness[v])
        )


@functools.lru_cache(maxsize=4)
def openness(head: HeadModel) -> FloatArray:
    """Ambient occlusion: the cosine-weighted share of the sphere that each vertex of the template sees, (V,).

    The inside of the mouth is looked at with the mouth open.
    """
    shape = head.shape(np.zeros(head.identity_size))
    rest, wide = head.expression({}), head.expression(head.open_mouth)
    result = []
    for expression in (rest, wide):
        vertices = head.pose(shape, expression, Pose())
        normals = vertex_normals(vertices, head.topology.triangles)
        total = np.zeros(len(vertices))
        weight = np.full(len(vertices), 1e-9)
        for direction in _sphere(96):
            cosine = np.clip(normals @ direction, 0, None)
            total += cosine * lit_share(vertices, head.topology.triangles, direction, 160, 0.03)
            weight += cosine
        result.append(total / weight)
    region = head.topology.region
    share = np.where(np.isin(region, [Region.MOUTH, Region.LIPS]), np.maximum(*result), result[0])
    # Some identities push the inside of a lower lid out through the skin, where it must not be black.
    share[region == Region.EYES] = np.maximum(share[region == Region.EYES], 0.4)
    return np.asarray(share)
