"""Diversity of feature vectors: against loops in float64, known answers, and what must not change it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ffbench.metrics.people.diversity import (
    map_to_plane,
    neighbor_agreement,
    resampling_weights,
    source_similarity,
    spread,
)
from tests.reference import diversity as reference


def features(seed: int, people: int = 9, width: int = 7) -> np.ndarray:
    made = np.random.default_rng(seed).normal(0.5, 1, (people, width))
    made[:, 2] = 0  # as a dead unit of a network
    return made


def drawn(people: int, resamples: int) -> list[list[int]]:
    """The bootstrap's draws as lists of people."""
    weights = np.concatenate(list(resampling_weights(people, resamples)))
    return [np.repeat(np.arange(people), row.astype(int)).tolist() for row in weights]


@pytest.mark.parametrize("seed", range(3))
def test_values_and_intervals_are_those_of_loops(seed: int) -> None:
    rows, sources = features(seed), features(seed + 10)
    found = {**spread(rows, 60), **source_similarity(rows, sources, 60)}
    everyone = list(range(len(rows)))
    expected = dict(zip(("std", "cv", "pairwise"), reference.spread(rows, everyone), strict=True))
    expected["other_sources"] = reference.similarity_to_others(rows, sources, everyone)
    draws = [
        (*reference.spread(rows, people), reference.similarity_to_others(rows, sources, people))
        for people in drawn(len(rows), 60)
    ]
    ends = np.quantile(np.array(draws), [0.025, 0.975], axis=0)
    for name, (low, high) in zip(("std", "cv", "pairwise", "other_sources"), ends.T, strict=True):
        np.testing.assert_allclose(found[name], (expected[name], low, high), rtol=1e-9, err_msg=name)
    own = [reference.cosine(a, b) for a, b in zip(rows, sources, strict=True)]
    assert found["source"].value == pytest.approx(np.mean(own), rel=1e-12)
    assert min(own) < found["source"].low < found["source"].value < found["source"].high < max(own)


def test_two_people_at_right_angles() -> None:
    found = spread([[3.0, 0.0], [0.0, 2.0]], 100)
    assert found["std"].value == pytest.approx(math.sqrt(0.5))
    assert found["cv"].value == pytest.approx(math.sqrt(2))
    assert found["pairwise"].value == pytest.approx(0, abs=1e-15)
    assert found["pairwise"].high == pytest.approx(0, abs=1e-15)  # draws of one person twice have no pair


def test_equal_people_do_not_differ() -> None:
    found = spread(np.tile([1.0, 2.0, 2.0], (5, 1)), 50)
    assert found["std"].value == pytest.approx(0, abs=1e-9)
    assert found["cv"].value == pytest.approx(0, abs=1e-9)
    assert found["pairwise"].value == pytest.approx(1)


@settings(max_examples=30)
@given(st.integers(0, 999), st.floats(0.01, 100))
def test_lengths_and_order_do_not_matter(seed: int, factor: float) -> None:
    rows = features(seed)
    order = np.random.default_rng(seed).permutation(len(rows))
    lengths = np.linspace(1, factor, len(rows))[:, None]
    a, b = spread(rows, 10), spread((rows * lengths)[order], 10)
    np.testing.assert_allclose([a[name].value for name in a], [b[name].value for name in a], rtol=1e-7)


def test_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(4)
    truth = spread(rng.normal(1, 1, (20_000, 6)), 2)
    hits = dict.fromkeys(truth, 0)
    for _ in range(200):
        found = spread(rng.normal(1, 1, (40, 6)), 300)
        for name, estimate in found.items():
            hits[name] += estimate.low < truth[name].value < estimate.high
    assert min(hits.values()) / 200 > 0.87
    assert max(hits.values()) / 200 < 0.99


def test_what_cannot_be_measured_is_refused() -> None:
    with pytest.raises(ValueError, match="two are needed"):
        spread([[1.0, 2.0]])
    with pytest.raises(ValueError, match="zero or not finite"):
        spread([[1.0, 2.0], [0.0, 0.0]])
    with pytest.raises(ValueError, match="zero or not finite"):
        spread([[1.0, 2.0], [math.nan, 0.0]])
    with pytest.raises(ValueError, match=r"\(N, D\)"):
        spread([1.0, 2.0])
    with pytest.raises(ValueError, match="two"):
        source_similarity(np.ones((3, 2)), np.ones((2, 2)))


def test_neighbours_of_noise_agree_by_chance() -> None:
    rng = np.random.default_rng(0)
    labels = [str(label) for label in rng.integers(0, 4, 1000)]
    share, chance = neighbor_agreement(rng.normal(size=(1000, 3)), labels)
    assert chance == pytest.approx(0.25, abs=0.01)
    assert share == pytest.approx(chance, abs=0.05)


def test_the_plane_keeps_clusters_and_repeats_itself() -> None:
    rng = np.random.default_rng(0)
    rows = np.concatenate([rng.normal(center, 0.1, (12, 20)) for center in (0, 5, 10)])
    plane = map_to_plane(rows)
    assert plane.shape == (36, 2)
    assert neighbor_agreement(plane, ["a"] * 12 + ["b"] * 12 + ["c"] * 12)[0] == 1
    np.testing.assert_array_equal(plane, map_to_plane(rows))
    assert np.isfinite(map_to_plane(rows[:4])).all()
    with pytest.raises(ValueError, match="four rows"):
        map_to_plane(rows[:3])
