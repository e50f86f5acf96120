"""Colour of a frame: light on the vertices, texture and gloss in the pixels, anti-aliased edges."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from ffbench.synth.camera import Projected
from ffbench.synth.head import FloatArray, Topology
from ffbench.synth.raster import ZBuffer

FloatImage = npt.NDArray[np.float32]
Texture = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Light:
    """Light in the head's axes; colours are linear RGB.

    Attributes:
        ambient: (3,) light from everywhere.
        slope: (3, 3) how the ambient light of each colour (row) grows along x, y, z: the first order of
            spherical harmonics.
        directions: (K, 3) unit vectors towards the lamps, colours (K, 3) their light.
        shadows: whether the first lamp casts shadows.
    """

    ambient: FloatArray
    slope: FloatArray
    directions: FloatArray
    colours: FloatArray
    shadows: bool = True


# Light enters skin and comes out nearby, red farther than blue: the border of the shade is soft and red.
SKIN_WRAP = np.array([0.38, 0.22, 0.14])


def vertex_normals(vertices: FloatArray, triangles: npt.NDArray[np.int32]) -> FloatArray:
    """Unit normals of the vertices (V, 3), each face counted by its area."""
    normals = np.zeros_like(vertices)
    _add_normals(vertices, triangles, normals)
    return normals


@numba.njit(cache=True)
def _add_normals(vertices, triangles, normals):  # type: ignore[no-untyped-def]
    for t in range(len(triangles)):
        a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        e0, e1, e2 = vertices[b, 0] - vertices[a, 0], vertices[b, 1] - vertices[a, 1], vertices[b, 2] - vertices[a, 2]
        f0, f1, f2 = vertices[c, 0] - vertices[a, 0], vertices[c, 1] - vertices[a, 1], vertices[c, 2] - vertices[a, 2]
        n0, n1, n2 = e1 * f2 - e2 * f1, e2 * f0 - e0 * f2, e0 * f1 - e1 * f0
        for v in (a, b, c):
            normals[v, 0] += n0
            normals[v, 1] += n1
            normals[v, 2] += n2
    for v in range(len(normals)):
        length = np.sqrt(normals[v, 0] ** 2 + normals[v, 1] ** 2 + normals[v, 2] ** 2)
        if length > 0:
            for k in range(3):
                normals[v, k] /= length


def light_vertices(
    vertices: FloatArray, normals: FloatArray, topology: Topology, openness: FloatArray, light: Light
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Light that falls on the vertices: diffuse (V, 3) linear RGB, and the share of the first lamp (V,)."""
    from ffbench.synth.bake import lit_share

    share = np.ones(len(vertices))
    if light.shadows:
        share = lit_share(vertices, topology.triangles, light.directions[0], 224, 0.06)
    diffuse = np.clip(light.ambient + normals @ light.slope.T, 0, None) * openness[:, None]
    for k, (direction, colour) in enumerate(zip(light.directions, light.colours, strict=True)):
        cosine = (normals @ direction)[:, None]
        wrapped = np.clip((cosine + SKIN_WRAP) / (1 + SKIN_WRAP), 0, None) ** 1.2
        reach = share if k == 0 else np.sqrt(openness)
        diffuse += wrapped * colour * (reach * (0.35 + 0.65 * openness))[:, None]
    return diffuse.astype(np.float32), share.astype(np.float32)


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
    """Colour every pixel of a supersampled z-buffer.

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
        The image (H, W, 3), linear RGB. Inside a surface a pixel is coloured at its centre; where its nine
        samples meet an edge all of them are, weighted by a tent.
    """
    out = np.empty_like(background)
    # Seen from the camera; the lamp's half vector is that of a viewer in front, far away.
    half = light.directions[0] + np.array([0.0, 0.0, 1.0])
    half /= np.linalg.norm(half)
    _shade(
        seen.ids,
        seen.inverse_depth,
        topology.triangles,
        topology.uv,
        topology.part,
        projected.xy,
        1 / projected.depth,
        diffuse,
        share,
        normals.astype(np.float32),
        half.astype(np.float32),
        light.colours[0].astype(np.float32),
        skin,
        detail,
        background,
        out,
    )
    return out


@numba.njit(cache=True, fastmath=True, boundscheck=False)
def _sample(  # type: ignore[no-untyped-def]
    t, x, y, triangles, uv, part, xy, inverse, diffuse, share, normals, half, lamp, skin, detail, colour
):
    a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
    ax, ay = xy[a, 0] - x, xy[a, 1] - y
    bx, by = xy[b, 0] - x, xy[b, 1] - y
    cx, cy = xy[c, 0] - x, xy[c, 1] - y
    wa = (bx * cy - cx * by) * inverse[a]
    wb = (cx * ay - ax * cy) * inverse[b]
    wc = (ax * by - bx * ay) * inverse[c]
    scale = 1 / (wa + wb + wc)
    wa, wb, wc = np.float32(wa * scale), np.float32(wb * scale), np.float32(wc * scale)
    u = wa * uv[t, 0, 0] + wb * uv[t, 1, 0] + wc * uv[t, 2, 0]
    v = wa * uv[t, 0, 1] + wb * uv[t, 1, 1] + wc * uv[t, 2, 1]
    kind = part[t]
    texture = skin if kind == 0 else detail
    size = texture.shape[0]
    px, py = u * size - np.float32(0.5), v * size - np.float32(0.5)
    ix, iy = int(np.floor(px)), int(np.floor(py))
    fx, fy = px - ix, py - iy
    x0, x1 = ix % size, (ix + 1) % size
    y0, y1 = min(max(iy, 0), size - 1), min(max(iy + 1, 0), size - 1)
    w00, w01 = (1 - fx) * (1 - fy), fx * (1 - fy)
    w10, w11 = (1 - fx) * fy, fx * fy
    gloss = (
        w00 * texture[y0, x0, 3] + w01 * texture[y0, x1, 3] + w10 * texture[y1, x0, 3] + w11 * texture[y1, x1, 3]
    ) * np.float32(1 / 255)
    n0 = wa * normals[a, 0] + wb * normals[b, 0] + wc * normals[c, 0]
    n1 = wa * normals[a, 1] + wb * normals[b, 1] + wc * normals[c, 1]
    n2 = wa * normals[a, 2] + wb * normals[b, 2] + wc * normals[c, 2]
    length = np.sqrt(n0 * n0 + n1 * n1 + n2 * n2) + np.float32(1e-9)
    cosine = max((n0 * half[0] + n1 * half[1] + n2 * half[2]) / length, np.float32(0))
    # Skin: a wide lobe, cosine^12, and a narrower one, ^48; wet eyes and teeth a sharp one, ^192.
    c4 = cosine * cosine
    c4 = c4 * c4
    c12 = c4 * c4 * c4
    c48 = c12 * c12
    c48 = c48 * c48
    if kind == 0:
        lobe = np.float32(0.5) * c12 + np.float32(0.9) * c48
    else:
        c192 = c48 * c48
        lobe = np.float32(6) * c192 * c192
    lobe *= gloss * (wa * share[a] + wb * share[b] + wc * share[c])
    for k in range(3):
        albedo = (
            w00 * texture[y0, x0, k] + w01 * texture[y0, x1, k] + w10 * texture[y1, x0, k] + w11 * texture[y1, x1, k]
        ) * np.float32(1 / 255)
        light = wa * diffuse[a, k] + wb * diffuse[b, k] + wc * diffuse[c, k]
        colour[k] = albedo * albedo * light + lobe * lamp[k]


@numba.njit(cache=True, fastmath=True, boundscheck=False)
def _shade(  # type: ignore[no-untyped-def]
    ids, depths, triangles, uv, part, xy, inverse, diffuse, share, normals, half, lamp, skin, detail, background, out
):
    height, width = out.shape[0], out.shape[1]
    colour = np.zeros(3, np.float32)
    for y in range(height):
        for x in range(width):
            centre = ids[2 * y + 1, 2 * x + 1]
            same = True
            near, far = np.float32(0), np.float32(1e9)
            for j in range(2 * y, 2 * y + 3):
                for i in range(2 * x, 2 * x + 3):
                    t = ids[j, i]
                    if t != centre:
                        if t < 0 or centre < 0 or part[t] != part[centre]:
                            same = False
                    near, far = max(near, depths[j, i]), min(far, depths[j, i])
            if same and (centre < 0 or near < np.float32(1.008) * far):
                if centre < 0:
                    for k in range(3):
                        out[y, x, k] = background[y, x, k]
                else:
                    _sample(
                        centre, float(x), float(y), triangles, uv, part, xy, inverse,
                        diffuse, share, normals, half, lamp, skin, detail, colour,
                    )  # fmt: skip
                    for k in range(3):
                        out[y, x, k] = colour[k]
                continue
            red, green, blue = np.float32(0), np.float32(0), np.float32(0)
            for j in range(3):
                for i in range(3):
                    weight = np.float32((2 - abs(j - 1)) * (2 - abs(i - 1)) / 16)
                    t = ids[2 * y + j, 2 * x + i]
                    if t < 0:
                        for k in range(3):
                            colour[k] = background[y, x, k]
                    else:
                        _sample(
                            t, x + (i - 1) * 0.5, y + (j - 1) * 0.5, triangles, uv, part, xy, inverse,
                            diffuse, share, normals, half, lamp, skin, detail, colour,
                        )  # fmt: skip
                    red += weight * colour[0]
                    green += weight * colour[1]
                    blue += weight * colour[2]
            out[y, x, 0], out[y, x, 1], out[y, x, 2] = red, green, blue
