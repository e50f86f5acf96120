"""Where values stand on an axis, and which ticks it has."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffbench.leaderboard.charts.axis import axis

VALUES = st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=8)


@given(VALUES)
def test_larger_values_stand_further_on_and_none_beyond_the_ends(values: list[float]) -> None:
    scale = axis(values, 10, 200)
    places = [scale.place(value) for value in sorted(values)]
    assert places == sorted(places)
    assert min(places) >= 10
    assert max(places) <= 200
    assert scale.place(-1e9) == 10
    assert scale.place(1e12) == 200


@given(st.floats(1e-3, 1e3), st.floats(5.1, 1e4))
def test_equal_factors_are_equal_lengths_where_values_differ_much(low: float, factor: float) -> None:
    scale = axis([low, low * factor], 0, 1000)
    assert scale.log
    middle = scale.place(low * factor**0.5)
    assert middle - scale.place(low) == pytest.approx(scale.place(low * factor) - middle, abs=0.03)


@given(VALUES)
def test_ticks_lie_on_the_axis(values: list[float]) -> None:
    scale = axis(values, 10, 200)
    ticks = scale.ticks()
    assert ticks == sorted(ticks)
    assert all(scale.low <= tick <= scale.high for tick in ticks)
    assert len(scale.few_ticks()) <= 9
    assert set(scale.few_ticks()) <= set(ticks)
