"""Statistics over pairs: means that do not depend on order, and bootstrap confidence intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence

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


def bootstrap_interval(
    sums: npt.ArrayLike,
    counts: npt.ArrayLike,
    *,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> tuple[float, float] | None:
    """Percentile bootstrap of a ratio of sums: resamples units with replacement.

    Args:
        sums, counts: one value a unit (a pair, a subject, a block of time), float64. The order of units
            matters for the last digits, so callers sort them.
        level: mass between the two ends.
        resamples: number of resampled sets.
        seed: of the resampling.

    Returns:
        (low, high), or None with fewer than two units that count anything.
    """
    sums, counts = np.asarray(sums, np.float64), np.asarray(counts, np.float64)
    keep = counts > 0
    sums, counts = sums[keep], counts[keep]
    units = len(sums)
    if units < 2:
        return None
    rng = np.random.default_rng(seed)
    share = np.full(units, 1.0 / units)
    chunk = max(1, _CHUNK_CELLS // units)
    ratios = []
    for start in range(0, resamples, chunk):
        weights = rng.multinomial(units, share, size=min(chunk, resamples - start))
        ratios.append((weights @ sums) / (weights @ counts))
    low, high = np.quantile(np.concatenate(ratios), [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
