"""Means and intervals: against known answers, and blind to order."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffbench.metrics.statistics import bootstrap_intervals, ratio_of_sums
from ffbench.metrics.summary import summarise_means
from ffbench.protocol import PairScore, Term

FINITE = st.floats(0, 1e6, allow_nan=False)
SCORES = st.lists(st.tuples(FINITE, st.integers(1, 500), st.sampled_from("abc")), min_size=1, max_size=20)


def interval_of(values: np.ndarray, counts: np.ndarray, resamples: int = 1000) -> tuple[float, float]:
    (interval,) = bootstrap_intervals(values[:, None], counts[:, None], resamples=resamples)
    assert interval is not None
    return interval


def make(scores: list[tuple[float, int, str]]) -> list[PairScore]:
    return [
        PairScore(f"{index:04d}", {"epe": Term(total, count), "epe/lips": Term(total / 2, count)}, {"subject": subject})
        for index, (total, count, subject) in enumerate(scores)
    ]


@given(st.lists(st.tuples(FINITE, FINITE), min_size=1), st.randoms())
def test_mean_has_the_same_digits_in_any_order(terms: list[tuple[float, float]], rng: random.Random) -> None:
    shuffled = rng.sample(terms, len(terms))
    means = [ratio_of_sums(*zip(*order, strict=True)) for order in (terms, shuffled)]
    assert means[0] == means[1] or all(map(math.isnan, means))


def test_interval_covers_the_true_mean_as_often_as_it_says() -> None:
    rng = np.random.default_rng(5)
    hits = 0
    for _ in range(300):
        low, high = interval_of(rng.normal(3, 1, 60), np.ones(60), 500)
        hits += low < 3 < high
    assert 0.90 < hits / 300 < 0.98


def test_interval_width_is_that_of_the_normal_theory() -> None:
    values = np.random.default_rng(1).normal(0, 2, 400)
    low, high = interval_of(values, np.ones(400), 10_000)
    assert high - low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.05)


def test_interval_does_not_depend_on_how_resampling_is_chunked(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(2).random(50)
    whole = interval_of(values, np.ones(50))
    monkeypatch.setattr("ffbench.metrics.statistics._CHUNK_CELLS", 700)
    assert interval_of(values, np.ones(50)) == whole


def test_no_interval_from_one_unit() -> None:
    assert bootstrap_intervals([[1.0]], [[1.0]]) == [None]
    assert bootstrap_intervals([[1.0, 1.0], [0.0, 3.0]], [[1.0, 1.0], [0.0, 1.0]])[0] is None


def test_ratios_share_their_draws_and_do_not_disturb_each_other() -> None:
    values = np.random.default_rng(3).random((30, 2))
    counts = np.random.default_rng(4).integers(1, 9, (30, 2)).astype(float)
    together = bootstrap_intervals(values, counts, resamples=1000)
    assert together == [interval_of(values[:, index], counts[:, index]) for index in (0, 1)]


def test_draws_without_a_unit_that_counts_are_left_out() -> None:
    counts = np.zeros((6, 1))
    counts[:2] = 1
    values = counts * [[3.0]]
    values[1] = 5.0
    assert bootstrap_intervals(values, counts, resamples=1000) == [(3.0, 5.0)]


@given(SCORES, st.randoms())
def test_summary_is_blind_to_order(scores: list[tuple[float, int, str]], rng: random.Random) -> None:
    pairs = make(scores)
    shuffled = rng.sample(pairs, len(pairs))
    for resample_by in (None, "subject"):
        summaries = [
            summarise_means(order, group_by=("subject",), resample_by=resample_by) for order in (pairs, shuffled)
        ]
        assert summaries[0] == summaries[1]


@given(SCORES)
def test_value_is_the_pooled_mean_whatever_is_resampled(scores: list[tuple[float, int, str]]) -> None:
    pairs = make(scores)
    expected = ratio_of_sums([total for total, _, _ in scores], [count for _, count, _ in scores])
    for resample_by in (None, "subject"):
        summary = {(s.metric, s.group): s for s in summarise_means(pairs, resample_by=resample_by)}
        assert summary["epe", "all"].value == expected
        assert summary["epe", "lips"].value == pytest.approx(expected / 2)
        assert summary["epe", "all"].pairs == len(pairs)


def test_resampling_subjects_is_wider_than_pairs_that_agree_within_a_subject() -> None:
    pairs = make([(float(subject), 1, "abcdef"[subject]) for subject in range(6) for _ in range(50)])
    (by_pair, *_), (by_subject, *_) = summarise_means(pairs), summarise_means(pairs, resample_by="subject")
    width = [(s.ci_high or 0) - (s.ci_low or 0) for s in (by_pair, by_subject)]
    assert width[1] > 4 * width[0]


def test_terms_without_points_do_not_count() -> None:
    pairs = [PairScore("a", {"epe": Term(0, 0)}), PairScore("b", {"epe": Term(6, 2)})]
    (score,) = summarise_means(pairs)
    assert (score.value, score.pairs) == (3, 1)
    assert summarise_means([PairScore("a", {"epe": Term(0, 0)})]) == []
