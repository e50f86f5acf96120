"""Whether one method is better than another on the same pairs: paired bootstrap and Holm's correction."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ffbench.metrics.statistics import RESAMPLES, SEED

_CHUNK_CELLS = 2_000_000
"""Resampled units held at a time: bounds memory at any number of units, and stays in the cache."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Difference:
    """The difference of two means, A - B, over resampled units.

    `low` and `high` are the percentile interval, `p_value` is two-sided; None with fewer than two units.
    """

    value: float
    low: float | None
    high: float | None
    p_value: float | None


def resampled_means(
    sums: npt.ArrayLike, counts: npt.ArrayLike, *, resamples: int = RESAMPLES, seed: int = SEED
) -> Floats:
    """Give the means of K methods over sets of units that are drawn with replacement, the same set for all methods.

    Args:
        sums, counts: (units, K), float64; a method's mean is the sum of its sums over the sum of its counts.
        resamples: number of sets.
        seed: of the drawing. The order of units matters, so callers sort them.

    Returns:
        (resamples, K) float64; NaN where none of the drawn units counts.

    Raises:
        ValueError: the arrays are not of one shape (units, K), or there is no unit.
    """
    sums, counts = np.asarray(sums, np.float64), np.asarray(counts, np.float64)
    if sums.ndim != 2 or sums.shape != counts.shape or not len(sums):
        raise ValueError(f"expected sums and counts of one shape (units, methods), got {sums.shape}, {counts.shape}")
    units = len(sums)
    rng = np.random.default_rng(seed)
    both = np.hstack([sums, counts])
    chunk = max(1, _CHUNK_CELLS // units)
    means = np.empty((resamples, sums.shape[1]))
    for start in range(0, resamples, chunk):
        rows = min(chunk, resamples - start)
        drawn = rng.integers(0, units, (rows, units))
        drawn += np.arange(rows)[:, None] * units
        weights = np.bincount(drawn.ravel(), minlength=rows * units).reshape(rows, units)
        totals = weights.astype(np.float64) @ both
        with np.errstate(invalid="ignore"):
            means[start : start + rows] = totals[:, : sums.shape[1]] / totals[:, sums.shape[1] :]
    return means


def paired_difference(value: float, resampled: npt.ArrayLike, units: int, *, level: float = 0.95) -> Difference:
    """Judge a difference by its resampled values.

    The p-value is that of Student's t of difference over bootstrap standard error, with units - 1 degrees of freedom.
    Counting resamples beyond zero cannot go below 1 / resamples, which Holm's correction over many methods needs.

    Args:
        value: the difference itself.
        resampled: the difference in each set of `resampled_means`.
        units: number of units that were drawn from.
        level: mass between the two ends of the interval.
    """
    values = np.asarray(resampled, np.float64)
    values = values[np.isfinite(values)]
    if units < 2 or not len(values) or not math.isfinite(value):
        return Difference(value, None, None, None)
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return Difference(value, float(low), float(high), _t_test(value, float(values.std(ddof=1)), units))


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values for how many there are (Holm 1979): below a level, each keeps it for the whole family.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for position, index in enumerate(sorted(range(len(p_values)), key=lambda index: p_values[index])):
        largest = max(largest, min(1.0, p_values[index] * (len(p_values) - position)))
        adjusted[index] = largest
    return adjusted


@dataclass(frozen=True)
class McNemar:
    """On how many pairs only A is right, on how many only B, and the exact two-sided p-value of McNemar's test."""

    only_a: int
    only_b: int
    p_value: float


def mcnemar(a: npt.ArrayLike, b: npt.ArrayLike) -> McNemar:
    """Test whether two classifiers are right equally often on the same pairs (McNemar 1947, exact binomial).

    It takes pairs for independent; where several are of one subject, the paired bootstrap over subjects is the test.

    Args:
        a, b: whether each is right on each pair, (N,) bool.

    >>> mcnemar([True, True, True, False], [False, False, True, False])
    McNemar(only_a=2, only_b=0, p_value=0.5)
    """
    from scipy.stats import binomtest

    a, b = np.asarray(a, bool), np.asarray(b, bool)
    only_a, only_b = int((a & ~b).sum()), int((b & ~a).sum())
    return McNemar(only_a, only_b, float(binomtest(only_a, only_a + only_b).pvalue) if only_a + only_b else 1.0)


def win_rate(a: npt.ArrayLike, b: npt.ArrayLike, *, higher_is_better: bool) -> float:
    """Give the share of pairs on which A is better than B, in [0, 1]; equal pairs count one half. NaN without pairs.

    Args:
        a, b: the value of each pair, (N,).
        higher_is_better: which way is better.
    """
    better = np.sign(np.asarray(a, np.float64) - np.asarray(b, np.float64))
    if not higher_is_better:
        better = -better
    return float(((better + 1) / 2).mean()) if better.size else math.nan


def _t_test(value: float, error: float, units: int) -> float:
    from scipy.stats import t

    # Two methods that are the same on every unit differ by nothing, up to the rounding of sums.
    if error <= 1e-12 * max(abs(value), 1e-300):
        return 1.0 if value == 0 else 0.0
    return float(2 * t.sf(abs(value) / error, units - 1))
