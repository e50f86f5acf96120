"""The triangles of the face mesh, and the axes of a head that its points show.

Axes of a head: x from the face's left side in the image to its right one, y from the forehead to the chin, z from the
nose into the head. Lengths are in dm: a face is taken to be `FACE_WIDTH` wide, whoever it is.
"""

from __future__ import annotations

import ast
import functools
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ffbench.assets import asset_path
from ffbench.datasets.tracks.plain import LANDMARKS
from ffbench.errors import DataError
from ffbench.io.bounds import read_bounded

FloatArray = npt.NDArray[np.float64]

FACE_WIDTH = 1.4
"""Distance in space between the outermost points of the mesh beside the ears, dm."""
LEFT_SIDE, RIGHT_SIDE, FOREHEAD, CHIN = 234, 454, 10, 152
LEFT_EYE, RIGHT_EYE = 33, 263
"""Outer corners of the eyes."""
EYE_LOOPS = (
    (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246),
    (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466),
)
"""The edges of the lids, once around each eye."""
MOUTH_LOOP = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191)
"""The inner contour of the lips, once around."""
_MESH_TRIANGLES = 852
_MOST_BYTES = 1 << 20
_EXPECTED = "does not list the edges of the face mesh; run `ffbench assets pull face_mesh_edges`"


@functools.cache
def face_triangles() -> npt.NDArray[np.int32]:
    """Return the triangles of the mesh (898, 3), counter-clockwise in the image of a face that looks at the camera.

    Those of the skin come from the asset `face_mesh_edges`, which lists their edges one triangle after the other; eyes
    and mouth, which it leaves open, are closed by fans.

    Raises:
        DataError: the asset cannot be fetched or is another file.
    """
    skin = read_triangles(asset_path("face_mesh_edges"))
    fans = [(loop[0], loop[i], loop[i + 1]) for loop in (EYE_LOOPS[0], MOUTH_LOOP) for i in range(1, len(loop) - 1)]
    fans += [(EYE_LOOPS[1][0], EYE_LOOPS[1][i + 1], EYE_LOOPS[1][i]) for i in range(1, len(EYE_LOOPS[1]) - 1)]
    return np.concatenate([skin, np.array(fans, np.int32)])


def read_triangles(path: Path) -> npt.NDArray[np.int32]:
    """Read the triangles (852, 3) from the source of a module that assigns them to FACEMESH_TESSELATION; nothing runs.

    Raises:
        DataError: the file cannot be read, or does not list 852 triangles of the mesh, edge by edge.
    """
    content = read_bounded(path, _MOST_BYTES, "{size} bytes, too big for a list of the mesh's edges")
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise DataError(path, _EXPECTED) from error
    for node in tree.body:
        if (
            isinstance(node, ast.Assign)
            and [target.id for target in node.targets if isinstance(target, ast.Name)] == ["FACEMESH_TESSELATION"]
            and isinstance(node.value, ast.Call)
            and len(node.value.args) == 1
        ):
            return _triangles_of(node.value.args[0], path)
    raise DataError(path, _EXPECTED)


def _triangles_of(node: ast.expr, path: Path) -> npt.NDArray[np.int32]:
    try:
        edges = np.array(ast.literal_eval(node), np.int32).reshape(-1, 3, 2)
    except (ValueError, TypeError, OverflowError) as error:
        raise DataError(path, "damaged list of the face mesh's edges") from error
    first, second = edges[..., 0], edges[..., 1]
    whole = len(edges) == _MESH_TRIANGLES and (np.roll(first, -1, axis=1) == second).all()
    if not whole or first.min() < 0 or first.max() >= LANDMARKS:
        raise DataError(path, f"expected {_MESH_TRIANGLES} triangles, edge by edge")
    return np.ascontiguousarray(first)


@dataclass(frozen=True)
class HeadFrame:
    """Where a head is and how it is turned.

    Attributes:
        axes: (3, 3), rows are x, y and z of the head in the camera's axes (x right, y down, z away).
        eyes: (3,) the middle between the outer corners of the eyes.
        eye_distance: between these corners.
    """

    axes: FloatArray
    eyes: FloatArray
    eye_distance: float

    @property
    def yaw(self) -> float:
        """Turn to the side, degrees."""
        return math.degrees(math.atan2(self.axes[0, 2], math.hypot(self.axes[0, 0], self.axes[0, 1])))

    @property
    def pitch(self) -> float:
        """Nod, degrees; the line from forehead to chin of an upright face has some of its own."""
        return math.degrees(math.asin(min(max(self.axes[1, 2], -1.0), 1.0)))

    def coordinates(self, points: FloatArray) -> FloatArray:
        """Return points (N, 3) in the head's axes, from the middle of the eyes, in eye distances."""
        return np.asarray((points - self.eyes) @ self.axes.T / self.eye_distance, np.float64)


def head_frame(points: FloatArray) -> HeadFrame:
    """Find the axes of a head from its mesh (468, 3) in the camera's axes."""
    across = points[RIGHT_SIDE] - points[LEFT_SIDE] + points[RIGHT_EYE] - points[LEFT_EYE]
    x = across / np.linalg.norm(across)
    down = points[CHIN] - points[FOREHEAD]
    down = down - (down @ x) * x
    y = down / np.linalg.norm(down)
    eyes = (points[LEFT_EYE] + points[RIGHT_EYE]) / 2
    distance = float(np.linalg.norm(points[RIGHT_EYE] - points[LEFT_EYE]))
    return HeadFrame(np.stack([x, y, np.cross(x, y)]), eyes, distance)
