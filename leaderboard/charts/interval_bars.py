"""Values with their intervals, a line for each method, as HTML: a Plotly chart takes a browser as long as the table."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from ffbench.io.escape import html
from ffbench.results.report.leaderboard import BoardLine, BoardTable

from ..look import theme
from .axis import Axis, axis

_LINES = 40
"""Methods that the chart has room for."""
_KINDS = ("verified", "local", "claimed", "reported")


def intervals(table: BoardTable, lines: Sequence[BoardLine]) -> None:
    """Draw values and intervals in the order of the table; all but verified ones are hollow."""
    if drawn := interval_bars(table, lines):
        st.html(drawn)


def interval_bars(table: BoardTable, lines: Sequence[BoardLine]) -> str:
    """Return the chart as HTML; "" where no line has a value."""
    shown = [(line, value) for line in lines if (value := _value(line)) is not None][:_LINES]
    if not shown:
        return ""
    ends = [end for line, value in shown for end in (line.ci_low, value, line.ci_high) if end is not None]
    scale = axis(ends, 0.0, 100.0)
    # Places of ticks are for those who see the chart; a screen reader has the values of each line.
    marks = "".join(f'<span style="left:{scale.place(tick)}%">{tick:.4g}</span>' for tick in scale.few_ticks())
    head = f'<div class="ff-line"><span></span><span class="ff-ticks" aria-hidden="true">{marks}</span></div>'
    color = theme.origin_color(table.board.origin)
    body = "".join(_line(scale, line, value, color, table.unit) for line, value in shown)
    title = html(theme.plain(f"{table.metric_title} with its 95 % interval [{table.unit}]", 120))
    kinds = [kind for kind in _KINDS if any(line.level == kind for line, _ in shown)]
    legend = "".join(f'<span class="ff-kind">{_dot(kind, color)}{kind}</span>' for kind in kinds) if kinds[1:] else ""
    return f'<div role="group" aria-label="{title}"><p class="ff-small">{title}{legend}</p>{head}{body}</div>'


def _line(scale: Axis, line: BoardLine, value: float, color: str, unit: str) -> str:
    said = f"{value:.4g} {unit}"
    bar = ""
    if line.ci_low is not None and line.ci_high is not None:
        low, high = scale.place(line.ci_low), scale.place(line.ci_high)
        said += f", {line.ci_low:.4g} to {line.ci_high:.4g}"
        bar = f'<span class="ff-interval" style="left:{low}%;width:{high - low:.2f}%;background:{color}"></span>'
    said = html(theme.plain(f"{said}, {line.level}", 120))
    dot = _dot(line.level, color, f"left:{scale.place(value)}%;")
    name = html(theme.plain(line.title, 60))
    return (
        f'<div class="ff-line"><span class="ff-name">{name}</span>'
        f'<span class="ff-track" role="img" aria-label="{said}" title="{said}">{bar}{dot}</span></div>'
    )


def _dot(kind: str, color: str, place: str = "") -> str:
    fill = color if kind == "verified" else theme.ground()
    return f'<span class="ff-dot ff-{kind}" style="{place}border-color:{color};background:{fill}"></span>'


def _value(line: BoardLine) -> float | None:
    if line.measured is not None or line.claimed is not None:
        return line.measured if line.measured is not None else line.claimed
    return float(line.reported) if line.reported is not None else None
