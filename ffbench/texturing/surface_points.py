"""Where the 468 points of the face mesh network lie on the MakeHuman head."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from importlib import resources

import numpy as np
import numpy.typing as npt

from ffbench.synth.heads.head import FloatArray
from ffbench.synth.heads.makehuman import MakeHumanHead

FILE = "facemesh468.json"


@dataclass(frozen=True)
class SurfacePoints:
    """Points that stay on the surface however it is shaped.

    Attributes:
        corners: (468, 3) int32, rows of the head's vertices.
        weights: (468, 3) float64, barycentric coordinates.
        spread: (468,) dm, how far apart the network puts each point on different people (see `calibrate`).
    """

    corners: npt.NDArray[np.int32]
    weights: FloatArray
    spread: FloatArray

    def of(self, vertices: npt.NDArray[np.floating]) -> FloatArray:
        """Return the points (468, D) of fields or vertices (V, D)."""
        return np.asarray(np.einsum("nk,nkd->nd", self.weights, vertices[self.corners]))


@functools.lru_cache(maxsize=2)
def surface_points(head: MakeHumanHead) -> SurfacePoints:
    """Load the points, which `ffbench.texturing.calibrate` found."""
    table = json.loads((resources.files("ffbench.texturing") / FILE).read_text())["points"]
    row = {int(base): i for i, base in enumerate(head.base_index)}
    return SurfacePoints(
        corners=np.array([[row[v] for v in point["triangle"]] for point in table], np.int32),
        weights=np.array([point["weights"] for point in table], np.float64),
        spread=np.array([point["spread"] for point in table], np.float64),
    )
