"""The scale of a chart: linear, or logarithmic where values differ much."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

_LOG_FROM = 5.0
"""Values that differ by this factor and are above 0 stand on a logarithmic axis."""
_MOST_TICKS = 9


@dataclass(frozen=True)
class Axis:
    """A scale from `low` to `high`, onto pixels `first` to `last`."""

    low: float
    high: float
    first: float
    last: float
    log: bool

    def place(self, value: float) -> float:
        """Return where a value is drawn; beyond the ends it stands at them."""
        low, high, value = (map(math.log, (self.low, self.high, max(value, self.low)))) if self.log else (
            self.low, self.high, value
        )  # fmt: skip
        share = (value - low) / (high - low) if high > low else 0.5
        return round(self.first + min(max(share, 0.0), 1.0) * (self.last - self.first), 2)

    def ticks(self) -> list[float]:
        """Return round values between the ends: 1, 2 and 5 times powers of ten, or even steps."""
        if self.log:
            powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            found = [factor * 10.0**power for power in powers for factor in (1, 2, 5)]
        else:
            step = 10.0 ** math.floor(math.log10((self.high - self.low) or 1.0))
            step = next(s for s in (step / 5, step / 2, step, 2 * step) if (self.high - self.low) / s <= 8)
            first = math.ceil(self.low / step)
            found = [step * number for number in range(first, math.floor(self.high / step) + 1)]
        return [value for value in found if self.low <= value <= self.high]

    def few_ticks(self) -> list[float]:
        """Return ticks that have room: over many powers of ten the powers alone."""
        ticks = self.ticks()
        if len(ticks) <= _MOST_TICKS:
            return ticks
        powers = (
            [value for value in ticks if math.isclose(math.log10(value) % 1, 0, abs_tol=1e-9)] if self.log else ticks
        )
        return powers[:: math.ceil(len(powers) / _MOST_TICKS)]


def axis(values: Sequence[float], first: float, last: float) -> Axis:
    """Return a scale on which all values stand, logarithmic where they differ much."""
    low, high = min(values), max(values)
    if low > 0 and high / low > _LOG_FROM:
        return Axis(low / 1.15, high * 1.15, first, last, log=True)
    room = 0.06 * (high - low) or abs(high) * 0.1 or 1.0
    return Axis(low - room, high + room, first, last, log=False)
