"""Color of a frame: light on the vertices, texture and gloss in the pixels, anti-aliased edges."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from ffbench.synth.heads.head import FloatArray, Topology
from ffbench.synth.render.bake import lit_share
from ffbench.synth.render.camera import Projected
from ffbench.synth.render.raster import ZBuffer
from ffbench.synth.render.shading_kernel import shade_pixels

FloatImage = npt.NDArray[np.float32]
Texture = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Light:
    """Light in the head's axes; colors are linear RGB.

    Attributes:
        ambient: (3,) light from everywhere.
        slope: (3, 3) how the ambient light of each color (row) grows along x, y, z: the first order of
            spherical harmonics.
        directions: (K, 3) unit vectors towards the lamps, colors (K, 3) their light.
        shadows: whether the first lamp casts shadows.
    """

    ambient: FloatArray
    slope: FloatArray
    directions: FloatArray
    colors: FloatArray
    shadows: bool = True


# Light enters skin and comes out nearby, red farther than blue: the border of the shade is soft and red.
SKIN_WRAP = np.array([0.38, 0.22, 0.14])


def light_vertices(
    vertices: FloatArray, normals: FloatArray, topology: Topology, openness: FloatArray, light: Light
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Light that falls on the vertices: diffuse (V, 3) linear RGB, and the share of the first lamp (V,)."""
    share = np.ones(len(vertices))
    if light.shadows:
        share = lit_share(vertices, topology.triangles, light.directions[0], 128, 0.06)
    diffuse = np.empty((len(vertices), 3), np.float32)
    _light(normals, openness, share, light.ambient, light.slope, light.directions, light.colors, SKIN_WRAP, diffuse)
    return diffuse, share.astype(np.float32)


@numba.njit(cache=True, fastmath=True, boundscheck=False)
def _light(normals, openness, share, ambient, slope, directions, colors, wrap, diffuse):  # type: ignore[no-untyped-def]
    for v in range(len(normals)):
        n0, n1, n2 = normals[v, 0], normals[v, 1], normals[v, 2]
        for k in range(3):
            total = max(ambient[k] + slope[k, 0] * n0 + slope[k, 1] * n1 + slope[k, 2] * n2, 0.0) * openness[v]
            for lamp in range(len(directions)):
                cosine = directions[lamp, 0] * n0 + directions[lamp, 1] * n1 + directions[lamp, 2] * n2
                wrapped = max(cosine + wrap[k], 0.0) / (1 + wrap[k])
                # A fold that sees little of the sphere gets little of a broad lamp too.
                reach = (share[v] if lamp == 0 else np.sqrt(openness[v])) * (0.35 + 0.65 * openness[v])
                total += wrapped * (0.6 + 0.4 * wrapped) * reach * colors[lamp, k]
            diffuse[v, k] = total


def shade(
    topology: Topology,
    projected: Projected,
    seen: ZBuffer,
    diffuse: npt.NDArray[np.float32],
    share: npt.NDArray[np.float32],
    normals: FloatArray,
    light: Light,
    skin: Texture,
    detail: Texture,
    background: FloatImage,
) -> FloatImage:
    """Color every pixel of a supersampled z-buffer.

    Args:
        topology: of the mesh.
        projected: the mesh in the image.
        seen: its supersampled z-buffer (2 H + 1, 2 W + 1).
        diffuse, share: from `light_vertices`.
        normals: (V, 3).
        light: for the gloss of the first lamp.
        skin, detail: textures (N, N, 4) uint8 of the skin and of all other parts. RGB is the square root of
            the linear albedo, the last channel is gloss.
        background: (H, W, 3) linear RGB.

    Returns:
        The image (H, W, 3), linear RGB. Inside a surface a pixel is colored at its centre; on an edge its
        corners are colored too, and count as much together as the centre.
    """
    # The lamp's half vector is that of a viewer in front, far away.
    half = light.directions[0] + np.array([0.0, 0.0, 1.0])
    half /= np.linalg.norm(half)
    lamp = np.concatenate([half, light.colors[0]]).astype(np.float32)
    # All that a corner brings, side by side in memory.
    corners = np.empty((len(diffuse), 10), np.float32)
    corners[:, :2] = projected.xy
    corners[:, 2] = 1 / projected.depth
    corners[:, 3:6] = diffuse
    corners[:, 6] = share
    corners[:, 7:] = normals
    out = np.empty_like(background)
    shade_pixels(
        seen.ids, seen.inverse_depth, topology.triangles, topology.uv, topology.part, corners, lamp,
        skin.view(np.uint32)[..., 0], detail.view(np.uint32)[..., 0], background, out,
    )  # fmt: skip
    return out
