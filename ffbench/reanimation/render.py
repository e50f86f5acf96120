"""A posed portrait as an image: its own pixels where the surface has gone, over what lies behind."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from ffbench.reanimation.portraits.portrait import Portrait, project
from ffbench.reanimation.sampling import cubic_sample, linear_sample
from ffbench.synth.render.barycentric import areas
from ffbench.synth.render.camera import Projected
from ffbench.synth.render.raster import ZBuffer, rasterize_supersampled

FloatImage = npt.NDArray[np.float32]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class RenderedFrame:
    """A frame and what it shows.

    Attributes:
        image: (H, W, 3) float32, 0 to 255 and slightly beyond.
        exact: (H, W) bool, where it shows a place of the photograph whose nearest pixel is `Portrait.exact`.
        projected: the surface as the camera sees it.
        seen: its supersampled z-buffer.
    """

    image: FloatImage
    exact: npt.NDArray[np.bool_]
    projected: Projected
    seen: ZBuffer


def render(portrait: Portrait, vertices: FloatArray, gain: FloatArray) -> RenderedFrame:
    """Render a pose.

    Args:
        portrait: the photograph and its surface.
        vertices: (V, 3) from `motion.pose`.
        gain: (V,) factors of the photograph's values: the light on the surface.

    Values between pixels are those of Catmull and Rom's cubic, which is exact at pixels: a surface at rest shows the
    photograph itself.
    """
    camera = portrait.camera
    projected = project(camera, vertices)
    seen = rasterize_supersampled(
        projected.xy, projected.depth, portrait.triangles, camera.height, camera.width, portrait.two_sided
    )
    image = portrait.behind.copy()
    exact = np.zeros((camera.height, camera.width), np.bool_)
    _draw(
        seen.ids,
        portrait.triangles,
        projected.xy,
        1 / projected.depth,
        portrait.source,
        gain,
        portrait.image,
        portrait.alpha,
        portrait.exact,
        image,
        exact,
    )
    return RenderedFrame(image, exact, projected, seen)


@numba.njit(cache=True, boundscheck=False)
def _draw(  # type: ignore[no-untyped-def]
    seen, triangles, xy, inverse, places, gain, photo, alpha, skin, image, exact
):
    height, width = alpha.shape
    weights = np.empty((2, 4), np.float32)
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
            u = wa * places[a, 0] + wb * places[b, 0] + wc * places[c, 0]
            v = wa * places[a, 1] + wb * places[b, 1] + wc * places[c, 1]
            light = np.float32(wa * gain[a] + wb * gain[b] + wc * gain[c])
            column, row = np.int64(np.rint(u)), np.int64(np.rint(v))
            inside = column >= 0 and row >= 0 and column < width and row < height
            exact[y, x] = inside and skin[row, column]
            # What touches the border goes on beyond it; what ends before it must not come back as in a mirror.
            cover = linear_sample(alpha, u, v)
            if cover <= 0:
                continue
            red, green, blue = cubic_sample(photo, u, v, weights)
            image[y, x, 0] += cover * (red * light - image[y, x, 0])
            image[y, x, 1] += cover * (green * light - image[y, x, 1])
            image[y, x, 2] += cover * (blue * light - image[y, x, 2])
