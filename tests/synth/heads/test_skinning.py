from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ffbench.synth.heads.skinning import blend, fit_rotation, joint_transforms, rotation_matrix
from tests.reference import skinning as reference

vectors = hnp.arrays(np.float64, 3, elements=st.floats(-3, 3, width=32))
small = hnp.arrays(np.float64, 3, elements=st.floats(-0.0009765625, 0.0009765625))


@given(st.one_of(vectors, small))
def test_rotation_is_the_matrix_exponential(vector: np.ndarray) -> None:
    np.testing.assert_allclose(rotation_matrix(vector), reference.rotation(vector), atol=1e-12)


@given(vectors)
def test_rotation_keeps_lengths_and_hands(vector: np.ndarray) -> None:
    matrix = rotation_matrix(vector)
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(matrix) > 0


def test_no_rotation_is_exactly_the_identity() -> None:
    np.testing.assert_array_equal(rotation_matrix(np.zeros(3)), np.eye(3))


@given(st.integers(0, 50))
def test_blend_agrees_with_matrices_of_single_joints(seed: int) -> None:
    rng = np.random.default_rng(seed)
    parents = [-1, 0, 1, 1]
    vertices, joints = rng.normal(0, 2, (7, 3)), rng.normal(0, 2, (4, 3))
    weights = rng.dirichlet(np.ones(4) * 0.5, 7)
    turns = [rng.normal(0, 0.7, 3) for _ in parents]
    moved = blend(vertices, weights, *joint_transforms([rotation_matrix(turn) for turn in turns], joints, parents))
    expected = reference.skin(vertices, weights, [reference.rotation(turn) for turn in turns], joints, parents)
    np.testing.assert_allclose(moved, expected, atol=1e-12)


@given(hnp.arrays(np.float64, 3, elements=st.floats(-1.5, 1.5)))
def test_fit_finds_a_rotation_again(vector: np.ndarray) -> None:
    points = np.random.default_rng(1).normal(0, 1, (30, 3))
    np.testing.assert_allclose(fit_rotation(points, points @ rotation_matrix(vector).T), vector, atol=1e-9)
