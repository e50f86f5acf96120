"""Statistics over pairs, subjects or blocks: means, intervals, differences of two methods, and ranks of many."""

from ffbench.metrics.statistics.intervals import (
    Influence,
    confidence_interval,
    influence_on_ratio,
    influence_on_statistic,
    p_value,
    ratio_of_sums,
)

__all__ = [
    "Influence",
    "confidence_interval",
    "influence_on_ratio",
    "influence_on_statistic",
    "p_value",
    "ratio_of_sums",
]
