"""The axis of Compare's groups shows most intervals whole, and one that is very long does not stretch it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from ffbench.leaderboard.charts.compare_charts import _axis


def group(pairs: int, difference: float, low: float | None = None, high: float | None = None) -> Any:
    return SimpleNamespace(pairs=pairs, difference=difference, ci_low=low, ci_high=high)


USUAL = [group(240, -0.07, -0.2, 0.07), group(133, -0.02, -0.05, 0.0), group(90, -0.1, -0.4, 0.1)]


def test_usual_intervals_are_whole() -> None:
    low, high = _axis(USUAL)
    assert low < -0.4
    assert high > 0.1


@pytest.mark.parametrize("pairs", [3, 31], ids=["small", "not small"])
def test_one_long_interval_does_not_stretch_the_axis(pairs: int) -> None:
    low, high = _axis([*USUAL, group(pairs, 0.3, -3.6, 4.2)])
    assert -1 < low < -0.4
    assert 0.1 < high < 1.5


def test_groups_without_intervals_are_on_the_axis() -> None:
    low, high = _axis([group(10, 0.5), group(10, -0.2), group(10, 0.1, 0.0, 0.2)])
    assert low < -0.2
    assert high > 0.5
