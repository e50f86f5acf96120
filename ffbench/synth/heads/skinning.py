"""Rotations and linear blend skinning."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numba
import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def rotation_matrix(vector: npt.ArrayLike) -> FloatArray:
    """Turn a rotation vector (3,), axis times angle in radians, into a matrix (3, 3) (Rodrigues)."""
    x, y, z = (float(value) for value in np.asarray(vector, dtype=np.float64))
    angle = math.sqrt(x * x + y * y + z * z)
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    # sin(a)/a and (1 - cos(a))/a^2 by their series near zero, where the quotients lose their digits.
    if angle < 1e-4:
        first, second = 1 - angle**2 / 6, 0.5 - angle**2 / 24
    else:
        first, second = math.sin(angle) / angle, (1 - math.cos(angle)) / angle**2
    return np.asarray(np.eye(3) + first * cross + second * (cross @ cross))


def joint_transforms(
    rotations: Sequence[FloatArray], joints: FloatArray, parents: Sequence[int]
) -> tuple[FloatArray, FloatArray]:
    """Chain the rotations of a skeleton.

    Args:
        rotations: one matrix (3, 3) per joint, relative to its parent.
        joints: (J, 3) rest positions.
        parents: index of each joint's parent, which comes before it; -1 for a root.

    Returns:
        Matrices (J, 3, 3) and offsets (J, 3) that take a rest position to its posed one: A @ x + b.
    """
    matrices = np.empty((len(parents), 3, 3))
    offsets = np.empty((len(parents), 3))
    for j, parent in enumerate(parents):
        # A rotation about the joint's rest position, followed by what moves the parent.
        about_joint = joints[j] - rotations[j] @ joints[j]
        if parent < 0:
            matrices[j], offsets[j] = rotations[j], about_joint
        else:
            matrices[j] = matrices[parent] @ rotations[j]
            offsets[j] = matrices[parent] @ about_joint + offsets[parent]
    return matrices, offsets


def blend(vertices: FloatArray, weights: FloatArray, matrices: FloatArray, offsets: FloatArray) -> FloatArray:
    """Move vertices (V, 3) by the mean of the joints' transforms with weights (V, J) that sum to 1."""
    moved = np.empty_like(vertices)
    _blend(vertices, weights, matrices, offsets, moved)
    return moved


@numba.njit(cache=True, boundscheck=False)
def _blend(vertices, weights, matrices, offsets, moved):  # type: ignore[no-untyped-def]
    for n in range(len(vertices)):
        # Unsigned, since for a signed index every access asks whether it counts from the end.
        v = np.uintp(n)
        x, y, z = vertices[v, 0], vertices[v, 1], vertices[v, 2]
        x0, x1, x2 = 0.0, 0.0, 0.0
        for m in range(len(matrices)):
            j = np.uintp(m)
            weight = weights[v, j]
            if weight == 0:
                continue
            x0 += weight * (matrices[j, 0, 0] * x + matrices[j, 0, 1] * y + matrices[j, 0, 2] * z + offsets[j, 0])
            x1 += weight * (matrices[j, 1, 0] * x + matrices[j, 1, 1] * y + matrices[j, 1, 2] * z + offsets[j, 1])
            x2 += weight * (matrices[j, 2, 0] * x + matrices[j, 2, 1] * y + matrices[j, 2, 2] * z + offsets[j, 2])
        moved[v, 0], moved[v, 1], moved[v, 2] = x0, x1, x2


@numba.njit(cache=True)
def shift(vertices, offset):  # type: ignore[no-untyped-def]
    """Move vertices (V, 3) by `offset` (3,) in place, and give them.

    Ten times as fast as NumPy's broadcasting, whose inner loop has three steps here.
    """
    for v in range(len(vertices)):
        for d in range(3):
            vertices[v, d] += offset[d]
    return vertices


@numba.njit(cache=True)
def add_scaled(vertices, rows, deltas, weight):  # type: ignore[no-untyped-def]
    """Add `weight` times a sparse displacement, deltas (k, 3) at `rows` (k,), to vertices (V, 3) in place."""
    for k in range(len(rows)):
        for d in range(3):
            vertices[rows[k], d] += weight * deltas[k, d]


def fit_rotation(source: FloatArray, target: FloatArray) -> FloatArray:
    """Find the rotation vector (3,) that best takes points (N, 3) about the origin to others (Kabsch)."""
    left, _, right = np.linalg.svd(target.T @ source)
    matrix = left @ np.diag([1.0, 1.0, np.sign(np.linalg.det(left @ right))]) @ right
    angle = math.acos(float(np.clip((np.trace(matrix) - 1) / 2, -1, 1)))
    axis = np.array([matrix[2, 1] - matrix[1, 2], matrix[0, 2] - matrix[2, 0], matrix[1, 0] - matrix[0, 1]])
    return axis * (0.5 if angle < 1e-6 else angle / (2 * math.sin(angle)))
