"""Measures of recognition against scikit-learn's, and McNemar's test."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score

from ffbench.metrics.classification import confusion_matrix, macro_f1, mean_recall
from ffbench.metrics.statistics.intervals import confidence_interval, influence_on_ratio, influence_on_statistic
from ffbench.metrics.statistics.paired import mcnemar


@pytest.mark.parametrize("seed", range(5))
def test_as_scikit_learn_has_them(seed: int) -> None:
    rng = np.random.default_rng(seed)
    true, predicted = rng.integers(0, 4, 60), rng.integers(0, 4, 60)
    table = confusion_matrix(true.tolist(), np.eye(4)[predicted])
    assert macro_f1(table) == pytest.approx(f1_score(true, predicted, average="macro"))
    assert mean_recall(table) == pytest.approx(balanced_accuracy_score(true, predicted))
    stacked = np.stack([table, 3 * table])
    assert np.allclose(macro_f1(stacked), macro_f1(table))


def test_classes_that_are_not_there() -> None:
    table = np.array([[3.0, 1, 0], [0, 2, 0], [0, 0, 0]])
    assert macro_f1(table) == pytest.approx((6 / 7 + 4 / 5) / 2)
    assert mean_recall(table) == pytest.approx((3 / 4 + 1) / 2)
    assert np.isnan(macro_f1(np.zeros((3, 3))))


def test_an_interval_of_a_statistic_is_made_as_that_of_a_mean() -> None:
    rng = np.random.default_rng(1)
    tables = rng.integers(0, 5, (9, 2, 2)).astype(np.float64)

    def share_right(table: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
        return np.asarray(np.trace(table, axis1=1, axis2=2) / table.sum(axis=(1, 2)))

    counts = tables.sum(axis=(1, 2))
    expected = influence_on_ratio(np.trace(tables, axis1=1, axis2=2), counts)
    found = influence_on_statistic(tables, counts, share_right)
    assert found.shifts == pytest.approx(expected.shifts)
    assert confidence_interval(expected) is not None
    assert confidence_interval(found) == pytest.approx(confidence_interval(expected))
    assert confidence_interval(influence_on_statistic(tables[:1], counts[:1], share_right)) is None


def test_mcnemar_counts_only_where_one_is_right() -> None:
    a, b = np.array([1, 1, 1, 1, 1, 1, 0, 1, 0], bool), np.array([0, 0, 0, 0, 0, 1, 1, 1, 0], bool)
    found = mcnemar(a, b)
    assert (found.only_a, found.only_b) == (5, 1)
    # Two-sided binomial: P(at most 1 or at least 5 of 6).
    assert found.p_value == pytest.approx(2 * 7 / 64)
    assert mcnemar(a, a).p_value == 1
