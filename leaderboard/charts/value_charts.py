"""Plotly figures of the pages. Text of strangers goes through `theme.chart_text`."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from ..look import theme


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
