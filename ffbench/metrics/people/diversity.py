"""How much the people of a dataset differ, from one feature vector each (paper, section 3.4 and Table 1).

The paper gives names, not formulas: "the standard deviation and coefficient of variation of these vectors". Its 0.029
fits vectors of unit length with 512 numbers, whose standard deviation cannot be more than 1 / sqrt(512) = 0.044, in the
mean over the numbers; and a coefficient of variation of 84 fits a mean over numbers, some of them near zero in the
mean. So it is defined here.

Intervals are of a bootstrap over people. Someone drawn twice is no pair of alike people: everything is a mean over
pairs of different ones, and in a draw only such pairs count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ffbench.metrics.statistics.ranks import RESAMPLES, SEED

Features = npt.NDArray[np.float64]
_CHUNK_CELLS = 4_000_000
"""Resampling weights held at a time, in numbers: bounds memory at any number of people."""


class Estimate(NamedTuple):
    """A value and its 95 % interval; infinite ends where a mean comes out as zero."""

    value: float
    low: float
    high: float


def unit_length(features: npt.ArrayLike) -> Features:
    """Scale (N, D) features to unit length, as cosine similarity does.

    Raises:
        ValueError: another shape, or a row that is zero or not finite.

    >>> unit_length([[3.0, 4.0], [0.0, 2.0]]).tolist()
    [[0.6, 0.8], [0.0, 1.0]]
    """
    rows = np.asarray(features, np.float64)
    if rows.ndim != 2 or 0 in rows.shape:
        raise ValueError(f"features must be (N, D), got {rows.shape}")
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    if not (np.isfinite(length) & (length > 0)).all():
        raise ValueError("a feature vector is zero or not finite")
    return np.asarray(rows / length, np.float64)


def spread(features: npt.ArrayLike, resamples: int = RESAMPLES) -> dict[str, Estimate]:
    """Measure how much people differ.

    Args:
        features: (N, D), one row a person, N >= 2; only directions count.
        resamples: draws of the bootstrap.

    Returns:
        `std`: standard deviation (N - 1) of each number over people, in the mean over the D numbers;
        `cv`: that of each number over the absolute value of its mean, in the mean over the numbers that are not
        zero for everyone. Numbers near zero in the mean decide it, and the interval is as wide as that makes it;
        `pairwise`: mean cosine similarity over all pairs of people. Lower is more diverse.

    Raises:
        ValueError: fewer than two people, or not features.

    >>> found = spread([[1.0, 0.0], [0.0, 1.0]])  # cosine 0; each number is 0 and 1
    >>> round(found["std"].value, 4), found["pairwise"].value
    (0.7071, 0.0)
    """
    rows = unit_length(features)
    if len(rows) < 2:
        raise ValueError("one person does not differ; features of two are needed")
    rows = rows[:, (rows != 0).any(axis=0)]
    width = np.shape(features)[1]
    center = rows.mean(axis=0)
    apart = rows - center  # variances of nearly equal rows keep their digits

    def measure(weights: Features) -> Features:
        count, pairs = weights.sum(axis=1), _pairs(weights)
        shift = weights @ apart
        with np.errstate(divide="ignore", invalid="ignore"):
            variance = (count[:, None] * (weights @ apart**2) - shift**2) / pairs[:, None]
            deviation = np.sqrt(variance.clip(min=0))
            mean = center + shift / count[:, None]
            ratio = np.where(deviation == 0, 0.0, deviation / np.abs(mean))
            alike = ((mean * count[:, None]) ** 2).sum(axis=1) - (weights**2).sum(axis=1)
            found = np.stack([deviation.sum(axis=1) / width, ratio.mean(axis=1), alike / pairs], axis=1)
        found[pairs == 0] = np.nan
        return np.asarray(found, np.float64)

    return dict(zip(("std", "cv", "pairwise"), _estimates(measure, len(rows), resamples), strict=True))


def source_similarity(
    features: npt.ArrayLike, sources: npt.ArrayLike, resamples: int = RESAMPLES
) -> dict[str, Estimate]:
    """Measure how much of the people in source images is left.

    Args:
        features, sources: (N, D), one row a person, the same order, N >= 2.
        resamples: draws of the bootstrap.

    Returns:
        `source`: mean cosine similarity of a person to its own source image;
        `other_sources`: to those of all others. The first says something only as far as it is above the second.

    Raises:
        ValueError: fewer than two people, or arrays that do not fit each other.

    >>> found = source_similarity([[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]])
    >>> found["source"].value, found["other_sources"].value
    (1.0, 0.0)
    """
    rows, origins = unit_length(features), unit_length(sources)
    if rows.shape != origins.shape or len(rows) < 2:
        raise ValueError(f"expected two (N, D) arrays, N >= 2, got {rows.shape} and {origins.shape}")
    own = (rows * origins).sum(axis=1)

    def others(weights: Features) -> Features:
        pairs = _pairs(weights)
        both = ((weights @ rows) * (weights @ origins)).sum(axis=1) - weights**2 @ own
        with np.errstate(divide="ignore", invalid="ignore"):
            found = both / pairs
        found[pairs == 0] = np.nan
        return np.asarray(found[:, None], np.float64)

    def itself(weights: Features) -> Features:
        return np.asarray((weights @ own / weights.sum(axis=1))[:, None], np.float64)

    (same,), (other,) = (_estimates(measure, len(rows), resamples) for measure in (itself, others))
    return {"source": same, "other_sources": other}


def neighbor_agreement(features: npt.ArrayLike, labels: list[str]) -> tuple[float, float]:
    """Say how often the nearest other row, by Euclidean distance, has the same label, and how often one by chance has.

    Args:
        features: (N, D), N >= 2.
        labels: (N,).

    >>> neighbor_agreement([[0.0], [1.0], [9.0], [8.0]], ["a", "a", "b", "b"])
    (1.0, 0.3333333333333333)
    """
    from sklearn.neighbors import NearestNeighbors

    names = np.array(labels)
    nearest = NearestNeighbors(n_neighbors=1).fit(features).kneighbors(return_distance=False)[:, 0]
    counts = np.unique(names, return_counts=True)[1].astype(float)
    chance = (counts * (counts - 1)).sum() / (len(names) * (len(names) - 1))
    return float((names[nearest] == names).mean()), float(chance)


def map_to_plane(features: npt.ArrayLike, seed: int = 0) -> Features:
    """Lay rows out in a plane so that near ones stay near (t-SNE; van der Maaten and Hinton, 2008).

    Distances between far points and sizes of clusters mean nothing. The perplexity is 30, or a third of the rows where
    there are fewer than 90; it starts from the two principal components.

    Args:
        features: (N, D), N >= 4.
        seed: the same gives the same picture on one machine.

    Returns:
        (N, 2) float64.

    Raises:
        ValueError: fewer than four rows.

    >>> map_to_plane([[0.0, 0.0, 1.0], [0.0, 0.0, 2.0], [9.0, 0.0, 0.0], [8.0, 0.0, 0.0]]).shape
    (4, 2)
    """
    rows = np.asarray(features, np.float64)
    if len(rows) < 4:
        raise ValueError(f"t-SNE needs four rows at least, got {len(rows)}")
    from sklearn.manifold import TSNE

    perplexity = min(30.0, (len(rows) - 1) / 3)
    return np.asarray(TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(rows), np.float64)


def _pairs(weights: Features) -> Features:
    """Count ordered pairs of different people in each draw."""
    return np.asarray(weights.sum(axis=1) ** 2 - (weights**2).sum(axis=1), np.float64)


def _estimates(measure: Callable[[Features], Features], people: int, resamples: int) -> list[Estimate]:
    """Measure everyone once, then draws; `measure` takes weights (draws, people) and gives (draws, values)."""
    values = measure(np.ones((1, people)))[0]
    draws = np.concatenate([measure(weights) for weights in resampling_weights(people, resamples)])
    return [Estimate(float(v), *_percentiles(column)) for v, column in zip(values, draws.T, strict=True)]


def resampling_weights(people: int, resamples: int = RESAMPLES) -> Iterator[Features]:
    """Draw `people` people with replacement, `resamples` times: how often each was drawn, in chunks (draws, people).

    >>> (weights,) = resampling_weights(people=3, resamples=5)
    >>> weights.shape, weights.sum(axis=1).tolist()
    ((5, 3), [3.0, 3.0, 3.0, 3.0, 3.0])
    """
    rng = np.random.default_rng(SEED)
    share = np.full(people, 1.0 / people)
    chunk = max(1, _CHUNK_CELLS // people)
    for start in range(0, resamples, chunk):
        yield rng.multinomial(people, share, size=min(chunk, resamples - start)).astype(np.float64)


def _percentiles(draws: Features) -> tuple[float, float]:
    """Return the ends that leave out 2.5 % of the draws on either side; NaN is no draw."""
    low, high = np.quantile(draws[~np.isnan(draws)], (0.025, 0.975))
    return float(low), float(high)
