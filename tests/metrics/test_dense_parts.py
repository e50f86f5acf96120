"""Head and expression: the robust fit, and leakage measures on flows whose answer is known by construction."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ffbench.metrics.head_motion import Model, fit_head_flow
from ffbench.metrics.leakage import expression_in_head, head_in_expression
from ffbench.metrics.statistics.intervals import ratio_of_sums
from ffbench.protocol import Term

Flow = npt.NDArray[np.float64]
H, W = 96, 80
ROWS, COLUMNS = np.mgrid[:H, :W].astype(np.float64)
X, Y = (COLUMNS - 39.5) / 48, (ROWS - 47.5) / 48
MASK = X**2 / 0.5 + Y**2 / 0.8 < 1


def affine(*g: float) -> Flow:
    return np.stack([g[0] + g[1] * X + g[2] * Y, g[3] + g[4] * X + g[5] * Y], axis=2)


def head_motion(seed: int = 0) -> Flow:
    """The flow of a turning head: affine, and bent by depth."""
    rng = np.random.default_rng(seed)
    depth = 1 - X**2 - Y**2
    return affine(*rng.normal(0, 2, 6)) + depth[..., None] * rng.normal(0, 1, 2)


def expression(seed: int = 0) -> Flow:
    """A mouth that opens and a brow that rises."""
    rng = np.random.default_rng(seed)
    flow = np.zeros((H, W, 2))
    for x, y in ((0, 0.45), (-0.25, -0.4), (0.25, -0.4)):
        bump = np.exp(-((X - x) ** 2 + (Y - y) ** 2) / 0.02)
        flow += bump[..., None] * rng.normal(0, 3, 2)
    return flow


def value(terms: tuple[Term, Term]) -> tuple[float, float]:
    factor, energy = (term.sum / term.count for term in terms)
    return factor, energy


numbers = st.floats(-3, 3)


@settings(max_examples=40, deadline=None)
@given(numbers, numbers, st.lists(numbers, min_size=6, max_size=6), st.integers(0, 99))
def test_expression_in_head_is_its_factor_whatever_the_head_does(
    share: float, gain: float, error: list[float], seed: int
) -> None:
    head, express = head_motion(seed), expression(seed)
    estimate = gain * head + affine(*error) + share * express
    factor, energy = value(expression_in_head(estimate, head, express, MASK))
    assert factor == pytest.approx(share, abs=1e-9)
    assert energy == pytest.approx(100 * share**2, abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(numbers, numbers, st.integers(0, 99))
def test_head_in_expression_is_its_factor_whatever_the_expression_does(share: float, gain: float, seed: int) -> None:
    head, express = head_motion(seed), expression(seed)
    factor, energy = value(head_in_expression(gain * express + share * head, head, express, MASK))
    assert factor == pytest.approx(share, abs=1e-9)
    assert energy == pytest.approx(100 * share**2, abs=1e-6)


def test_the_named_cases() -> None:
    head, express = head_motion(), expression()
    facial = head + express
    zero = np.zeros_like(facial)
    assert value(expression_in_head(head, head, express, MASK)) == pytest.approx((0, 0), abs=1e-9)
    assert value(expression_in_head(zero, head, express, MASK)) == (0, 0)
    assert value(expression_in_head(facial, head, express, MASK)) == pytest.approx((1, 100))
    assert value(head_in_expression(facial, head, express, MASK)) == pytest.approx((1, 100))  # head taken for zero
    assert value(head_in_expression(zero, head, express, MASK)) == (0, 0)
    # A head flow of 90 % leaves 10 % of the head in the expression; one of 110 % takes 10 % too much out of it.
    assert value(head_in_expression(facial - 0.9 * head, head, express, MASK)) == pytest.approx((0.1, 1))
    assert value(head_in_expression(facial - 1.1 * head, head, express, MASK)) == pytest.approx((-0.1, 1))


def test_a_leak_of_one_part_counts_by_its_share_of_the_energy() -> None:
    left, right = (np.where((X < 0) if side else (X >= 0), 1.0, 0.0)[..., None] * expression(3) for side in (0, 1))
    express = left + right
    factors = [value(expression_in_head(part, np.zeros_like(part), express, MASK))[0] for part in (left, right)]
    assert sum(factors) == pytest.approx(1)
    assert all(0.1 < factor < 0.9 for factor in factors)


def test_noise_leaves_the_factor_unbiased() -> None:
    head, express = head_motion(), expression()
    rng = np.random.default_rng(0)
    draws = [expression_in_head(head + rng.normal(0, 1, (H, W, 2)), head, express, MASK)[0] for _ in range(100)]
    factors = np.array([term.sum / term.count for term in draws])
    sigma = draws[0].count ** -0.5  # of unit noise on a unit direction, over the size of E'
    assert factors.std() == pytest.approx(sigma, rel=0.2)
    assert abs(factors.mean()) < 3 * sigma / 10


def test_what_lies_outside_the_mask_does_not_matter() -> None:
    head, express = head_motion(), expression()
    spoilt = np.where(MASK[..., None], head + 0.5 * express, np.nan)
    assert value(expression_in_head(spoilt, head, express, MASK))[0] == pytest.approx(0.5)


@pytest.mark.parametrize("kind", ["still face", "rigid expression", "one pixel", "still head"])
def test_pairs_that_cannot_tell_weigh_nothing(kind: str) -> None:
    head, express, mask = head_motion(), expression(), MASK
    if kind == "still face":
        express = np.zeros_like(express)
    elif kind == "rigid expression":
        express = affine(1, 2, 3, 4, 5, 6).astype(np.float32).astype(np.float64)
    elif kind == "one pixel":
        mask = (ROWS == 40) & (COLUMNS == 40)
    else:
        head = np.zeros_like(head)
    nothing = (Term(0.0, 0.0), Term(0.0, 0.0))
    if kind != "still head":
        assert expression_in_head(head + express, head, express, mask) == nothing
    else:
        assert head_in_expression(express, head, express, mask) == nothing
        assert value(expression_in_head(0.3 * express, head, express, mask))[0] == pytest.approx(0.3)


def test_the_mean_over_pairs_weighs_by_energy() -> None:
    head, express = head_motion(), expression()
    small = expression_in_head(head + 0.1 * express, head, 0.1 * express, MASK)[0]  # all of a small expression
    large = expression_in_head(head, head, 3 * express, MASK)[0]  # nothing of a large one
    mean = ratio_of_sums([small.sum, large.sum], [small.count, large.count])
    assert mean == pytest.approx(0.01 / 9.01)


@pytest.mark.parametrize("model", ["rigid", "homography"])
def test_a_similarity_is_found_under_an_expression(model: Model) -> None:
    turn, scale = 0.05, 1.02
    moved = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) - np.eye(2)
    head = np.stack([COLUMNS - 20, ROWS - 70], axis=2) @ moved.T + (1.5, -0.7)
    fitted = fit_head_flow(head + expression(1), MASK, model)
    assert fitted.dtype == np.float32
    assert np.abs(fitted - head)[MASK].max() < 0.02 < np.abs(expression(1)).max() / 50


def test_a_homography_follows_a_plane_that_turns_and_a_similarity_does_not() -> None:
    depth = 1 + 0.1 * X - 0.05 * Y
    head = np.stack([39.5 + 48 * (X + 0.02) / depth - COLUMNS, 47.5 + 48 * Y / depth - ROWS], axis=2)
    flow = head + expression(2)
    assert np.abs(fit_head_flow(flow, MASK, "homography") - head)[MASK].max() < 0.02
    assert np.abs(fit_head_flow(flow, MASK, "rigid") - head)[MASK].max() > 1


def test_stable_regions_hold_where_most_of_the_face_moves() -> None:
    head, forehead = affine(1, 0, 0, 0, 0, 0), Y < -0.5
    flow = head + np.where(forehead[..., None], 0.0, 1.0) * (0.0, 3.0)
    assert np.abs(fit_head_flow(flow, MASK, "rigid", forehead) - head)[MASK].max() < 1e-3
    assert np.abs(fit_head_flow(flow, MASK, "rigid") - head)[MASK].max() > 2
    # Too few stable pixels to rely on: the whole mask is used.
    assert np.array_equal(fit_head_flow(flow, MASK, "rigid", Y < -0.89), fit_head_flow(flow, MASK, "rigid"))


@pytest.mark.parametrize("model", ["rigid", "homography"])
@pytest.mark.parametrize("pixels", [1, 2, 3, 5])
def test_masks_of_few_pixels_give_a_finite_flow(model: Model, pixels: int) -> None:
    mask = (ROWS == 30) & np.isin(COLUMNS, np.arange(20, 20 + pixels))
    flow = np.random.default_rng(0).normal(0, 3, (H, W, 2)).astype(np.float32)
    assert np.isfinite(fit_head_flow(flow, mask, model)).all()


@pytest.mark.parametrize("model", ["rigid", "homography"])
def test_no_motion_is_fitted_by_none(model: Model) -> None:
    assert np.abs(fit_head_flow(np.zeros((H, W, 2), np.float32), MASK, model)).max() == 0


def test_a_fit_leaves_no_expression_in_the_head() -> None:
    head, express = affine(1, 0, -0.5, 0.3, 0.5, 0), expression(4)
    fitted = fit_head_flow(head + express, MASK, "rigid")
    factor, _ = value(expression_in_head(fitted, head, express, MASK))
    assert factor == pytest.approx(0, abs=1e-6)  # a similarity is affine, whatever made it
