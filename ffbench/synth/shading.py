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
        share = lit_share(vertices, topology.triangles, light.directions[0], 128, 0.06)
    diffuse = np.empty((len(vertices), 3), np.float32)
    _light(normals, openness, share, light.ambient, light.slope, light.directions, light.colours, SKIN_WRAP, diffuse)
    return diffuse, share.astype(np.float32)


@numba.njit(cache=True, fastmath=True, boundscheck=False)
def _light(normals, openness, share, ambient, slope, directions, colours, wrap, diffuse):  # type: ignore[no-untyped-def]
    for v in range(len(normals)):
        n0, n1, n2 = normals[v, 0], normals[v, 1], normals[v, 2]
        for k in range(3):
            total = max(ambient[k] + slope[k, 0] * n0 + slope[k, 1] * n1 + slope[k, 2] * n2, 0.0) * openness[v]
            for lamp in range(len(directions)):
                cosine = directions[lamp, 0] * n0 + directions[lamp, 1] * n1 + directions[lamp, 2] * n2
                wrapped = max(cosine + wrap[k], 0.0) / (1 + wrap[k])
                # A fold that sees little of the sphere gets little of a broad lamp too.
                reach = (share[v] if lamp == 0 else np.sqrt(openness[v])) * (0.35 + 0.65 * openness[v])
                total += wrapped * (0.6 + 0.4 * wrapped) * reach * colours[lamp, k]
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
        The image (H, W, 3), linear RGB. Inside a surface a pixel is coloured at its centre; on an edge its
        corners are coloured too, and count as much together as the centre.
    """
    # The lamp's half vector is that of a viewer in front, far away.
    half = light.directions[0] + np.array([0.0, 0.0, 1.0])
    half /= np.linalg.norm(half)
    lamp = np.concatenate([half, light.colours[0]]).astype(np.float32)
    # All that a corner brings, side by side in memory.
    corners = np.empty((len(diffuse), 10), np.float32)
    corners[:, :2] = projected.xy
    corners[:, 2] = 1 / projected.depth
    corners[:, 3:6] = diffuse
    corners[:, 6] = share
    corners[:, 7:] = normals
    out = np.empty_like(background)
    _shade(
        seen.ids, seen.inverse_depth, topology.triangles, topology.uv, topology.part, corners, lamp,
        skin.view(np.uint32)[..., 0], detail.view(np.uint32)[..., 0], background, out,
    )  # fmt: skip
    return out


@numba.njit(cache=True, fastmath=True, boundscheck=False)
def _shade(  # type: ignore[no-untyped-def]
    ids, depths, triangles, uv, part, corners, lamp, skin, detail, background, out
):
    one, half, byte = np.float32(1), np.float32(0.5), np.float32(1 / 65280)
    near_ratio = np.float32(1.008)
    height, width = out.shape[0], out.shape[1]
    skin_size, detail_size = skin.shape[0], detail.shape[0]
    for y in range(height):
        j = 2 * y + 1
        for x in range(width):
            i = 2 * x + 1
            centre = ids[j, i]
            flat = True
            if (
                ids[j - 1, i - 1] != centre
                or ids[j - 1, i + 1] != centre
                or ids[j + 1, i - 1] != centre
                or ids[j + 1, i + 1] != centre
            ):
                kind = part[centre] if centre >= 0 else -1
                near = far = depths[j, i]
                for b in (j - 1, j + 1):
                    for a in (i - 1, i + 1):
                        t = ids[b, a]
                        if (part[t] if t >= 0 else -1) != kind:
                            flat = False
                        near, far = max(near, depths[b, a]), min(far, depths[b, a])
                if near > near_ratio * far:
                    flat = False
            if flat and centre < 0:
                for k in range(3):
                    out[y, x, k] = background[y, x, k]
                continue
            red = green = blue = np.float32(0)
            for n in range(1 if flat else 5):
                # The centre, and on an edge the four corners: a tent of the width of two pixels.
                row, column = (0, 0) if n == 0 else (((n - 1) >> 1) * 2 - 1, ((n - 1) & 1) * 2 - 1)
                weight = one if flat else (half if n == 0 else np.float32(0.125))
                seen = ids[j + row, i + column]
                t = np.uintp(seen)
                if seen < 0:
                    red += weight * background[y, x, 0]
                    green += weight * background[y, x, 1]
                    blue += weight * background[y, x, 2]
                    continue
                sx, sy = np.float32(x) + half * np.float32(column), np.float32(y) + half * np.float32(row)
                # Unsigned, since for a signed index every access asks whether it counts from the end.
                p, q, r = np.uintp(triangles[t, 0]), np.uintp(triangles[t, 1]), np.uintp(triangles[t, 2])
                px, py, qx, qy, rx, ry = (
                    corners[p, 0] - sx,
                    corners[p, 1] - sy,
                    corners[q, 0] - sx,
                    corners[q, 1] - sy,
                    corners[r, 0] - sx,
                    corners[r, 1] - sy,
                )
                wp, wq, wr = (
                    (qx * ry - rx * qy) * corners[p, 2],
                    (rx * py - px * ry) * corners[q, 2],
                    (px * qy - qx * py) * corners[r, 2],
                )
                total = one / (wp + wq + wr)
                wp, wq, wr = wp * total, wq * total, wr * total
                plain = part[t] == 0
                size = skin_size if plain else detail_size
                u = (wp * uv[t, 0, 0] + wq * uv[t, 1, 0] + wr * uv[t, 2, 0]) * np.float32(size) - half
                v = (wp * uv[t, 0, 1] + wq * uv[t, 1, 1] + wr * uv[t, 2, 1]) * np.float32(size) - half
                # In steps of 1/256 texel; two channels at a time in the halves of a 32-bit word.
                su, sv = np.int64(np.floor(u * np.float32(256))), np.int64(np.floor(v * np.float32(256)))
                iu, iv, fu, fv = su >> 8, sv >> 8, su & 255, sv & 255
                # u wraps around the head once, v ends at the borders.
                iu = iu - size if iu >= size else (iu + size if iu < 0 else iu)
                u0, u1 = np.uintp(iu), np.uintp(iu + 1 if iu + 1 < size else 0)
                v0, v1 = np.uintp(min(max(iv, 0), size - 1)), np.uintp(min(max(iv + 1, 0), size - 1))
                w11 = (fu * fv) >> 8
                w01, w10 = fu - w11, fv - w11
                w00 = 256 - fu - w10
                if plain:
                    a, b = np.int64(skin[v0, u0]), np.int64(skin[v0, u1])
                    c, d = np.int64(skin[v1, u0]), np.int64(skin[v1, u1])
                else:
                    a, b = np.int64(detail[v0, u0]), np.int64(detail[v0, u1])
                    c, d = np.int64(detail[v1, u0]), np.int64(detail[v1, u1])
                even = (a & 0x00FF00FF) * w00 + (b & 0x00FF00FF) * w01 + (c & 0x00FF00FF) * w10 + (d & 0x00FF00FF) * w11
                odd = ((a >> 8) & 0x00FF00FF) * w00 + ((b >> 8) & 0x00FF00FF) * w01 + ((c >> 8) & 0x00FF00FF) * w10
                odd += ((d >> 8) & 0x00FF00FF) * w11
                n0 = wp * corners[p, 7] + wq * corners[q, 7] + wr * corners[r, 7]
                n1 = wp * corners[p, 8] + wq * corners[q, 8] + wr * corners[r, 8]
                n2 = wp * corners[p, 9] + wq * corners[q, 9] + wr * corners[r, 9]
                aligned = max(n0 * lamp[0] + n1 * lamp[1] + n2 * lamp[2], np.float32(0))
                # The square of the cosine, without the root of the normal's length.
                c2 = aligned * aligned / (n0 * n0 + n1 * n1 + n2 * n2 + np.float32(1e-12))
                c12 = c2 * c2 * c2
                c12 *= c12
                c48 = c12 * c12
                c48 *= c48
                # Skin has a wide lobe and a narrower one; what is wet or hard has a sharp one.
                if plain:
                    lobe = np.float32(0.5) * c12 + np.float32(0.9) * c48
                else:
                    c192 = c48 * c48
                    c192 *= c192
                    lobe = np.float32(6) * c192 * c192
                lobe *= np.float32(odd >> 16) * byte * (wp * corners[p, 6] + wq * corners[q, 6] + wr * corners[r, 6])
                value = np.float32(even & 0xFFFF) * byte
                red += weight * (
                    value * value * (wp * corners[p, 3] + wq * corners[q, 3] + wr * corners[r, 3]) + lobe * lamp[3]
                )
                value = np.float32(odd & 0xFFFF) * byte
                green += weight * (
                    value * value * (wp * corners[p, 4] + wq * corners[q, 4] + wr * corners[r, 4]) + lobe * lamp[4]
                )
                value = np.float32(even >> 16) * byte
                blue += weight * (
                    value * value * (wp * corners[p, 5] + wq * corners[q, 5] + wr * corners[r, 5]) + lobe * lamp[5]
                )
            out[y, x, 0], out[y, x, 1], out[y, x, 2] = red, green, blue
