"""The paired bootstrap: against a plain re-statement, and how often it errs."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffbench.metrics.paired import holm, paired_difference, resampled_means, win_rate
from tests.flow.strategies import examples

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=8)


def test_resampled_means_are_those_of_a_plain_loop() -> None:
    rng = np.random.default_rng(1)
    sums, counts = rng.random((7, 3)), rng.integers(1, 5, (7, 3)).astype(float)
    means = resampled_means(sums, counts, resamples=50, seed=5)
    draws = np.random.default_rng(5).integers(0, 7, (50, 7))
    for row, drawn in zip(means, draws, strict=True):
        for method in range(3):
            total = sum(sums[unit, method] for unit in drawn)
            weight = sum(counts[unit, method] for unit in drawn)
            assert math.isclose(row[method], total / weight, rel_tol=1e-12)


def test_chunks_do_not_change_the_spread() -> None:
    sums = np.random.default_rng(2).normal(size=(30_000, 1))
    means = resampled_means(sums, np.ones_like(sums), resamples=200)
    assert math.isclose(means.std(), sums.std() / math.sqrt(len(sums)), rel_tol=0.2)


def test_units_that_count_nothing() -> None:
    counts = np.array([[1.0, 0.0], [1.0, 0.0]])
    means = resampled_means(counts, counts, resamples=5)
    assert (means[:, 0] == 1).all()
    assert np.isnan(means[:, 1]).all()
    for shape in ((0, 2), (3,)):
        with pytest.raises(ValueError, match="expected sums and counts"):
            resampled_means(np.zeros(shape), np.zeros(shape))


@pytest.mark.parametrize("units", [8, 40])
def test_equal_methods_are_called_different_as_often_as_stated(units: int) -> None:
    rng = np.random.default_rng(3)
    called = 0
    for seed in range(600):
        values = rng.normal(size=(units, 2)) + rng.normal(size=(units, 1)) * 3
        means = resampled_means(values, np.ones_like(values), resamples=300, seed=seed)
        value = values[:, 0].mean() - values[:, 1].mean()
        p_value = paired_difference(value, means[:, 0] - means[:, 1], units).p_value
        assert p_value is not None
        called += p_value < 0.05
    # 30 of 600 expected, with a standard deviation of 5.3; with few units the bootstrap's error is a little too small.
    assert 12 <= called <= 60


def test_pairing_finds_what_the_intervals_of_the_methods_hide() -> None:
    rng = np.random.default_rng(4)
    hard = rng.gamma(1.0, 5.0, 60)
    values = np.stack([hard + 0.2 + 0.1 * rng.normal(size=60), hard], 1)
    means = resampled_means(values, np.ones_like(values))
    ends = np.quantile(means, [0.025, 0.975], axis=0)
    assert ends[0, 0] < ends[1, 1]  # the two intervals overlap widely
    found = paired_difference(values[:, 0].mean() - values[:, 1].mean(), means[:, 0] - means[:, 1], 60)
    assert found.p_value is not None
    assert found.p_value < 1e-9
    assert found.low is not None
    assert 0.1 < found.low < found.value < (found.high or 0) < 0.3


def test_differences_without_spread_and_without_units() -> None:
    assert paired_difference(0.0, np.zeros(10), 5).p_value == 1
    assert paired_difference(0.5, np.full(10, 0.5), 5).p_value == 0
    for nothing in (
        paired_difference(0.5, np.full(10, 0.5), 1),
        paired_difference(math.nan, np.zeros(10), 5),
        paired_difference(0.5, np.full(10, np.nan), 5),
    ):
        assert (nothing.low, nothing.high, nothing.p_value) == (None, None, None)


@given(P_VALUES)
@examples()
def test_holm(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    assert all(p <= a <= 1 for p, a in zip(p_values, adjusted, strict=True))
    assert adjusted[int(np.argmin(p_values))] == min(1.0, min(p_values) * len(p_values))
    order = np.argsort(p_values, kind="stable")
    assert (np.diff(np.array(adjusted)[order]) >= 0).all()
    assert holm(p_values[::-1]) == adjusted[::-1]
    # The textbook's procedure: reject from the smallest on, until one does not fall below level / what is left.
    rejected = set()
    for position, index in enumerate(order):
        if p_values[index] * (len(p_values) - position) >= 0.05:
            break
        rejected.add(int(index))
    assert rejected == {index for index, p_value in enumerate(adjusted) if p_value < 0.05}


def test_holm_of_nothing() -> None:
    assert holm([]) == []


def test_win_rate() -> None:
    assert win_rate([1, 1, 2, 5], [2, 1, 1, 6], higher_is_better=False) == 0.625
    assert win_rate([1, 1, 2, 5], [2, 1, 1, 6], higher_is_better=True) == 0.375
    assert math.isnan(win_rate([], [], higher_is_better=True))


@pytest.mark.slow
def test_ten_thousand_resamples_of_ten_thousand_pairs_take_seconds() -> None:
    sums = np.random.default_rng(6).random((10_000, 20))
    clock = time.perf_counter()
    resampled_means(sums, np.ones_like(sums), resamples=10_000)
    # Under 2 s on an idle machine.
    assert time.perf_counter() - clock < 20
