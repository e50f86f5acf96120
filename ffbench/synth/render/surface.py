"""Where on the head each pixel lies: texture coordinates, as dense labels of what is seen."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from ffbench.synth.heads.head import Part, Topology
from ffbench.synth.render.barycentric import areas
from ffbench.synth.render.camera import Projected
from ffbench.synth.render.raster import ZBuffer


def texture_coordinates(topology: Topology, projected: Projected, seen: ZBuffer) -> npt.NDArray[np.float32]:
    """Return the texture coordinates (H, W, 2) of the skin that each pixel's centre sees, in [0, 1].

    Zero where there is no skin: on the background, and on eyes, teeth and tongue, which have a sheet of their own.

    Args:
        topology: of the mesh.
        projected: the mesh in the frame.
        seen: the frame's supersampled z-buffer (`rasterize_supersampled`).
    """
    ids = np.ascontiguousarray(seen.ids[1::2, 1::2])
    out = np.zeros((*ids.shape, 2), np.float32)
    skin = topology.part == Part.SKIN
    _fill(ids, topology.triangles, topology.uv, skin, projected.xy, 1 / projected.depth, out)
    return out


@numba.njit(cache=True, boundscheck=False)
def _fill(ids, triangles, uv, skin, xy, inverse, out):  # type: ignore[no-untyped-def]
    for y in range(ids.shape[0]):
        for x in range(ids.shape[1]):
            t = ids[y, x]
            if t < 0 or not skin[t]:
                continue
            a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
            wa, wb, wc = areas(xy, a, b, c, x, y)
            wa, wb, wc = wa * inverse[a], wb * inverse[b], wc * inverse[c]
            total = 1 / (wa + wb + wc)
            for k in range(2):
                out[y, x, k] = ((wa * uv[t, 0, k] + wb * uv[t, 1, k] + wc * uv[t, 2, k]) * total) % 1.0
