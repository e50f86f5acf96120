"""FLAME's blend skinning, vertex by vertex with 4 x 4 matrices, in FLAME's own units (Eq. 1)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.linalg import expm

from ffbench.formats.flame_files import FlameArrays

Array = npt.NDArray[np.float64]


def rotation(vector: Sequence[float]) -> Array:
    """The matrix exponential of the cross product."""
    x, y, z = vector
    return np.asarray(expm(np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])))


def flame_slowly(
    flame: FlameArrays, betas: Array, psi: Array, theta: Array, parents: Sequence[int] = (-1, 0, 1, 1, 1)
) -> Array:
    """Vertices (V, 3) of beta (300,), psi (100,) and theta (5, 3): root, neck, jaw and eyes."""
    count = len(flame.template)
    coefficients = np.concatenate([betas, psi])
    rotations = [rotation(vector) for vector in theta]
    shaped = np.array(
        [
            [flame.template[v, k] + sum(flame.shape_directions[v, k] * coefficients) for k in range(3)]
            for v in range(count)
        ]
    )
    joints = [sum(flame.joint_regressor[j, v] * shaped[v] for v in range(count)) for j in range(5)]
    bend = [value for r in rotations[1:] for value in (r - np.eye(3)).reshape(-1)]

    # Where each joint's axes are, first in the rest pose and then in the given one.
    rest, posed = [], []
    for j, parent in enumerate(parents):
        at_rest, local = np.eye(4), np.eye(4)
        at_rest[:3, 3] = joints[j]
        local[:3, :3] = rotations[j]
        local[:3, 3] = joints[j] if parent < 0 else joints[j] - joints[parent]
        rest.append(at_rest)
        posed.append(local if parent < 0 else posed[parent] @ local)

    result = np.zeros((count, 3))
    for v in range(count):
        corrected = [shaped[v, k] + sum(flame.pose_directions[v, k] * bend) for k in range(3)]
        for j in range(5):
            moved = posed[j] @ np.linalg.inv(rest[j]) @ np.array([*corrected, 1.0])
            result[v] += flame.weights[v, j] * moved[:3]
    return result
