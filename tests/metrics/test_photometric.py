"""Measures without a reference: against loops, and on images whose motion is known."""

from __future__ import annotations

import doctest

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ffbench.metrics import photometric
from ffbench.metrics.photometric import consistency_term, hull_mask, photometric_term
from ffbench.protocol import Term
from tests.reference import landmarks as reference

SHAPE = (9, 12)
ALL = np.ones(SHAPE, bool)


def smooth_flow(rng: np.random.Generator, size: float) -> np.ndarray:
    return rng.uniform(-size, size, (*SHAPE, 2)).astype(np.float32)


def test_examples_in_docstrings() -> None:
    result = doctest.testmod(photometric)
    assert (result.attempted >= 4, result.failed) == (True, 0)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([0.0, 1.0, 6.0]))
def test_photometric_term_against_a_loop(seed: int, size: float) -> None:
    rng = np.random.default_rng(seed)
    image1, image2 = rng.integers(0, 256, (2, *SHAPE, 3), np.uint8)
    flow, mask = smooth_flow(rng, size), rng.random(SHAPE) < 0.7
    total, count = reference.photometric(image1, image2, flow, mask)
    term = photometric_term(image1, image2, flow, mask)
    assert term.count == count
    assert term.sum == pytest.approx(total, rel=1e-5)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([0.0, 1.0, 6.0]))
def test_consistency_term_against_a_loop(seed: int, size: float) -> None:
    rng = np.random.default_rng(seed)
    forward, backward, mask = smooth_flow(rng, size), smooth_flow(rng, size), rng.random(SHAPE) < 0.7
    total, count = reference.consistency(forward, backward, mask)
    term = consistency_term(forward, backward, mask)
    assert term.count == count
    assert term.sum == pytest.approx(total, rel=1e-5, abs=1e-6)


def test_the_true_flow_leaves_no_error_where_the_match_is_seen() -> None:
    image1 = np.random.default_rng(0).integers(0, 256, (*SHAPE, 3), np.uint8)
    image2 = np.roll(image1, 3, axis=1)
    forward = np.full((*SHAPE, 2), (3.0, 0.0), np.float32)
    seen = (SHAPE[1] - 3) * SHAPE[0]
    assert photometric_term(image1, image2, forward, ALL) == Term(0.0, seen)
    assert consistency_term(forward, -forward, ALL) == Term(0.0, seen)
    assert photometric_term(image1, image2, 0 * forward, ALL).sum > 1000
    assert consistency_term(forward, 0 * forward, ALL).sum == 3 * seen


def test_nothing_seen_counts_nothing() -> None:
    image = np.zeros((*SHAPE, 3), np.uint8)
    away = np.full((*SHAPE, 2), 99.0, np.float32)
    assert photometric_term(image, image, away, ALL) == Term(0.0, 0.0)
    assert consistency_term(away, away, ALL) == Term(0.0, 0.0)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(4, 30))
def test_hull_against_angles_seen_from_each_pixel(seed: int, count: int) -> None:
    points = np.random.default_rng(seed).uniform(-4, 16, (count, 2))
    mask = hull_mask(points, (SHAPE[1], SHAPE[0]))
    for row in range(SHAPE[0]):
        for column in range(SHAPE[1]):
            assert mask[row, column] == reference.in_hull(points, column, row)


def test_hull_outside_of_the_image_is_empty() -> None:
    triangle = np.array([[0, 0], [5, 0], [0, 5]])
    assert not hull_mask(triangle + 100, (12, 9)).any()
    assert not hull_mask(triangle - 100, (12, 9)).any()
    assert hull_mask(triangle * 100 - 50, (12, 9)).all()
