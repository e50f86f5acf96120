"""Whether one method is better than another on the same pairs."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ffbench.metrics.statistics.intervals import Influence, confidence_interval, p_value, too_few_units


@dataclass(frozen=True)
class Difference:
    """The difference of two numbers over the same units, A - B.

    `low` and `high` are its 95 % interval, `p_value` is two-sided; with too few units they are None and `no_test` says
    so. The interval leaves out 0 if, and only if, the p-value is below 0.05.
    """

    value: float
    low: float | None
    high: float | None
    p_value: float | None
    no_test: str | None = None


def paired_difference(a: Influence, b: Influence, unit: str = "unit") -> Difference:
    """Judge the difference of two numbers unit by unit.

    Args:
        a, b: of the same units in the same order.
        unit: what they are, in a word.

    >>> from ffbench.metrics.statistics.intervals import influence_on_ratio
    >>> a, b = ([1.0, 2.0, 3.0, 4.0, 5.0], [2.0, 3.0, 4.0, 5.0, 6.0])  # B is 1 above A on each of five pairs
    >>> found = paired_difference(influence_on_ratio(a, [1.0] * 5), influence_on_ratio(b, [1.0] * 5))
    >>> found.value, found.low, found.high, found.p_value
    (-1.0, -1.0, -1.0, 0.0)
    """
    difference = a - b
    low, high = confidence_interval(difference) or (None, None)
    return Difference(difference.value, low, high, p_value(difference), too_few_units(difference, unit))


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

    It takes pairs for independent; where several are of one subject, `paired_difference` over subjects is the test.

    Args:
        a, b: whether each is right on each pair, (N,) bool.

    >>> mcnemar([True, True, True, False], [False, False, True, False])
    McNemar(only_a=2, only_b=0, p_value=0.5)
    """
    a, b = np.asarray(a, bool), np.asarray(b, bool)
    only_a, only_b = int((a & ~b).sum()), int((b & ~a).sum())
    discordant = only_a + only_b
    # Of fair coins, counted in whole numbers. Both tails are alike; with as many of each they overlap in the middle.
    tail = sum(
        itertools.accumulate(range(min(only_a, only_b)), lambda ways, k: ways * (discordant - k) // (k + 1), initial=1)
    )
    return McNemar(only_a, only_b, min(1.0, 2 * tail / 2**discordant))


def win_rate(a: npt.ArrayLike, b: npt.ArrayLike, *, higher_is_better: bool) -> float:
    """Return the share of pairs on which A is better than B, in [0, 1]; equal pairs count one half. NaN without pairs.

    Args:
        a, b: the value of each pair, (N,).
        higher_is_better: which way is better.

    >>> win_rate([1.0, 2.0, 3.0, 4.0], [2.0, 2.0, 1.0, 1.0], higher_is_better=False)  # a win, a tie, two losses
    0.375
    """
    better = np.sign(np.asarray(a, np.float64) - np.asarray(b, np.float64))
    if not higher_is_better:
        better = -better
    return float(((better + 1) / 2).mean()) if better.size else math.nan
