"""Statistics over pairs: means that do not depend on order, and bootstrap confidence intervals."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

RESAMPLES = 10_000
SEED = 20_241_028
"""Fixed, so that the same scores always give the same interval."""
_CHUNK_CELLS = 4_000_000
"""Resampling weights held at a time, in numbers: bounds memory at any number of units."""


def ratio_of_sums(sums: Sequence[float], counts: Sequence[float]) -> float:
    """Give sum(sums) / sum(counts), correctly rounded sums: the same digits in any order; NaN where nothing counts.

    >>> ratio_of_sums([1.0, 2.0], [1, 2])
    1.0
    """
    count = math.fsum(counts)
    return math.fsum(sums) / count if count else math.nan


def bootstrap_intervals(
    sums: npt.ArrayLike,
    counts: npt.ArrayLike,
    *,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> list[tuple[float, float] | None]:
    """Percentile bootstrap of ratios of sums: resamples units with replacement, the same draw for every ratio.

    Args:
        sums, counts: (units, ratios) float64; a unit is a pair, a subject, a block of time. The order of units
            matters for the last digits, so callers sort them.
        level: mass between the two ends.
        resamples: number of resampled sets.
        seed: of the resampling.

    Returns:
        (low, high) for each ratio; None where fewer than two units count anything. Draws in which no unit counts
        for a ratio say nothing of it and are left out.

    >>> bootstrap_intervals([[2.0], [2.0]], [[1.0], [1.0]])
    [(2.0, 2.0)]
    """
    sums, counts = np.asarray(sums, np.float64), np.asarray(counts, np.float64)
    draws = []
    for weights in resampling_weights(len(sums), resamples, seed):
        with np.errstate(invalid="ignore"):
            # A product a column: the digits of one ratio must not depend on how many others there are.
            draws.append(np.stack([(weights @ s) / (weights @ c) for s, c in zip(sums.T, counts.T, strict=True)], 1))
    ratios = np.concatenate(draws)
    enough = (counts > 0).sum(axis=0) >= 2
    return [percentile_interval(ratios[:, index], level) if enough[index] else None for index in range(sums.shape[1])]


def resampling_weights(units: int, resamples: int = RESAMPLES, seed: int = SEED) -> Iterator[npt.NDArray[np.float64]]:
    """Draw `units` units with replacement, `resamples` times: how often each was drawn, in chunks (draws, units)."""
    rng = np.random.default_rng(seed)
    share = np.full(units, 1.0 / units)
    chunk = max(1, _CHUNK_CELLS // units)
    for start in range(0, resamples, chunk):
        yield rng.multinomial(units, share, size=min(chunk, resamples - start)).astype(np.float64)


def percentile_interval(draws: npt.NDArray[np.float64], level: float = 0.95) -> tuple[float, float]:
    """Give the two ends that leave out (1 - level) / 2 of the draws on either side; NaN is no draw."""
    low, high = np.quantile(draws[~np.isnan(draws)], ((1 - level) / 2, (1 + level) / 2))
    return float(low), float(high)


def bootstrap_statistic(
    units: npt.NDArray[np.float64],
    statistic: Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]],
    *,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> tuple[float, float] | None:
    """Percentile bootstrap of a statistic of a sum over units, by the same draws as `bootstrap_intervals`.

    Args:
        units: (units, ...) float64, what is summed: a confusion matrix a subject. Callers sort them.
        statistic: gives (N,) values for (N, ...) sums; NaN where a sum says nothing, and such draws are left out.
        level: mass between the two ends.
        resamples: number of resampled sets.
        seed: of the resampling.

    Returns:
        (low, high); None with fewer than two units.
    """
    if len(units) < 2:
        return None
    drawn = resampling_weights(len(units), resamples, seed)
    return percentile_interval(np.concatenate([statistic(np.tensordot(w, units, 1)) for w in drawn]), level)
