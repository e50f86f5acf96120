"""A posed portrait as an image: its own pixels where the surface has gone, over what lies behind."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from ffbench.reanimation.portrait import Portrait, project
from ffbench.synth.barycentric import areas
from ffbench.synth.camera import Projected
from ffbench.synth.raster import ZBuffer, rasterize_supersampled

FloatImage = npt.NDArray[np.float32]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class RenderedFrame:
    """A frame and what it shows.

    Attributes:
        image: (H, W, 3) float32, 0 to 255 and slightly beyond.
        source: (H, W, 2) float32, which place of the photograph a pixel shows, px; NaN where it shows what is behind.
        projected: the surface as the camera sees it.
        seen: its supersampled z-buffer.
    """

    image: FloatImage
    source: FloatImage
    projected: Projected
    seen: ZBuffer


def render(portrait: Portrait, vertices: FloatArray, gain: FloatArray) -> RenderedFrame:
    """Render a pose.

    Args:
        portrait: the photograph and its surface.
        vertices: (V, 3) from `motion.pose`.
        gain: (V,) factors of the photograph's values: the light on the surface.

    Values between pixels are those of Catmull and Rom's cubic, which is exact at pixels: a surface at rest shows the
    photograph itself. OpenCV's remap would round positions to 1/32 px.
    """
    camera = portrait.camera
    projected = project(camera, vertices)
    seen = rasterize_supersampled(
        projected.xy, projected.depth, portrait.triangles, camera.height, camera.width, portrait.two_sided
    )
    image = portrait.behind.copy()
    source = np.full((camera.height, camera.width, 2), np.nan, np.float32)
    _draw(
        seen.ids,
        portrait.triangles,
        projected.xy,
        1 / projected.depth,
        portrait.source,
        gain,
        portrait.image,
        portrait.alpha,
        image,
        source,
    )
    return RenderedFrame(image, source, projected, seen)


@numba.njit(cache=True, boundscheck=False)
def _draw(seen, triangles, xy, inverse, places, gain, photo, alpha, image, source):  # type: ignore[no-untyped-def]
    height, width = alpha.shape
    columns, rows = np.empty(4, np.int64), np.empty(4, np.int64)
    last_columns, last_rows = np.empty(4, np.int64), np.empty(4, np.int64)
    across, down = np.empty(4, np.float32), np.empty(4, np.float32)
    for y in range(height):
        for x in range(width):
            t = seen[2 * y + 1, 2 * x + 1]
            if t < 0:
                continue
            a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
            wa, wb, wc = areas(xy, a, b, c, x, y)
            wa, wb, wc = wa * inverse[a], wb * inverse[b], wc * inverse[c]
            total = 1 / (wa + wb + wc)
            wa, wb, wc = wa * total, wb * total, wc * total
            # What lies on the surface is found by the plane of the photograph, not by that of this frame.
            u = wa * places[a, 0] + wb * places[b, 0] + wc * places[c, 0]
            v = wa * places[a, 1] + wb * places[b, 1] + wc * places[c, 1]
            light = np.float32(wa * gain[a] + wb * gain[b] + wc * gain[c])
            source[y, x, 0], source[y, x, 1] = u, v
            left, top = np.int64(np.floor(u)), np.int64(np.floor(v))
            _weights(np.float32(u - left), across)
            _weights(np.float32(v - top), down)
            for k in range(4):
                columns[k] = _mirrored(left - 1 + k, width)
                rows[k] = _mirrored(top - 1 + k, height)
                # What touches the border goes on beyond it; what ends before it must not come back as in a mirror.
                last_columns[k] = min(max(left - 1 + k, 0), width - 1)
                last_rows[k] = min(max(top - 1 + k, 0), height - 1)
            cover = np.float32(0)
            red, green, blue = np.float32(0), np.float32(0), np.float32(0)
            for i in range(4):
                r = rows[i]
                for j in range(4):
                    weight = down[i] * across[j]
                    q = columns[j]
                    cover += weight * alpha[last_rows[i], last_columns[j]]
                    red += weight * photo[r, q, 0]
                    green += weight * photo[r, q, 1]
                    blue += weight * photo[r, q, 2]
            cover = min(max(cover, np.float32(0)), np.float32(1))
            image[y, x, 0] += cover * (red * light - image[y, x, 0])
            image[y, x, 1] += cover * (green * light - image[y, x, 1])
            image[y, x, 2] += cover * (blue * light - image[y, x, 2])


@numba.njit(cache=True, inline="always", boundscheck=False)
def _mirrored(i, count):  # type: ignore[no-untyped-def]
    """Index of the pixel that stands for `i`: beyond its border a photograph goes on as in a mirror."""
    i = abs(i)
    i = i if i < count else 2 * (count - 1) - i
    return min(max(i, 0), count - 1)


@numba.njit(cache=True, inline="always", boundscheck=False)
def _weights(t, out):  # type: ignore[no-untyped-def]
    """Weights of the four values around a place that is `t` beyond the second of them (Catmull and Rom 1974)."""
    out[0] = t * (np.float32(-0.5) + t * (np.float32(1) - np.float32(0.5) * t))
    out[1] = np.float32(1) + t * t * (np.float32(-2.5) + np.float32(1.5) * t)
    out[2] = t * (np.float32(0.5) + t * (np.float32(2) - np.float32(1.5) * t))
    out[3] = t * t * (np.float32(-0.5) + np.float32(0.5) * t)
