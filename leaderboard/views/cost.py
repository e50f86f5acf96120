"""Page 2: what accuracy costs, in time, parameters or memory, and which methods no other beats in both."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import plotly.graph_objects as go
import streamlit as st

from ffbench.results.ranking.titles import disambiguate_titles
from ffbench.results.record.row import Row
from ffbench.results.report.leaderboard import latest_rows

from .. import pareto, picker, state, theme

_Cost = Callable[[Row], float | None]
_COSTS: dict[str, tuple[_Cost, str, bool]] = {
    "speed": (lambda row: row.pairs_per_second, "pairs a second", True),
    "parameters": (lambda row: None if row.parameters is None else float(row.parameters), "trained parameters", False),
    "memory": (lambda row: row.memory_mb if row.device_memory_mb is None else row.device_memory_mb,
               "peak memory [MB]", False),
}  # fmt: skip
"""How to read a cost, its title, and whether more is better."""


def render() -> None:
    """Draw the page."""
    opened = picker.open_board("Accuracy against cost")
    if opened is None:
        return
    rows, board, parameters = opened
    cost = str(st.segmented_control("Cost", list(_COSTS), default="speed", required=True, **state.bound("cost")))
    read, title, more_is_better = _COSTS[cost]
    latest = latest_rows(rows).values()
    # The time of a submission is that of reading its files, which says nothing of the method.
    ran = [row for row in latest if row.kind == "evaluated" and row.level in ("verified", "local")]
    points = [(row, value) for row in ran if (value := read(row)) is not None and value > 0]
    if not points:
        theme.empty(
            f"No method that was run here has its {title} on this board.",
            f"ffbench eval --method dis --protocol {theme.argument(board.protocol)}",
        )
        return
    _draw(points, title, more_is_better)
    left_out = len(latest) - len(points)
    if left_out:
        st.caption(f"{left_out} not shown: sent in from elsewhere, or without this figure.")
    st.caption(
        "A line joins the methods of one device that no other there beats in both. Speeds of different devices are not "
        "comparable. Memory is that of the whole process, or of the GPU where there is one."
    )
    state.show_link({**parameters, "cost": cost})


def _draw(points: Sequence[tuple[Row, float]], title: str, more_is_better: bool) -> None:
    figure, colors = go.Figure(), theme.palette()
    names = disambiguate_titles([row for row, _ in points])
    devices = list(dict.fromkeys(row.device for row, _ in points))
    first = points[0][0]
    for number, device in enumerate(devices):
        here = sorted(((row, value) for row, value in points if row.device == device), key=lambda point: point[1])
        color = colors[number % len(colors)]
        # Names of neighbours stand above and below in turn, so that they lie on each other less.
        sides = [("top center", "bottom center")[place % 2] for place in range(len(here))]
        ends = [(_end(row, row.ci_high), _end(row, row.ci_low)) for row, _ in here]
        figure.add_scatter(
            x=[value for _, value in here], y=[row.value for row, _ in here], mode="markers+text",
            name=theme.chart_text(device, 60), text=[theme.chart_text(names[row.path], 30) for row, _ in here],
            textposition=sides, cliponaxis=False, hovertemplate="%{text}<br>%{x:.4g}, %{y:.4g}<extra></extra>",
            marker={"color": color, "size": 11, "symbol": theme.MARKERS[number % len(theme.MARKERS)]},
            error_y={"type": "data", "symmetric": False, "array": [up for up, _ in ends],
                     "arrayminus": [down for _, down in ends], "thickness": 2, "width": 0,
                     "color": theme.faded(color)},
        )  # fmt: skip
        signs = (-1.0 if more_is_better else 1.0, -1.0 if first.higher_is_better else 1.0)
        kept = [here[n] for n in pareto.front([(signs[0] * value, signs[1] * row.value) for row, value in here])]
        if len(kept) > 1:
            figure.add_scatter(
                x=[value for _, value in kept], y=[row.value for row, _ in kept], mode="lines", hoverinfo="skip",
                line={"color": color, "width": 2, "dash": "dot"}, showlegend=False,
            )  # fmt: skip
    better = "higher" if first.higher_is_better else "lower"
    figure.update_layout(
        theme.layout(
            500,
            xaxis={"title": {"text": title}, "type": "log", "dtick": 1},
            yaxis={"title": {"text": theme.chart_text(f"{first.metric_title} [{first.unit}], {better} is better", 60)}},
            showlegend=True,
        )
    )
    theme.show(figure, "cost")


def _end(row: Row, end: float | None) -> float:
    return 0.0 if end is None else abs(end - row.value)
