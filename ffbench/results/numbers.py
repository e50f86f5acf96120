"""Numbers of results as people read them: values, intervals, differences and p-values."""

from __future__ import annotations

import math


def format_value(value: float) -> str:
    """Return four significant digits, which is more than any of the intervals is narrow.

    >>> format_value(0.123456), format_value(12.3456), format_value(0.0)
    ('0.1235', '12.35', '0.000')
    """
    if not math.isfinite(value):
        return str(value)
    decimals = 3 if value == 0 else max(0, 3 - math.floor(math.log10(abs(value))))
    return f"{value:.{min(decimals, 6)}f}"


def format_interval(low: float | None, high: float | None) -> str:
    """Return an interval in words; `-` where there is none."""
    return "-" if low is None or high is None else f"{format_value(low)} to {format_value(high)}"


def format_signed(value: float) -> str:
    """Return a difference with its sign.

    >>> format_signed(-0.5), format_signed(12.3456)
    ('-0.5000', '+12.35')
    """
    return f"{'+' if value >= 0 else '-'}{format_value(abs(value))}"


def format_signed_interval(low: float | None, high: float | None) -> str:
    """Return the interval of a difference in words; `-` where there is none."""
    return "-" if low is None or high is None else f"{format_signed(low)} to {format_signed(high)}"


def format_p(value: float | None) -> str:
    """Return a p-value in four decimals; `-` where there is none.

    >>> format_p(0.03), format_p(1e-9)
    ('0.0300', '< 0.0001')
    """
    if value is None:
        return "-"
    return "< 0.0001" if value < 1e-4 else f"{value:.4f}"


def p_equals(value: float) -> str:
    """Return `p = ...` or `p < ...`."""
    text = format_p(value)
    return f"p {text}" if text.startswith("<") else f"p = {text}"
