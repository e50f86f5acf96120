"""The chart of intervals: every value within its interval, on one scale, and words of strangers as words."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffbench.leaderboard.charts.interval_bars import interval_bars
from ffbench.leaderboard.look import theme
from ffbench.results.record.row import Board
from ffbench.results.report.leaderboard import BoardLine, BoardTable

LINE = BoardLine(1, 1, 1, False, "a", "A", 1.0, 0.8, 1.3, None, None, "")
BOARD = Board("p", "1.0", "", "{}", "data", "synthetic", "ground truth", "0" * 64)
TABLE = BoardTable(BOARD, "epe", "endpoint error", "px", False, ())


@pytest.fixture(autouse=True, params=[False, True], ids=["light", "dark"])
def scheme(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(theme, "dark", lambda: request.param)


def tracks(drawn: str) -> list[tuple[float | None, float | None, float]]:
    """Left end and width of each interval, and the place of its point."""
    found = []
    for track in ElementTree.fromstring(drawn).iterfind(".//span[@class='ff-track']"):
        style = {mark.attrib["class"].split()[0]: mark.attrib["style"] for mark in track}
        places = {
            name: {k: float(v) for k, v in re.findall(r"(left|width):([\d.]+)%", text)} for name, text in style.items()
        }
        bar = places.get("ff-interval", {})
        found.append((bar.get("left"), bar.get("width"), places["ff-dot"]["left"]))
    return found


@given(st.lists(st.tuples(*[st.floats(1e-3, 1e3)] * 3), min_size=1, max_size=6))
def test_every_value_lies_within_its_interval_and_all_within_the_chart(
    values: list[tuple[float, float, float]],
) -> None:
    lines = []
    for ends in values:
        low, value, high = sorted(ends)
        lines.append(replace(LINE, verified=value, ci_low=low, ci_high=high))
    found = tracks(interval_bars(TABLE, lines))
    assert len(found) == len(lines)
    for left, width, place in found:
        assert left is not None
        assert width is not None
        assert 0 <= left <= place + 0.02
        assert place <= left + width + 0.02 <= 100.04
    order = sorted(range(len(lines)), key=lambda n: lines[n].verified or 0.0)
    places = [found[n][2] for n in order]
    assert places == sorted(places)


def test_a_value_without_an_interval_is_a_point_and_none_is_no_line() -> None:
    lines = [LINE, replace(LINE, ci_low=None, ci_high=None), replace(LINE, verified=None, ci_low=None, ci_high=None)]
    drawn = interval_bars(TABLE, lines)
    assert [left is None for left, _, _ in tracks(drawn)] == [False, True]
    assert interval_bars(TABLE, lines[2:]) == ""
    assert interval_bars(TABLE, []) == ""


def test_what_is_not_verified_is_hollow_and_told() -> None:
    claimed = replace(LINE, verified=None, claimed=2.0)
    reported = replace(LINE, verified=None, ci_low=None, ci_high=None, reported="3.10")
    drawn = interval_bars(TABLE, [LINE, claimed, reported])
    assert re.findall(r'aria-label="([^"]*)"', drawn)[1:] == [
        "1 px, 0.8 to 1.3, verified",
        "2 px, 0.8 to 1.3, claimed",
        "3.1 px, reported",
    ]
    filled = theme.origin_color("synthetic")
    found = dict(re.findall(r'ff-dot ff-(\w+)" style="left[^"]*background:([^"]*)"', drawn))
    assert found == {"verified": filled, "claimed": theme.ground(), "reported": theme.ground()}
    assert drawn.count("ff-kind") == 3
    assert "ff-kind" not in interval_bars(TABLE, [LINE])  # one kind needs no legend


def test_words_of_strangers_are_words() -> None:
    evil = "</span><img src=x onerror=alert(1)>\"' & \x1b[31m"
    table = replace(TABLE, metric_title=evil, unit=evil)
    drawn = interval_bars(table, [replace(LINE, title=evil)])
    assert "<img" not in drawn
    assert "\x1b" not in drawn
    root = ElementTree.fromstring(drawn)
    assert {mark.tag for mark in root.iter()} == {"div", "p", "span"}
    assert {name for mark in root.iter() for name in mark.attrib} <= {
        "class", "style", "role", "aria-label", "aria-hidden", "title",
    }  # fmt: skip
