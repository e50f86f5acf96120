"""Ranks of many methods on the same units, and which ranks the data do not rule out.

The set of ranks of a method comes from its comparisons with all others (Mogstad, Romano, Shaikh and Wilhelm, "Inference
for Ranks", Review of Economic Studies, 2024). Each comparison is that of `paired_difference`; step-down maxima over
shared resamples (Romano and Wolf 2005) keep the chance of any error among the K - 1 at 5 %.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from ffbench.metrics.statistics.intervals import LEVEL, Influence, p_value
from ffbench.typing import Floats

RESAMPLES = 10_000
SEED = 20_241_028
"""Fixed, so that the same scores always give the same sets."""
_CHUNK_CELLS = 500_000
"""Random numbers held at a time: bounds memory at any number of units, and stays in a processor's cache."""
_CHUNK_ROWS = 8
"""Chunks are whole multiples of it, so that products of matrices give the same digits whatever their number."""


@dataclass(frozen=True)
class RankSets:
    """Where K methods stand, in the order in which they were given.

    Attributes:
        positions: by value: 1 + the number of methods with a better one.
        best, worst: the ends of each method's set of ranks; its position lies inside.
        p_values: (K, K), of two methods alone; 1 where they have too few units in common.
        adjusted: (K, K), the same for all comparisons of either method together, never smaller. Two methods are told
            apart where it is below 0.05.
    """

    positions: tuple[int, ...]
    best: tuple[int, ...]
    worst: tuple[int, ...]
    p_values: Floats
    adjusted: Floats

    def told_apart(self, first: int, second: int) -> bool:
        """Whether the data tell two methods apart, by their indices."""
        return bool(self.adjusted[first, second] < 1 - LEVEL)


def rank_sets(
    methods: Sequence[Influence], *, higher_is_better: bool, resamples: int = RESAMPLES, seed: int = SEED
) -> RankSets:
    """Return positions and 95 % rank sets of K methods.

    What two methods are to each other does not depend on a third that is told apart from both, however bad it is: the
    resamples are shared, and what the first step tells apart is gone from the next.

    Args:
        methods: the influence of the same units, in the same order, on the value of each.
        higher_is_better: which value is better.
        resamples: number of resamples.
        seed: of the resampling. The order of units matters, so callers sort them.

    >>> from ffbench.metrics.statistics.intervals import influence_on_ratio
    >>> easy = np.arange(20.0)  # errors on 20 pairs; the second method differs by chance, the third by 5
    >>> errors = (easy, easy + np.tile([0.1, -0.1], 10), easy + 5 + np.tile([0.1, -0.1], 10))
    >>> found = rank_sets([influence_on_ratio(error, np.ones(20)) for error in errors], higher_is_better=False)
    >>> list(zip(found.best, found.worst))
    [(1, 2), (1, 2), (3, 3)]
    """
    count = len(methods)
    values = np.array([method.value for method in methods])
    better = values[:, None] > values if higher_is_better else values[:, None] < values
    single = np.ones((count, count))
    for first in range(count):
        for second in range(first + 1, count):
            found = p_value(methods[first] - methods[second])
            single[first, second] = single[second, first] = 1.0 if found is None else found
    adjusted = _adjust(methods, single, resamples, seed)
    told = adjusted < 1 - LEVEL
    return RankSets(
        positions=tuple((1 + better.sum(axis=0)).tolist()),
        best=tuple((1 + (better & told).sum(axis=0)).tolist()),
        worst=tuple((count - (better & told).sum(axis=1)).tolist()),
        p_values=single,
        adjusted=adjusted,
    )


def _adjust(methods: Sequence[Influence], single: Floats, resamples: int, seed: int) -> Floats:
    """Correct p-values for the comparisons of each method; of the two families of a pair, the stricter counts."""
    count = len(methods)
    if count <= 2:
        return single
    shifts = np.stack([method.shifts - method.shifts.mean() for method in methods], 1)
    moved = _resampled(shifts, resamples, seed)
    # Student's t as normal deviates, so that comparisons with different degrees of freedom weigh alike.
    normal = NormalDist()
    # Half of the least number above 0 is 0.
    deviates = np.array([[-normal.inv_cdf(p / 2) if p / 2 > 0 else np.inf for p in row] for row in single.tolist()])
    adjusted = np.ones((count, count))
    reached, largest = np.empty(resamples), np.empty(resamples)
    for method in range(count):
        others = np.delete(np.arange(count), method)
        order = others[np.argsort(single[method, others], kind="stable")]
        spread = np.linalg.norm(shifts[:, [method]] - shifts[:, order], axis=0)
        chance = np.empty(count - 1)
        largest.fill(0.0)
        # Step down: from the clearest comparison on, the maximum is over those that are not told apart yet. One at a
        # time, from the least clear: all at once they would leave the processor's cache, and take three times as long.
        for place in range(count - 2, -1, -1):
            if spread[place] > 0:
                np.subtract(moved[order[place]], moved[method], out=reached)
                np.abs(reached, out=reached)
                np.divide(reached, spread[place], out=reached)
                np.maximum(largest, reached, out=largest)
            chance[place] = np.count_nonzero(largest >= deviates[method, order[place]]) / resamples
        adjusted[method, order] = np.maximum.accumulate(np.maximum(chance, single[method, order]))
    both: Floats = np.maximum(adjusted, adjusted.T)
    return both


def _resampled(shifts: Floats, resamples: int, seed: int) -> Floats:
    """Return (K, resamples): how the value of each method moves when every unit is given a random weight.

    The weights are normal (the multiplier bootstrap of Chernozhukov, Chetverikov and Kato 2013) and the same for all
    methods. Drawing units instead would let one unit with a huge error decide the maxima of everyone.
    """
    units, count = shifts.shape
    rng = np.random.default_rng(seed)
    chunk = max(_CHUNK_ROWS, _CHUNK_CELLS // units // _CHUNK_ROWS * _CHUNK_ROWS)
    columns = np.ascontiguousarray(shifts.T)
    moved = np.empty((count, resamples))
    for start in range(0, resamples, chunk):
        weights = rng.standard_normal((min(chunk, resamples - start), units))
        # A product a method: the digits of one must not depend on how many others there are.
        for method in range(count):
            moved[method, start : start + chunk] = weights @ columns[method]
    return moved
