"""The Plotly figure of error against cost. Numbers stand at the markers, so that no two labels cross."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from ffbench.results.record.row import Row

from ..boards.cost_points import Cost, Series, front_line
from ..look import theme


def draw(series: Sequence[Series], cost: Cost, titles: Mapping[str, str], key: str) -> None:
    """Draw the methods: a color a device, a shape a number of threads, and the front of each series.

    Args:
        series: of one board.
        cost: which is to the right.
        titles: of methods by the path of their record.
        key: of the chart.
    """
    rows = [point.row for some in series for point in some.points]
    costs = [point.cost for some in series for point in some.points]
    ends = min(costs) / 1.6, max(costs) * 1.6
    log = not rows[0].higher_is_better and all(row.value > 0 for row in rows)
    low, high = _range(rows, log=log)
    worst = low if rows[0].higher_is_better else high
    devices = list(dict.fromkeys(some.device for some in series))
    threads = list(dict.fromkeys(some.threads for some in series))
    figure = go.Figure()
    for some in series:
        color = theme.palette()[devices.index(some.device) % len(theme.palette())]
        corners = front_line(some, cost, ends, worst)
        figure.add_scatter(
            x=[x for x, _ in corners], y=[y for _, y in corners], mode="lines", hoverinfo="skip", showlegend=False,
            line={"color": color, "width": 2, "dash": "dot"},
        )  # fmt: skip
        bars = [(_length(point.row, point.row.ci_high), _length(point.row, point.row.ci_low)) for point in some.points]
        figure.add_scatter(
            x=[point.cost for point in some.points], y=[point.row.value for point in some.points],
            mode="markers+text", name=theme.chart_text(some.name or "all methods", 60),
            text=[f"<b>{point.number}</b>" for point in some.points], textposition="middle center",
            textfont={"color": "#ffffff" if not theme.dark() else "#12161f", "size": 12},
            customdata=[theme.chart_text(titles[point.row.path], 60) for point in some.points],
            hovertemplate="%{customdata}<br>%{x:.4g}, %{y:.4g}<extra></extra>",
            marker={"color": theme.deep(color), "size": 22, "line": {"width": 1, "color": theme.ground()},
                    "symbol": theme.MARKERS[threads.index(some.threads) % len(theme.MARKERS)]},
            error_y={"type": "data", "symmetric": False, "array": [up for up, _ in bars],
                     "arrayminus": [down for _, down in bars], "thickness": 2, "width": 0,
                     "color": theme.faded(color)},
        )  # fmt: skip
    better = "higher" if rows[0].higher_is_better else "lower"
    way = "right" if cost.more_is_better else "left"
    title = theme.chart_text(f"{rows[0].metric_title} [{rows[0].unit}], {better} is better", 60)
    figure.update_layout(
        theme.layout(
            480,
            xaxis={"title": {"text": f"{cost.title} (better to the {way})"}, **_axis(*ends, log=True)},
            yaxis={"title": {"text": title}, **_axis(low, high, log=log)},
            showlegend=True,
            legend={"y": -0.24},
        )
    )
    theme.show(figure, key, "Error against cost of each method; the same values stand in the table beside it")


_STEPS = (1, 2, 5)


def _axis(low: float, high: float, *, log: bool) -> dict[str, object]:
    """Return the range of an axis; on a logarithmic one with ticks at 1, 2 and 5 of each power of ten."""
    if not log:
        return {"range": [low, high]}
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = _STEPS if math.log10(high / low) < 2.5 else (1,)
    ticks = [step * 10.0**power for power in powers for step in steps]
    shown = [tick for tick in ticks if low <= tick <= high]
    return {
        "type": "log",
        "range": [math.log10(low), math.log10(high)],
        "tickvals": shown,
        "ticktext": [f"{tick:,.0f}" if tick >= 1000 else f"{tick:g}" for tick in shown],
    }


def _range(rows: Sequence[Row], *, log: bool) -> tuple[float, float]:
    """Return the ends of the axis of error: all values with room, and intervals as far as they do not stretch it."""
    values = [row.value for row in rows]
    low, high = min(values), max(values)
    lows = [row.ci_low for row in rows if row.ci_low is not None]
    highs = [row.ci_high for row in rows if row.ci_high is not None]
    if log:
        ends = [end for end in lows if end > 0]
        return max(min([*ends, low]), low / 3) / 1.15, min(max([*highs, high]), high * 3) * 1.15
    room = max((high - low) * 0.15, 1e-9)
    return min([*lows, low]) - room, max([*highs, high]) + room


def _length(row: Row, end: float | None) -> float:
    return 0.0 if end is None else abs(end - row.value)
