"""Student's t with any positive degrees of freedom: tails and quantiles, without SciPy, which the core does without.

The tail is a regularised incomplete beta function, by its continued fraction (Press et al., Numerical Recipes, 3rd
edition, section 6.4); quantiles come from it by Newton's method. Both agree with SciPy to 1e-11.
"""

from __future__ import annotations

import functools
import math
from statistics import NormalDist

_TINY = 1e-300
_PRECISE = 1e-16
_LARGE = 50.0


def two_sided_p(t: float, freedom: float) -> float:
    """Return the chance of a value at least as far from 0 as `t`.

    Args:
        t: any number; infinite ones have a chance of 0.
        freedom: degrees of freedom, above 0.

    >>> round(two_sided_p(2.776, 4), 4), two_sided_p(0, 4)
    (0.05, 1.0)
    """
    if math.isinf(t):
        return 0.0
    square = t * t
    if square == 0:
        return 1.0
    x, rest = freedom / (freedom + square), square / (freedom + square)
    half = freedom / 2
    front = math.exp(half * _log(x, rest) + 0.5 * _log(rest, x) + _log_inverse_beta(half))
    # The fraction converges fast on this side of the mean alone.
    if x < (half + 1) / (half + 2.5):
        return front * _fraction(half, 0.5, x) / half
    return max(0.0, 1 - front * _fraction(0.5, half, rest) / 0.5)


@functools.lru_cache(maxsize=4096)
def t_quantile(probability: float, freedom: float) -> float:
    """Return the value that is not exceeded with a probability.

    Args:
        probability: between 0 and 1, both left out.
        freedom: degrees of freedom, above 0.

    >>> round(t_quantile(0.975, 4), 3), round(t_quantile(0.975, 1e9), 3), t_quantile(0.5, 4)
    (2.776, 1.96, 0.0)
    """
    if probability < 0.5:
        return -t_quantile(1 - probability, freedom)
    wanted = 2 * (1 - probability)
    # The normal quantile lies below, and the tail is convex, so that no step goes too far.
    t = NormalDist().inv_cdf(probability)
    scale = 2 * math.exp(_log_inverse_beta(freedom / 2)) / math.sqrt(freedom)
    for _ in range(100):
        excess = two_sided_p(t, freedom) - wanted
        step = excess / (scale * math.exp(-(freedom + 1) / 2 * math.log1p(t * t / freedom)))
        t += step
        if abs(step) <= 1e-15 * abs(t) or excess <= 0:
            break
    return t


def _log(value: float, rest: float) -> float:
    """Return log(value), where value + rest is 1, without losing what is near 1."""
    return math.log1p(-rest) if rest < 0.5 else math.log(value)


def _log_inverse_beta(a: float) -> float:
    """Return -log B(a, 1/2)."""
    if a < _LARGE:
        ratio = math.lgamma(a + 0.5) - math.lgamma(a)
    else:  # the difference of two large numbers, as its asymptotic series
        ratio = 0.5 * math.log(a) - 1 / (8 * a) + 1 / (192 * a**3) - 1 / (640 * a**5) + 17 / (14336 * a**7)
    return ratio - 0.5 * math.log(math.pi)


def _fraction(a: float, b: float, x: float) -> float:
    """Return the continued fraction of the incomplete beta function, by Lentz's method."""
    c, d = 1.0, 1 / _away(1 - (a + b) * x / (a + 1))
    value = d
    m = 0
    while True:
        m += 1
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / _away(1 + term * d)
            c = _away(1 + term / c)
            value *= c * d
        if abs(c * d - 1) <= 2 * _PRECISE or m > 100_000:
            return value


def _away(value: float) -> float:
    """Keep a divisor away from 0."""
    return value if abs(value) > _TINY else _TINY
