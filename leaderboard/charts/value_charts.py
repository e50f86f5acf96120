"""Plotly figures of the pages. Text of strangers goes through `theme.chart_text`."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from ffbench.results.report.leaderboard import BoardLine, BoardTable

from ..look import theme

_SYMBOLS = {"verified": "circle", "local": "circle-open", "claimed": "diamond-open", "reported": "square-open"}
_LINES = 40
"""Methods that a chart of intervals has room for."""


def intervals(table: BoardTable, lines: Sequence[BoardLine], key: str) -> None:
    """Draw values with their intervals as bars, in the order of the table; claimed and reported ones are hollow."""
    shown = [line for line in lines if _value(line) is not None][:_LINES]
    if not shown:
        return
    figure = go.Figure()
    color = theme.origin_color(table.board.origin)
    names = [theme.chart_text(line.title, 34) for line in shown]
    kinds = {
        "verified": [n for n, line in enumerate(shown) if line.verified is not None],
        "local": [n for n, line in enumerate(shown) if line.local is not None],
        "claimed": [n for n, line in enumerate(shown) if line.measured is None and line.claimed is not None],
        "reported": [n for n, line in enumerate(shown) if line.measured is None and line.claimed is None],
    }
    for kind, numbers in kinds.items():
        if not numbers:
            continue
        values = [_value(shown[n]) or 0.0 for n in numbers]
        ends = error_bars(values, [shown[n].ci_low for n in numbers], [shown[n].ci_high for n in numbers])
        figure.add_scatter(
            x=values, y=numbers, name=kind, mode="markers",
            text=[names[n] for n in numbers], hovertemplate="%{text}: %{x:.4g}<extra></extra>",
            marker={"color": color, "size": 9, "symbol": _SYMBOLS[kind]},
            error_x={**ends, "thickness": 5, "width": 0, "color": theme.faded(color)},
        )  # fmt: skip
    title = theme.chart_text(f"95 % interval [{table.unit}]")
    figure.update_layout(
        theme.layout(
            80 + 26 * len(shown),
            yaxis=lines_axis(names),
            xaxis={"title": {"text": title}, "side": "top"},
            margin={"t": 56},
            showlegend=sum(map(bool, kinds.values())) > 1,
        )
    )
    theme.show(figure, key, "Value and 95 % interval of each method, in the order of the table")


def lines_axis(names: Sequence[str]) -> dict[str, object]:
    """Return the axis of a chart with one line for each name, from top to bottom."""
    return {
        "tickvals": list(range(len(names))),
        "ticktext": names,
        "range": [len(names) - 0.4, -0.6],
        "showgrid": False,
        "zeroline": False,
    }


def error_bars(
    values: Sequence[float], lows: Sequence[float | None], highs: Sequence[float | None]
) -> dict[str, object]:
    """Return the error bars of values with their intervals; one without an end has no bar to that side."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [high - value if high is not None else 0.0 for value, high in zip(values, highs, strict=True)],
        "arrayminus": [value - low if low is not None else 0.0 for value, low in zip(values, lows, strict=True)],
    }


def _value(line: BoardLine) -> float | None:
    if line.measured is not None or line.claimed is not None:
        return line.measured if line.measured is not None else line.claimed
    return float(line.reported) if line.reported is not None else None


def bars(names: Sequence[str], values: Sequence[float], lows: Sequence[float | None], highs: Sequence[float | None],
         unit: str, color: str, key: str, name: str) -> None:  # fmt: skip
    """Draw one bar a group with its interval; `name` is what screen readers say of it."""
    labels = [theme.chart_text(group, 28) for group in names]
    # The interval of a group with few pairs can be much longer than all bars: it is cut.
    most = max(values, default=0.0)
    highest = max([*(high for high in highs if high is not None), most])
    top = 1.05 * min(highest, 2.2 * most) if most > 0 else max(highest, 1.0)
    figure = go.Figure(
        go.Bar(
            x=list(range(len(labels))), y=list(values), marker={"color": color}, text=labels, textposition="none",
            hovertemplate="%{text}: %{y:.4g}<extra></extra>",
            error_y={**error_bars(values, lows, highs), "thickness": 2, "color": theme.ink()},
        )
    )  # fmt: skip
    figure.update_layout(
        theme.layout(
            300,
            xaxis={"tickvals": list(range(len(labels))), "ticktext": labels, "showgrid": False},
            yaxis={"title": {"text": theme.chart_text(unit)}, "range": [min(0.0, *values), top]},
            showlegend=False,
        )
    )
    theme.show(figure, key, name)
