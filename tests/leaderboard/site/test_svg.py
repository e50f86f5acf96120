"""Charts as SVG: where values stand, and that words are words."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffbench.leaderboard.site import svg

VALUES = st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=8)


@given(VALUES)
def test_larger_values_stand_further_on_and_none_beyond_the_ends(values: list[float]) -> None:
    scale = svg.axis(values, 10, 200)
    places = [scale.place(value) for value in sorted(values)]
    assert places == sorted(places)
    assert min(places) >= 10
    assert max(places) <= 200
    assert scale.place(-1e9) == 10
    assert scale.place(1e12) == 200


@given(st.floats(1e-3, 1e3), st.floats(5.1, 1e4))
def test_equal_factors_are_equal_lengths_where_values_differ_much(low: float, factor: float) -> None:
    scale = svg.axis([low, low * factor], 0, 1000)
    assert scale.log
    middle = scale.place(low * factor**0.5)
    assert middle - scale.place(low) == pytest.approx(scale.place(low * factor) - middle, abs=0.03)


@given(VALUES)
def test_ticks_lie_on_the_axis(values: list[float]) -> None:
    scale = svg.axis(values, 10, 200)
    ticks = scale.ticks()
    assert ticks == sorted(ticks)
    assert all(scale.low <= tick <= scale.high for tick in ticks)


def test_a_point_lies_within_its_interval() -> None:
    scale = svg.bar_axis([0.5, 1.0, 4.0])
    found = ElementTree.fromstring(str(svg.interval_bar(scale, 1.0, 0.5, 4.0)))
    line, circle = found
    assert float(line.attrib["x1"]) < float(circle.attrib["cx"]) < float(line.attrib["x2"])
    (alone,) = ElementTree.fromstring(str(svg.interval_bar(scale, 1.0, None, None)))
    assert alone.tag == "circle"
