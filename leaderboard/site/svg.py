"""Charts as SVG. Colors are classes of the style sheet, so that a chart follows light and dark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup, escape

from ffbench.io.escape import plain
from ffbench.results.record.row import Row

from ..boards.cost_points import Cost, Series, front_line
from ..charts.axis import Axis, axis

_WIDTH, _HEIGHT = 640, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 16, 16, 48
_BAR, _BAR_HEIGHT = 180, 20


def interval_bar(scale: Axis, value: float, low: float | None, high: float | None) -> Markup:
    """Return a point with its interval, small enough for a cell of a table; the numbers stand beside it."""
    middle = _BAR_HEIGHT / 2
    line = ""
    if low is not None and high is not None:
        line = f'<line class="whisker" x1="{scale.place(low)}" x2="{scale.place(high)}" y1="{middle}" y2="{middle}"/>'
    return Markup(  # numbers of ours alone
        f'<svg class="bar" width="{_BAR}" height="{_BAR_HEIGHT}" viewBox="0 0 {_BAR} {_BAR_HEIGHT}" aria-hidden="true">'
        f'{line}<circle class="point" cx="{scale.place(value)}" cy="{middle}" r="4"/></svg>'
    )


def bar_axis(values: Sequence[float]) -> Axis:
    """Return the scale of the bars of one table."""
    return axis(values, 8, _BAR - 8)


def cost_chart(series: Sequence[Series], cost: Cost, titles: Mapping[str, str]) -> Markup:
    """Return error against cost; numbers stand at the markers, and the table beside it says whose they are.

    Args:
        series: of one board, not empty.
        cost: which is to the right.
        titles: of methods by the path of their record.
    """
    points = [point for some in series for point in some.points]
    across = axis([point.cost for point in points], _LEFT, _WIDTH - _RIGHT)
    up = axis([point.row.value for point in points], _HEIGHT - _BOTTOM, _TOP)
    first: Row = points[0].row
    worst = up.low if first.higher_is_better else up.high
    parts = [_ticks(across, up)]
    for number, some in enumerate(series):
        corners = front_line(some, cost, (across.low, across.high), worst)
        way = " ".join(f"{across.place(x)},{up.place(y)}" for x, y in corners)
        parts.append(f'<polyline class="front series{number % 4}" points="{way}"/>')
        for point in some.points:
            x, y = across.place(point.cost), up.place(point.row.value)
            said = escape(plain(f"{titles[point.row.path]}: {point.row.value:.4g}, {point.cost:.4g}"))
            parts.append(
                f'<g class="series{number % 4}"><title>{said}</title><circle cx="{x}" cy="{y}" r="10"/>'
                f'<text class="number" x="{x}" y="{y + 4}">{point.number}</text></g>'
            )
    name = plain(f"{first.metric_title} [{first.unit}]", 80)
    parts.append(f'<text class="label" x="{(_LEFT + _WIDTH) / 2}" y="{_HEIGHT - 8}">{escape(cost.title)}</text>')
    parts.append(f'<text class="label" transform="translate(14 {_HEIGHT / 2}) rotate(-90)">{escape(name)}</text>')
    said = escape(f"{name} against {cost.title}, as in the table beside it")
    return Markup(  # all words are escaped above
        f'<svg class="chart" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{said}">{"".join(parts)}</svg>'
    )


def _ticks(across: Axis, up: Axis) -> str:
    bottom = _HEIGHT - _BOTTOM
    parts = []
    for value in across.few_ticks():
        x = across.place(value)
        parts.append(f'<line class="grid" x1="{x}" x2="{x}" y1="{_TOP}" y2="{bottom}"/>')
        parts.append(f'<text class="tick" x="{x}" y="{bottom + 16}">{value:.4g}</text>')
    for value in up.few_ticks():
        y = up.place(value)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y}" y2="{y}"/>')
        parts.append(f'<text class="tick side" x="{_LEFT - 6}" y="{y + 4}">{value:.4g}</text>')
    return "".join(parts)
