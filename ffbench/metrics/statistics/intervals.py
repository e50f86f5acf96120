"""Means that do not depend on order, and the one confidence interval of ffbench: jackknife and Student's t over units.

A unit is what is independent: a pair, a subject, a sequence, a block of time. Leaving out each unit in turn tells how
much it moves a number (Tukey's jackknife), for ratios of sums, differences of two and F1 alike. The degrees of freedom
are those of the effective number of units (Kish), since units with more pairs count more. An error cannot be below 0,
nor a percentage above 100, so their intervals are made on the scale of the logarithm or the logit, which keeps them
inside and follows the skew. `docs/ranking.md` shows how often they hold the true value.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ffbench.metrics.statistics.student_t import t_quantile, two_sided_p
from ffbench.typing import Floats

LEVEL = 0.95
"""Of all intervals, and 1 - LEVEL the chance to call two equal methods different."""
MIN_UNITS = 5
"""With fewer units nothing is said of uncertainty: their spread is known too badly."""
_MIN_EFFECTIVE = 2.0
"""Units that count like fewer than this (one holds nearly all pairs) say no more than too few."""
_ROUNDING = 1e-12


def ratio_of_sums(sums: Sequence[float], counts: Sequence[float]) -> float:
    """Return sum(sums) / sum(counts), correctly rounded sums: the same digits in any order; NaN where nothing counts.

    >>> ratio_of_sums([1.0, 2.0], [1, 2])
    1.0
    """
    count = math.fsum(counts)
    return math.fsum(sums) / count if count else math.nan


@dataclass(frozen=True)
class Influence:
    """What each unit does to a number.

    Attributes:
        value: the number, over all units.
        shifts: (units,) float64, how the number changes when a unit is left out.
        weights: (units,) float64, the share of each unit in what is counted; they add up to 1.
    """

    value: float
    shifts: Floats
    weights: Floats

    @property
    def units(self) -> int:
        """Number of units that count anything."""
        return int((self.weights > 0).sum())

    @property
    def effective_units(self) -> float:
        """Number of equal units that would count as much (Kish 1965): 1 / sum of squared weights."""
        total = float(self.weights @ self.weights)
        return 1.0 / total if total else 0.0

    @property
    def standard_error(self) -> float:
        """Standard error by the jackknife; 0 where it is only the rounding of sums."""
        units = self.units
        if units < 2:
            return math.nan
        shifts = self.shifts[self.weights > 0]
        apart = shifts - shifts.mean()
        error = math.sqrt((units - 1) / units * float(apart @ apart))
        return error if error > _ROUNDING * abs(self.value) else 0.0

    def __sub__(self, other: Influence) -> Influence:
        """Return the influence of the same units on the difference of two numbers."""
        return Influence(self.value - other.value, self.shifts - other.shifts, (self.weights + other.weights) / 2)


def influence_on_ratio(sums: npt.ArrayLike, counts: npt.ArrayLike, value: float | None = None) -> Influence:
    """Return the influence of units on sum(sums) / sum(counts).

    Args:
        sums, counts: (units,); a unit with count 0 is none. The order of units matters for the last digits, so callers
            sort them.
        value: the ratio, where it is known to more digits than from sums by unit.

    >>> found = influence_on_ratio([1.0, 3.0], [1.0, 1.0])
    >>> found.value, found.shifts.tolist(), found.weights.tolist()
    (2.0, [1.0, -1.0], [0.5, 0.5])
    """
    sums, counts = np.asarray(sums, np.float64), np.asarray(counts, np.float64)
    total = math.fsum(counts.tolist())
    if value is None:
        value = ratio_of_sums(sums.tolist(), counts.tolist())
    left = total - counts
    # (S - s) / (C - c) - S / C, written so that equal units shift nothing.
    shifts = np.divide(value * counts - sums, left, out=np.zeros(len(sums)), where=(counts > 0) & (left > 0))
    return Influence(value, shifts, counts / total if total else counts)


def influence_on_statistic(
    units: npt.ArrayLike, counts: npt.ArrayLike, statistic: Callable[[Floats], npt.ArrayLike]
) -> Influence:
    """Return the influence of units on a statistic of their sum, such as F1 of the sum of confusion matrices.

    Args:
        units: (units, ...), what is summed; callers sort them.
        counts: (units,), how much each counts.
        statistic: gives (N,) values for (N, ...) sums.

    >>> found = influence_on_statistic([[1.0, 2.0], [3.0, 2.0]], [1, 1], lambda sums: sums[:, 0] / sums[:, 1])
    >>> found.value, found.shifts.tolist()  # 4/4; 3/2 without the first, 1/2 without the second
    (1.0, [0.5, -0.5])
    """
    units, counts = np.asarray(units, np.float64), np.asarray(counts, np.float64)
    total = units.sum(axis=0)
    value = float(np.asarray(statistic(total[None]))[0])
    return Influence(value, np.asarray(statistic(total - units), np.float64) - value, counts / counts.sum())


def confidence_interval(
    of: Influence, *, minimum: float | None = None, maximum: float | None = None, level: float = LEVEL
) -> tuple[float, float] | None:
    """Return the confidence interval of a number.

    Args:
        of: the number and what its units do to it.
        minimum: what the number cannot be below; the interval is then symmetric in its logarithm.
        maximum: what it cannot be above, where it has a minimum too; symmetric in its logit.
        level: share of such intervals that hold the true value.

    Returns:
        (low, high); None where `too_few_units` says why.

    >>> confidence_interval(influence_on_ratio([2.0] * 5, [1.0] * 5))
    (2.0, 2.0)
    """
    if too_few_units(of) is not None or not math.isfinite(of.value):
        return None
    half = t_quantile((1 + level) / 2, of.effective_units - 1) * of.standard_error
    if minimum is not None and maximum is not None and of.value in (minimum, maximum):
        return _all_at_an_end(of, minimum, maximum, level)
    if minimum is None or of.value <= minimum or (maximum is not None and of.value >= maximum):
        return of.value - half, of.value + half
    above = of.value - minimum
    if maximum is None:
        factor = _exp(half / above)
        return minimum + above / factor, minimum + above * factor
    below = maximum - of.value
    factor = _exp(half * (maximum - minimum) / (above * below))
    return (
        minimum + (maximum - minimum) * above / (above + below * factor),
        maximum - (maximum - minimum) * below / (below + above * factor),
    )


def too_few_units(of: Influence, unit: str = "unit") -> str | None:
    """Return why a number has no interval, in words; None where it has one.

    >>> too_few_units(influence_on_ratio([1.0, 2.0], [1, 1]), "subject")
    '2 subjects, an interval takes 5'
    """
    if of.units < MIN_UNITS:
        return f"{of.units} {unit}{'' if of.units == 1 else 's'}, an interval takes {MIN_UNITS}"
    if of.effective_units < _MIN_EFFECTIVE:
        return f"one of {of.units} {unit}s holds nearly all that counts"
    return None


def p_value(of: Influence) -> float | None:
    """Return the two-sided p-value of a number being 0, by Student's t; None where `too_few_units` says why.

    An interval of `confidence_interval` without bounds leaves out 0 if, and only if, this is below 1 - level.

    >>> round(p_value(influence_on_ratio([1.0, 2.0, 3.0, 4.0, 5.0], [1.0] * 5)), 4)  # t = 3 / sqrt(2.5 / 5)
    0.0132
    """
    if too_few_units(of) is not None or not math.isfinite(of.value):
        return None
    error = of.standard_error
    if error == 0:
        # Two methods that are the same on every unit differ by nothing.
        return 1.0 if of.value == 0 else 0.0
    return two_sided_p(of.value / error, of.effective_units - 1)


def _all_at_an_end(of: Influence, minimum: float, maximum: float, level: float) -> tuple[float, float]:
    """Return an interval where every unit is at one end, so that no spread tells how far the mean may be from it.

    With a mean of p (0 to 1), all n units are at 1 with a chance of at most p^n, whatever their distribution.
    """
    reach = (maximum - minimum) * (1 - ((1 - level) / 2) ** (1 / of.units))
    return (minimum, minimum + reach) if of.value == minimum else (maximum - reach, maximum)


def _exp(value: float) -> float:
    return math.exp(min(value, 700.0))
