"""The pixels of a frame: which lie inside a surface and which on an edge, and the color of one sample."""

from __future__ import annotations

import numba
import numpy as np

# Surfaces within a pixel that differ in depth by more than this factor are two.
NEAR_RATIO = np.float32(1.008)


@numba.njit(cache=True, boundscheck=False)
def _look(ids, depths, part, start, seen, kinds, closeness):  # type: ignore[no-untyped-def]
    """Take every second sample of a row: its triangle, the material (-1 for the background) and 1/depth."""
    for n in range(len(seen)):
        # Unsigned, since for a signed index every access asks whether it counts from the end.
        x, i = np.uintp(n), np.uintp(2 * n + start)
        t = ids[i]
        seen[x], closeness[x] = t, depths[i]
        kinds[x] = np.int16(part[np.uintp(t)]) if t >= 0 else np.int16(-1)


@numba.njit(cache=True, boundscheck=False)
def _find_flat(seen, kinds, closeness, around, around_kinds, around_closeness, flat):  # type: ignore[no-untyped-def]
    """Find the pixels of a row whose samples see one triangle, or one material without a jump in depth.

    `seen`, `kinds` and `closeness` (W,) are those of the centres, `around...` (2, W + 1) those of the corners.
    """
    seen1, kinds1, closeness1 = around[0], around_kinds[0], around_closeness[0]
    seen2, kinds2, closeness2 = around[1], around_kinds[1], around_closeness[1]
    for n in range(len(flat)):
        x, after = np.uintp(n), np.uintp(n + 1)
        t, kind = seen[x], kinds[x]
        same = (seen1[x] == t) & (seen1[after] == t) & (seen2[x] == t) & (seen2[after] == t)
        alike = (kinds1[x] == kind) & (kinds1[after] == kind) & (kinds2[x] == kind) & (kinds2[after] == kind)
        near = max(closeness[x], closeness1[x], closeness1[after], closeness2[x], closeness2[after])
        far = min(closeness[x], closeness1[x], closeness1[after], closeness2[x], closeness2[after])
        flat[x] = same | (alike & (near <= NEAR_RATIO * far))


@numba.njit(cache=True, fastmath=True, boundscheck=False)
def _color(  # type: ignore[no-untyped-def]
    count, samples, place, triangles, uv, part, corners, lamp, skin, detail, row, colors
):
    """Color samples of one row: what triangles `samples` show at `place` goes into `colors` (N, 3)."""
    one, half, byte = np.float32(1), np.float32(0.5), np.float32(1 / 65280)
    skin_size, detail_size = skin.shape[0], detail.shape[0]
    for n in range(count):
        t, sx, sy = np.uintp(samples[n]), place[n, 0], place[n, 1]
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
        red = value * value * (wp * corners[p, 3] + wq * corners[q, 3] + wr * corners[r, 3]) + lobe * lamp[3]
        value = np.float32(odd & 0xFFFF) * byte
        green = value * value * (wp * corners[p, 4] + wq * corners[q, 4] + wr * corners[r, 4]) + lobe * lamp[4]
        value = np.float32(even >> 16) * byte
        blue = value * value * (wp * corners[p, 5] + wq * corners[q, 5] + wr * corners[r, 5]) + lobe * lamp[5]
        k = np.uintp(row[n])
        colors[k, 0], colors[k, 1], colors[k, 2] = red, green, blue


@numba.njit(cache=True, boundscheck=False)
def shade_pixels(  # type: ignore[no-untyped-def]
    ids, depths, triangles, uv, part, corners, lamp, skin, detail, background, out
):
    """Color all pixels; the arguments are explained at `ffbench.synth.render.shading.shade`."""
    half, eighth = np.float32(0.5), np.float32(0.125)
    height, width = out.shape[0], out.shape[1]
    flat = np.empty(width, np.bool_)
    seen, kinds, closeness = np.empty(width, np.int32), np.empty(width, np.int16), np.empty(width, np.float32)
    # Of the corners of the pixels, in rows that take turns: the one above the pixels, the one below.
    around, around_kinds = np.empty((2, width + 1), np.int32), np.empty((2, width + 1), np.int16)
    around_closeness = np.empty((2, width + 1), np.float32)
    # Samples of a row: first the centres, then the corners of either row that an edge needs; up to four pixels need
    # the same, some of them in the next row.
    known = np.zeros((2, width + 1), np.bool_)
    colors = np.empty((3 * width + 2, 3), np.float32)
    samples, targets = np.empty(len(colors), np.int32), np.empty(len(colors), np.int64)
    place = np.empty((len(colors), 2), np.float32)
    _look(ids[0], depths[0], part, 0, around[0], around_kinds[0], around_closeness[0])
    for y in range(height):
        above, below = y & 1, 1 - (y & 1)
        _look(ids[2 * y + 1], depths[2 * y + 1], part, 1, seen, kinds, closeness)
        _look(ids[2 * y + 2], depths[2 * y + 2], part, 0, around[below], around_kinds[below], around_closeness[below])
        _find_flat(seen, kinds, closeness, around, around_kinds, around_closeness, flat)
        known[below] = False
        count = 0
        for n in range(width):
            x = np.uintp(n)
            if seen[x] >= 0:
                samples[count], targets[count] = seen[x], n
                place[count, 0], place[count, 1] = np.float32(n), np.float32(y)
                count += 1
            if flat[x]:
                continue
            for k in range(4):
                row, corner = above if k < 2 else below, n + (k & 1)
                if around[row, corner] >= 0 and not known[row, corner]:
                    known[row, corner] = True
                    samples[count], targets[count] = around[row, corner], width + row * (width + 1) + corner
                    place[count, 0], place[count, 1] = np.float32(corner) - half, np.float32(y + (k >> 1)) - half
                    count += 1
        _color(count, samples, place, triangles, uv, part, corners, lamp, skin, detail, targets, colors)
        for n in range(width):
            x = np.uintp(n)
            red, green, blue = background[y, x, 0], background[y, x, 1], background[y, x, 2]
            if seen[x] >= 0:
                red, green, blue = colors[x, 0], colors[x, 1], colors[x, 2]
            if not flat[x]:
                # The centre and the four corners: a tent of the width of two pixels.
                red, green, blue = half * red, half * green, half * blue
                for k in range(4):
                    row, corner = above if k < 2 else below, n + (k & 1)
                    if around[row, corner] < 0:
                        red += eighth * background[y, x, 0]
                        green += eighth * background[y, x, 1]
                        blue += eighth * background[y, x, 2]
                    else:
                        i = width + row * (width + 1) + corner
                        red += eighth * colors[i, 0]
                        green += eighth * colors[i, 1]
                        blue += eighth * colors[i, 2]
            out[y, x, 0], out[y, x, 1], out[y, x, 2] = red, green, blue
