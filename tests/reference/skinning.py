"""Linear blend skinning with 4x4 matrices, one vertex and one joint at a time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def rotation(vector: FloatArray) -> FloatArray:
    """Rodrigues by the power series of the matrix exponential."""
    x, y, z = vector
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]], np.float64)
    result, term = np.eye(3), np.eye(3)
    for n in range(1, 40):
        term = term @ cross / n
        result = result + term
    return result


def skin(
    vertices: FloatArray, weights: FloatArray, rotations: list[FloatArray], joints: FloatArray, parents: list[int]
) -> FloatArray:
    """Pose vertices (V, 3) with weights (V, J) by the joints' rotations relative to their parents."""
    world = []
    for j, parent in enumerate(parents):
        local = np.eye(4)
        local[:3, :3] = rotations[j]
        local[:3, 3] = joints[j] - (joints[parent] if parent >= 0 else 0)
        world.append(local if parent < 0 else world[parent] @ local)
    moved = np.zeros_like(vertices)
    for v, vertex in enumerate(vertices):
        for j in range(len(parents)):
            back = np.eye(4)
            back[:3, 3] = -joints[j]
            moved[v] += weights[v, j] * (world[j] @ back @ np.array([*vertex, 1.0]))[:3]
    return moved
