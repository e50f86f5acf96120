"""A comparison of two methods as text."""

from __future__ import annotations

from collections.abc import Sequence

from ffbench.io.escape import plain
from ffbench.results.groups import listed_groups
from ffbench.results.numbers import (
    format_p,
    format_signed,
    format_signed_interval,
    format_value,
    p_equals,
)
from ffbench.results.ranking.comparison import Comparison, GroupDifference, PairDifference, Standing
from ffbench.results.tables import columns

_PAIRS_SHOWN = 5


def comparison_lines(found: Comparison) -> list[str]:
    """Return a comparison as lines of text."""
    lines = [
        f"A: {plain(found.a.title)} ({plain(found.a.method)})",
        f"B: {plain(found.b.title)} ({plain(found.b.method)})",
        plain(found.board),
        f"{plain(found.metric)} [{plain(found.unit)}], {'higher' if found.higher_is_better else 'lower'} is better",
        "",
        found.verdict,
        *found.left_out,
        *board_verdict(found),
        f"A is better on {100 * found.win_rate:.1f} % of {found.pairs} pairs (equal pairs count one half)",
        "",
    ]
    if found.mcnemar is not None:
        test = found.mcnemar
        lines[-1:] = [
            f"McNemar, pairs taken for independent: only A is right on {test.only_a}, only B on {test.only_b}, "
            f"{p_equals(test.p_value)}",
            "",
        ]
    rows: list[Sequence[str]] = [("group", "pairs", "A", "B", "A - B", "95 % interval", "p", "p (Holm)")]
    groups = {group.group: group for group in found.groups}
    listed, crowds = listed_groups(groups)
    rows += [_row(groups[name]) for name in listed]
    lines += columns(rows)
    lines += [f"{count} groups {plain(label)}=...: in --json" for label, count in crowds.items()]
    for name, pairs in (("A", found.worst_for_a), ("B", found.worst_for_b)):
        if pairs:
            lines += ["", f"pairs on which {name} falls behind most:"]
            lines += columns([("pair", "A", "B", "A - B"), *map(_pair_row, pairs[:_PAIRS_SHOWN])])
    of = plain(found.unit_label)
    lines += ["", f"p and intervals: Student's t of the paired difference over {of}s, by the jackknife"]
    return lines


def board_verdict(found: Comparison) -> list[str]:
    """Say in words what the leaderboard says of the two; nothing where there is no board, or none but these two."""
    board = found.on_board
    if board is None or board.methods <= 2:
        return []
    told = "told apart" if board.told_apart else "not told apart"
    return [
        f"on the board of {board.methods} methods: A is {_standing(board.a)}, B {_standing(board.b)}; {told} once all "
        f"{board.methods - 1} comparisons of each are allowed for ({p_equals(board.p_adjusted)})"
    ]


def _standing(standing: Standing) -> str:
    ends = standing.rank_best, standing.rank_worst
    ranks = f"rank {ends[0]}" if ends[0] == ends[1] else f"ranks {ends[0]}-{ends[1]}"
    return f"number {standing.position} ({ranks})"


def difference_cells(group: GroupDifference) -> tuple[str, str, str]:
    """Return the difference A - B of a group, its 95 % interval, and its p-value."""
    interval = format_signed_interval(group.ci_low, group.ci_high)
    return format_signed(group.difference), interval, format_p(group.p_value)


def _row(group: GroupDifference) -> tuple[str, ...]:
    values = format_value(group.a), format_value(group.b)
    return plain(group.group), str(group.pairs), *values, *difference_cells(group), format_p(group.p_holm)


def _pair_row(pair: PairDifference) -> tuple[str, ...]:
    return plain(pair.key), format_value(pair.a), format_value(pair.b), format_signed(pair.difference)
