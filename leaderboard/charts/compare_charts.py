"""Plotly figures of two methods on the same pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

import plotly.graph_objects as go

from ffbench.metrics.statistics.intervals import LEVEL
from ffbench.results.groups import listed_groups, natural_key
from ffbench.results.ranking.comparison import Comparison, GroupDifference

from ..look import theme
from .value_charts import error_bars, lines_axis

_LONG = 2.5
"""Times the median length of the intervals: what reaches further from its difference is cut."""
_SMALL = 0.05
"""A bin with a smaller share of the pairs does not stretch the axis."""


def groups_in_order(found: Comparison) -> list[GroupDifference]:
    """Return the groups that have room on a screen, bins in their natural order; all pairs come first."""
    listed, _ = listed_groups(group.group for group in found.groups)
    kept = set(listed)
    return sorted((group for group in found.groups if group.group in kept), key=lambda group: natural_key(group.group))


def is_sure(group: GroupDifference) -> bool:
    """Whether the data tell the two methods apart in a group, with all groups allowed for."""
    return group.p_holm is not None and group.p_holm < 1 - LEVEL


def a_is_better(found: Comparison, group: GroupDifference) -> bool:
    """Whether A has the better value in a group."""
    return (group.difference > 0) == found.higher_is_better


def differences(found: Comparison, key: str) -> bool:
    """Draw A - B in each group with its interval; blue where A is better, orange where B is, grey where neither.

    Returns:
        Whether a bin of few pairs reaches beyond the axis.
    """
    groups = groups_in_order(found)
    first, second, *_ = theme.palette()
    colors = [theme.GREY if not is_sure(group) else first if a_is_better(found, group) else second for group in groups]
    names = [theme.chart_text(f"{group.group} ({group.pairs})", 34) for group in groups]
    values = [group.difference for group in groups]
    ends = error_bars(values, [group.ci_low for group in groups], [group.ci_high for group in groups])
    low, high = _axis(groups)
    figure = go.Figure(
        go.Bar(
            x=values, y=list(range(len(groups))), orientation="h",
            marker={"color": colors},
            error_x={**ends, "thickness": 2, "color": theme.ink()},
            text=names, textposition="none", hovertemplate="%{text}: %{x:.4g}<extra></extra>",
        )
    )  # fmt: skip
    figure.update_layout(
        theme.layout(
            90 + 26 * len(groups),
            yaxis=lines_axis(names),
            xaxis={
                "title": {"text": theme.chart_text(f"A − B [{found.unit}]")},
                "side": "top",
                "zeroline": True,
                "range": [low, high],
            },
            margin={"t": 56},
            showlegend=False,
        )
    )
    theme.show(figure, key, "Difference A − B in each group with its interval, as in the table below")
    return any(_low(group) < low or _high(group) > high for group in groups)


def _axis(groups: Sequence[GroupDifference]) -> tuple[float, float]:
    """Return the ends of the axis: zero, the differences and intervals of all groups that are not small.

    An interval much longer than most, such as that of the few pairs with large motion, is cut.
    """
    most = max(group.pairs for group in groups)
    large = [group for group in groups if group.pairs >= _SMALL * most] or list(groups)
    lengths = [_high(group) - _low(group) for group in large if group.ci_low is not None or group.ci_high is not None]
    reach = _LONG * median(lengths or [0.0])
    low = min(0.0, *(max(_low(group), group.difference - reach) for group in large))
    high = max(0.0, *(min(_high(group), group.difference + reach) for group in large))
    room = 0.05 * (high - low) or 1.0
    return low - room, high + room


def _low(group: GroupDifference) -> float:
    return group.difference if group.ci_low is None else group.ci_low


def _high(group: GroupDifference) -> float:
    return group.difference if group.ci_high is None else group.ci_high


def pair_scatter(found: Comparison, a: Mapping[str, float], b: Mapping[str, float], key: str) -> None:
    """Draw each pair: its value under B to the right, under A upwards; on the line both are equal."""
    keys = [name for name in a if name in b]
    if not keys:
        return
    ends = [min(*(a[k] for k in keys), *(b[k] for k in keys)), max(*(a[k] for k in keys), *(b[k] for k in keys))]
    figure = go.Figure()
    figure.add_scatter(x=ends, y=ends, mode="lines", line={"color": theme.GREY, "width": 1}, hoverinfo="skip")
    figure.add_scattergl(
        x=[b[k] for k in keys], y=[a[k] for k in keys], mode="markers", text=[theme.chart_text(k, 60) for k in keys],
        marker={"color": theme.palette()[0], "size": 6, "opacity": 0.7},
        hovertemplate="%{text}<br>A %{y:.4g}, B %{x:.4g}<extra></extra>",
    )  # fmt: skip
    figure.update_layout(
        theme.layout(
            420,
            xaxis={"title": {"text": theme.chart_text(f"B: {found.b.title} [{found.unit}]", 48)}},
            yaxis={"title": {"text": theme.chart_text(f"A: {found.a.title} [{found.unit}]", 48)}},
            showlegend=False,
        )
    )
    theme.show(figure, key, "Each pair of images: value under B to the right, under A upwards")
