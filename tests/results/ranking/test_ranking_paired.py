"""The paired comparison: against the textbook, and how often it errs."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffbench.metrics.statistics.intervals import Influence, confidence_interval, influence_on_ratio
from ffbench.metrics.statistics.paired import holm, paired_difference, win_rate
from tests.flow.strategies import examples
from tests.reference import coverage as simulation

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=8)


def of(values: np.ndarray) -> Influence:
    return influence_on_ratio(values, np.ones(len(values)))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["normal", "lognormal", "counts", "hard"])
def test_equal_methods_are_called_different_as_often_as_stated(name: str) -> None:
    for units in (8, 12, 24, 40):
        # 5 % of 2,000, with a standard error of 0.5 %; heavy tails make Student's t careful (docs/ranking.md).
        assert 0.025 < simulation.type_one_error(name, units, 2000, seed=units) < 0.065, units


@pytest.mark.slow
def test_the_old_test_fails_the_same_simulation() -> None:
    assert simulation.type_one_error_before("counts", 8, 1000) > 0.07


def test_equal_counts_give_the_textbook_paired_t_test() -> None:
    from scipy import stats

    values = np.random.default_rng(1).normal(size=(2, 9))
    found = paired_difference(of(values[0]), of(values[1]))
    assert found.p_value == pytest.approx(stats.ttest_rel(*values).pvalue)


def test_pairing_finds_what_the_intervals_of_the_methods_hide() -> None:
    rng = np.random.default_rng(4)
    hard = rng.gamma(1.0, 5.0, 60)
    values = np.stack([hard + 0.2 + 0.1 * rng.normal(size=60), hard], 1)
    ends = [confidence_interval(of(column), minimum=0) for column in values.T]
    assert ends[0] is not None
    assert ends[1] is not None
    assert ends[0][0] < ends[1][1]  # the two intervals overlap widely
    found = paired_difference(of(values[:, 0]), of(values[:, 1]))
    assert found.p_value is not None
    assert found.p_value < 1e-9
    assert found.low is not None
    assert 0.1 < found.low < found.value < (found.high or 0) < 0.3


def test_differences_without_spread_and_without_units() -> None:
    values = np.random.default_rng(5).normal(size=6)
    same, above = paired_difference(of(values), of(values)), paired_difference(of(values + 0.5), of(values))
    assert (same.value, same.low, same.high, same.p_value) == (0, 0, 0, 1)
    assert above.p_value is not None
    assert above.p_value < 1e-12
    few = paired_difference(of(values[:4]), of(values[1:5]), "subject")
    assert (few.low, few.high, few.p_value, few.no_test) == (None, None, None, "4 subjects, an interval takes 5")


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
