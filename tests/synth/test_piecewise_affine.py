from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import ConvexHull

import ffbench.synth
from ffbench.synth import piecewise_affine_flow
from tests.reference.piecewise_affine import piecewise_affine_slowly

seeds = st.integers(0, 2**32 - 1)


def pixels(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    rows, columns = np.nonzero(mask)
    return np.stack([columns, rows], axis=1).astype(float)


@settings(max_examples=8, deadline=None)
@given(seed=seeds, count=st.integers(3, 9))
def test_equals_the_slow_reference(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    # Some landmarks lie outside of the image.
    first = rng.uniform([-4, -4], [22, 18], (count, 2))
    second = first + rng.normal(0, 3, (count, 2))
    flow, mask = piecewise_affine_flow(first, second, (15, 19))
    slow_flow, slow_mask = piecewise_affine_slowly(first, second, (15, 19))
    assert flow.dtype == np.float32
    np.testing.assert_array_equal(mask, slow_mask)
    np.testing.assert_allclose(flow, slow_flow, rtol=0, atol=2e-5)


@settings(max_examples=50, deadline=None)
@given(seed=seeds, count=st.integers(3, 68))
def test_affine_motion_is_reproduced_inside_the_hull(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    first = rng.uniform(0, 60, (count, 2))
    matrix, shift = np.eye(2) + rng.normal(0, 0.3, (2, 2)), rng.normal(0, 10, 2)
    flow, mask = piecewise_affine_flow(first, first @ matrix.T + shift, (50, 64))
    inside = pixels(mask)
    np.testing.assert_allclose(flow[mask], inside @ (matrix - np.eye(2)).T + shift, rtol=0, atol=1e-4)
    assert not flow[~mask].any()


@settings(max_examples=50, deadline=None)
@given(seed=seeds, count=st.integers(3, 40))
def test_exact_at_landmarks_on_pixels(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    spots = rng.choice(40 * 30, count, replace=False)
    first = np.stack([spots % 40, spots // 40], axis=1).astype(float)
    if np.linalg.matrix_rank(first - first[0]) < 2:
        return
    moves = rng.normal(0, 5, (count, 2))
    flow, mask = piecewise_affine_flow(first, first + moves, (30, 40))
    rows, columns = spots // 40, spots % 40
    assert mask[rows, columns].all()
    np.testing.assert_allclose(flow[rows, columns], moves, rtol=0, atol=1e-5)


@settings(max_examples=50, deadline=None)
@given(seed=seeds, count=st.integers(3, 68))
def test_the_mask_is_the_convex_hull(seed: int, count: int) -> None:
    first = np.random.default_rng(seed).uniform(-10, 60, (count, 2))
    _, mask = piecewise_affine_flow(first, first, (40, 50))
    planes = ConvexHull(first).equations
    outside = (pixels(np.ones((40, 50), bool)) @ planes[:, :2].T + planes[:, 2]).max(axis=1).reshape(40, 50)
    assert mask[outside < -1e-6].all()
    assert not mask[outside > 1e-6].any()


def test_a_square_by_hand() -> None:
    corners = np.array([[1.0, 1.0], [5.0, 1.0], [5.0, 5.0], [1.0, 5.0]])
    moved = corners + np.array([[0, 0], [0, 0], [4, 2], [0, 0]])
    flow, mask = piecewise_affine_flow(corners, moved, (7, 7))
    expected = np.zeros((7, 7), bool)
    expected[1:6, 1:6] = True
    np.testing.assert_array_equal(mask, expected)
    np.testing.assert_allclose(flow[5, 5], [4, 2], atol=1e-6)
    np.testing.assert_allclose(flow[5, 3], [2, 1], atol=1e-6)
    np.testing.assert_allclose(flow[3, 5], [2, 1], atol=1e-6)
    assert not flow[1, 1:6].any()


def test_landmarks_that_coincide_and_that_are_far_away() -> None:
    """A closed mouth: upper and lower lip at one place."""
    rng = np.random.default_rng(0)
    first = rng.uniform(5, 35, (20, 2))
    twice = np.concatenate([first, first[:4]])
    flow, mask = piecewise_affine_flow(twice, twice + np.array([1, 2]), (40, 40))
    np.testing.assert_allclose(flow[mask], np.broadcast_to([1, 2], (mask.sum(), 2)), atol=1e-6)
    far = np.array([[-1e6, -1e6], [1e6, -1e6], [0.0, 1e6]])
    flow, mask = piecewise_affine_flow(far, far + 3, (8, 9))
    assert mask.all()
    np.testing.assert_allclose(flow, 3, atol=1e-6)
    away = np.array([[100.0, 100], [120, 100], [110, 130]])
    assert not piecewise_affine_flow(away, away, (8, 9))[1].any()


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        (np.zeros((2, 2)), np.zeros((2, 2)), r"\(N, 2\) twice with N >= 3, got \(2, 2\) and \(2, 2\)"),
        (np.zeros((5, 3)), np.zeros((5, 3)), r"got \(5, 3\)"),
        (np.zeros((5, 2)), np.zeros((4, 2)), r"got \(5, 2\) and \(4, 2\)"),
        (np.array([[0, 0], [1, 0], [0, np.nan]]), np.zeros((3, 2)), "finite"),
        (np.array([[0.0, 0], [1, 0], [0, 1]]), np.full((3, 2), np.inf), "finite"),
        (np.array([[0.0, 0], [1, 1], [2, 2], [5, 5]]), np.zeros((4, 2)), "not all on one line"),
        (np.ones((4, 2)), np.ones((4, 2)), "not all on one line"),
    ],
)
def test_bad_landmarks(first: Any, second: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        piecewise_affine_flow(first, second, (10, 10))


def test_it_is_imported_on_first_use() -> None:
    code = "import sys, ffbench.synth; assert 'numba' not in sys.modules; ffbench.synth.piecewise_affine_flow"
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        ffbench.synth.nothing  # noqa: B018
