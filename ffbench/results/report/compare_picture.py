"""A comparison of two methods as a picture: the difference in every group, and all pairs against each other."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ffbench.io.atomic import atomic_path
from ffbench.metrics.statistics.intervals import LEVEL
from ffbench.results.groups import in_order
from ffbench.results.ranking.comparison import Comparison
from ffbench.visual.colors import BLUE, VERMILION, hex_color
from ffbench.visual.figure import new_figure

_A_BETTER, _B_BETTER, _GREY = hex_color(BLUE), hex_color(VERMILION), "#999999"
_GROUPS_SHOWN = 30


def write_comparison(path: Path | str, found: Comparison, a: Mapping[str, float], b: Mapping[str, float]) -> None:
    """Write a comparison as PNG.

    Args:
        path: the file.
        found: the comparison.
        a, b: the value of each pair, by key.

    Raises:
        MissingExtraError: Matplotlib is not installed.
        DataError: the file cannot be written.
    """
    by_name = {group.group: group for group in found.groups}
    groups = [by_name[name] for name in in_order(by_name)[:_GROUPS_SHOWN]][::-1]
    figure = new_figure("a comparison", (11, max(4.5, 1.6 + 0.28 * len(groups))), 120)
    left, right = figure.subplots(1, 2, width_ratios=[1.15, 1])
    left.axvline(0, color=_GREY, linewidth=1)
    for position, group in enumerate(groups):
        low, high = group.ci_low, group.ci_high
        sure = group.p_holm is not None and group.p_holm < 1 - LEVEL
        a_is_better = (group.difference > 0) == found.higher_is_better
        color = (_A_BETTER if a_is_better else _B_BETTER) if sure else _GREY
        if low is not None and high is not None:
            left.plot([low, high], [position, position], color=color, linewidth=2)
        left.plot([group.difference], [position], "o", color=color)
    left.set_yticks(range(len(groups)), [f"{group.group} ({group.pairs})" for group in groups])
    left.set_xlabel(f"{found.metric}, A − B [{found.unit}], 95 % interval")
    unseen = len(found.groups) - len(groups)
    more = f"; {unseen} more groups are in the table" if unseen else ""
    left.set_title(f"blue: A is better, orange: B is better, grey: not separable{more}", fontsize=9)

    keys = [key for key in a if key in b]
    right.plot([b[key] for key in keys], [a[key] for key in keys], ".", color=_A_BETTER, alpha=0.6, markersize=5)
    values = [value for key in keys for value in (a[key], b[key])]
    ends = [min(values), max(values)]
    right.plot(ends, ends, color=_GREY, linewidth=1)
    margin = 0.05 * (ends[1] - ends[0]) or 1.0
    limits = (ends[0] - margin, ends[1] + margin)
    right.set(xlim=limits, ylim=limits, box_aspect=1)
    right.set_xlabel(f"B: {found.b.title}, {found.metric} of a pair [{found.unit}]")
    right.set_ylabel(f"A: {found.a.title}")
    right.set_title(f"A is better on {100 * found.win_rate:.1f} % of {found.pairs} pairs", fontsize=9)
    figure.suptitle(f"{found.a.title} against {found.b.title}\n{found.board}", fontsize=10)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png")
