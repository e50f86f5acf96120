"""Page 3: what accuracy costs, in time, parameters or memory, and which methods no other beats in both."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from ffbench.results.numbers import format_value
from ffbench.results.ranking.titles import disambiguate_titles
from ffbench.results.record.row import Row
from ffbench.results.report.leaderboard import latest_rows

from .. import picker, state
from ..boards.cost_points import COSTS, Cost, Series, by_number, run_here, series_of
from ..charts import cost_charts
from ..look import theme
from ..look.html_tables import table, text


def render() -> None:
    """Draw the page."""
    opened = picker.open_board("Accuracy against cost")
    if opened is None:
        return
    rows, board, parameters = opened
    name = str(st.segmented_control("Cost", list(COSTS), default="speed", required=True, **state.bound("cost")))
    cost = COSTS.get(name, COSTS["speed"])
    latest = latest_rows(rows).values()
    ran = run_here(latest)
    series = series_of(ran, cost)
    if not series:
        theme.empty(
            f"No method that was run here has its {cost.title} on this board.",
            f"ffbench eval --method dis --protocol {theme.argument(board.protocol)}",
        )
        return
    titles = disambiguate_titles(ran)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        cost_charts.draw(series, cost, titles, "cost")
    with right:
        _table(series, cost, titles)
    left_out = len(latest) - sum(len(some.points) for some in series)
    if left_out:
        st.caption(f"{left_out} not shown: sent in from elsewhere, or without this figure.")
    st.caption(_how_to_read(cost))
    state.show_link({**parameters, "cost": name})


def _table(series: Sequence[Series], cost: Cost, titles: dict[str, str]) -> None:
    """List the methods of the chart by their numbers."""
    points = by_number(series)
    first: Row = points[0][0].row
    several = len(series) > 1
    heads = ["method", f"{first.metric_title} [{first.unit}]", cost.title, "on the front", *(["on"] if several else [])]
    cells = [
        [
            f"{point.number} {text(titles[point.row.path], 60)}",
            format_value(point.row.value),
            f"{point.cost:,.0f}" if point.cost >= 1000 else f"{point.cost:.3g}",
            "yes" if point.on_front else "",
            *([text(some.name, 60)] if several else []),
        ]
        for point, some in points
    ]
    st.html(table("The methods of the chart by their numbers, with error and cost", heads, cells))


def _how_to_read(cost: Cost) -> str:
    words = "The dotted line is the front: no method lies on its better side, and none on it is beaten in both. "
    if cost.of_machine:
        words += "Each device and number of threads has a front of its own, since their figures are not comparable. "
    if cost.title.startswith("peak"):
        words += "Memory is that of the whole process, or of the GPU where there is one."
    if not cost.of_machine:
        words += "Methods without trained parameters have no place on this axis."
    return words
