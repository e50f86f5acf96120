"""Landmark metrics: against slow restatements, and what must not change them."""

from __future__ import annotations

import doctest

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ffbench.metrics import landmarks
from ffbench.metrics.landmarks import endpoint_errors, error_terms, motion_bins, nonrigid_errors, nonrigid_residual
from ffbench.protocol import Term
from tests.reference import landmarks as reference

COORDINATE = st.floats(-500, 500, allow_nan=False, width=32)


def fields(number: int) -> st.SearchStrategy[list[np.ndarray]]:
    """Arrays (N, 2) of one N: positions first, then displacements."""
    return st.integers(3, 30).flatmap(
        lambda n: st.lists(hnp.arrays(np.float64, (n, 2), elements=COORDINATE), min_size=number, max_size=number)
    )


def similarity_motion(points: np.ndarray, angle: float, scale: float, shift: tuple[float, float]) -> np.ndarray:
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return points @ turn.T + shift - points


def test_examples_in_docstrings() -> None:
    assert doctest.testmod(landmarks).attempted >= 7
    assert doctest.testmod(landmarks).failed == 0


@given(fields(2))
def test_endpoint_errors_against_a_loop(arrays: list[np.ndarray]) -> None:
    assert endpoint_errors(*arrays) == pytest.approx(reference.epe(*arrays), rel=1e-12, abs=1e-12)


@given(fields(2))
def test_endpoint_error_is_zero_only_for_equal_displacements(arrays: list[np.ndarray]) -> None:
    first, second = arrays
    assert (endpoint_errors(first, first) == 0).all()
    assert ((endpoint_errors(first, second) == 0) == (first == second).all(axis=1)).all()


@given(fields(2))
def test_residual_against_a_general_least_squares_fit(arrays: list[np.ndarray]) -> None:
    points, displacement = arrays
    assume(np.ptp(points, axis=0).max() > 1)
    expected = reference.similarity_residual(points, displacement)
    assert nonrigid_residual(points, displacement) == pytest.approx(expected, abs=1e-6)


@given(fields(3))
def test_two_fits_are_one_fit_of_the_difference(arrays: list[np.ndarray]) -> None:
    points, predicted, true = arrays
    one_fit = nonrigid_residual(points, predicted - true)
    assert nonrigid_errors(points, predicted, true) == pytest.approx(np.hypot(*one_fit.T), abs=1e-6)


@given(
    fields(3),
    st.floats(-np.pi, np.pi),
    st.floats(0.2, 3),
    st.tuples(st.floats(-100, 100), st.floats(-100, 100)),
)
def test_a_similarity_motion_added_to_the_prediction_changes_nothing(
    arrays: list[np.ndarray], angle: float, scale: float, shift: tuple[float, float]
) -> None:
    points, predicted, true = arrays
    # About the centroid: far from it a fit in float64 has fewer digits left for what remains.
    motion = similarity_motion(points - points.mean(axis=0), angle, scale, shift)
    before = nonrigid_errors(points, predicted, true)
    assert nonrigid_errors(points, predicted + motion, true) == pytest.approx(before, abs=1e-6)
    assert nonrigid_residual(points, motion) == pytest.approx(0, abs=1e-6)


@given(fields(3), st.randoms(use_true_random=False))
def test_order_of_points_does_not_matter(arrays: list[np.ndarray], rng: object) -> None:
    points, predicted, true = arrays
    order = list(range(len(points)))
    rng.shuffle(order)  # type: ignore[attr-defined]
    shuffled = nonrigid_errors(points[order], predicted[order], true[order])
    assert shuffled == pytest.approx(nonrigid_errors(points, predicted, true)[order], abs=1e-6)


@given(fields(2))
def test_the_residual_is_the_shortest_that_a_similarity_can_leave(arrays: list[np.ndarray]) -> None:
    points, displacement = arrays
    best = np.square(nonrigid_residual(points, displacement)).sum()
    for angle, scale, shift in ((0, 1, (0, 0)), (0.1, 1, (0, 0)), (0, 1.1, (0, 0)), (-0.2, 0.9, (3, -1))):
        other = np.square(displacement - similarity_motion(points, angle, scale, shift)).sum()
        assert best <= other * (1 + 1e-9) + 1e-6


def test_coinciding_points_lose_their_translation_only() -> None:
    displacement = np.array([[1.0, 0.0], [2.0, 0.0], [3.0, 0.0]])
    residual = nonrigid_residual(np.full((3, 2), 7.0), displacement)
    assert residual.tolist() == [[-1.0, 0.0], [0.0, 0.0], [1.0, 0.0]]


def test_bad_shapes() -> None:
    with pytest.raises(ValueError, match="N >= 3"):
        nonrigid_residual(np.zeros((2, 2)), np.zeros((2, 2)))
    with pytest.raises(ValueError, match="N >= 3"):
        nonrigid_residual(np.zeros((4, 2)), np.zeros((3, 2)))
    with pytest.raises(ValueError, match=r"expected \(N, 2\)"):
        endpoint_errors(np.zeros((4, 3)), np.zeros((4, 3)))


def test_terms_of_groups_add_up_and_leave_out_what_does_not_count() -> None:
    errors = np.array([1.0, 2.0, 4.0, np.nan])
    valid = np.array([True, True, True, False])
    groups = {"a": np.array([True, False, False, False]), "b": ~np.array([True, False, False, False])}
    terms = error_terms("epe", errors, valid, groups)
    assert terms == {"epe": Term(7.0, 3.0), "epe/a": Term(1.0, 1.0), "epe/b": Term(6.0, 2.0)}
    assert error_terms("epe", errors, valid, {"none": ~valid}) == {"epe": Term(7.0, 3.0)}


def test_motion_bins_hold_every_point_once() -> None:
    lengths = np.array([0, 0.99, 1, 1.99, 2, 4.9, 5, 14.9, 15, 400])
    displacement = np.stack([lengths * 0.6, lengths * -0.8], axis=1)
    bins = motion_bins(displacement, (1, 2, 5, 15))
    assert list(bins) == ["motion_0-1px", "motion_1-2px", "motion_2-5px", "motion_5-15px", "motion_15px+"]
    assert np.array_equal(np.sum(list(bins.values()), axis=0), np.ones(10))
    assert bins["motion_5-15px"].nonzero()[0].tolist() == [6, 7]
