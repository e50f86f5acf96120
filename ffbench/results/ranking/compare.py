"""Two methods on the same pairs: how much they differ, in which groups, how sure that is, and on which pairs most."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ffbench.errors import DataError, UsageError
from ffbench.metrics.statistics.intervals import influence_on_ratio, ratio_of_sums
from ffbench.metrics.statistics.paired import McNemar, holm, mcnemar, paired_difference, win_rate
from ffbench.results.ranking.comparison import (
    Comparison,
    GroupDifference,
    OnBoard,
    PairDifference,
    Side,
    Standing,
)
from ffbench.results.ranking.order import comparable_columns, rank
from ffbench.results.ranking.pair_columns import PairColumns, unit_names, unit_totals
from ffbench.results.ranking.titles import disambiguate_titles
from ffbench.results.record.row import Row
from ffbench.typing import Floats

_OF_BOARD = ("variant", "version")
"""What may differ between boards as options may."""
WORST = 10
"""Pairs that are listed on either side."""


def compare(
    a: Row, b: Row, group_by: Sequence[str] = (), *, board: Sequence[Row] = (), across_options: bool = False
) -> Comparison:
    """Compare two records of one board, pair by pair.

    Args:
        a, b: the rows of the records.
        group_by: labels whose values make groups, beside the groups inside pairs.
        board: the rows that are ranked with them, both among them; the result then says what the leaderboard says.
        across_options: they may be of different options, such as facial and expression flow of one method, or of
            different variants; those that differ are named in the titles of the sides, and pairs that only one of the
            records has are left out.

    Raises:
        UsageError: they are not of one protocol, dataset, metric and, unless `across_options`, variant and options.
        DataError: a table is missing or damaged, or they hold different pairs.
    """
    if across_options:
        a, b = _tell_options(a, b)
    names = disambiguate_titles([a, b])
    a, b = (replace(row, title=names[row.path]) for row in (a, b))
    if a.board != b.board:
        raise UsageError(f"{b.path}: is of another board ({b.board.title}) than {a.path} ({a.board.title})")
    if a.metric != b.metric:
        raise UsageError(f"{b.path}: ranks by {b.metric}, and {a.path} by {a.metric}")
    first, second = comparable_columns(a, group_by), comparable_columns(b, group_by)
    odd = sorted(set(first.keys) ^ set(second.keys))
    if odd:
        common = set(first.keys) & set(second.keys)
        if not across_options or not common:
            raise DataError(b.path, f"{len(odd)} pairs are in only one of the two records, the first is {odd[0]}")
        only = len(first.keys) - len(common), len(second.keys) - len(common)
        first, second = first.only(common), second.only(common)
    else:
        only = 0, 0
    values = [_pair_values(found, a.metric) for found in (first, second)]
    both = np.isfinite(values[0]) & np.isfinite(values[1])
    groups = _groups(first, second, a, group_by)
    return Comparison(
        a=_side(a),
        b=_side(b),
        board=a.board.title,
        metric=a.metric,
        unit=a.unit,
        higher_is_better=a.higher_is_better,
        unit_label=a.resample_by or "pair",
        pairs=int(both.sum()),
        only_a=only[0],
        only_b=only[1],
        groups=tuple(groups),
        win_rate=win_rate(values[0][both], values[1][both], higher_is_better=a.higher_is_better),
        mcnemar=_mcnemar(values[0][both], values[1][both]) if a.unit == "%" else None,
        worst_for_a=_worst(first.keys, values[0], values[1], higher_is_worse=not a.higher_is_better),
        worst_for_b=_worst(first.keys, values[0], values[1], higher_is_worse=a.higher_is_better),
        on_board=_on_board(a, b, board),
    )


def pair_values(row: Row) -> dict[str, float]:
    """Return the value of each pair behind a row, by key; pairs in which nothing counts are left out.

    Raises:
        DataError: the table is missing or damaged.
    """
    columns = comparable_columns(row)
    values = _pair_values(columns, row.metric)
    return {key: value for key, value in zip(columns.keys, values.tolist(), strict=True) if math.isfinite(value)}


def _tell_options(*rows: Row) -> list[Row]:
    """Leave options, variant and version that all rows share to the board, and name the others in the titles.

    Variants may choose among the pairs of a dataset, so that where they differ, the files that are used may too.
    """
    options = [
        {**json.loads(row.board.options), **{name: getattr(row.board, name) for name in _OF_BOARD}} for row in rows
    ]
    shared = {name: value for name, value in options[0].items() if all(one.get(name) == value for one in options)}
    differing = {name for one in options for name in one if name not in shared}
    variant, version = (" / ".join(dict.fromkeys(str(one[name]) for one in options)) for name in _OF_BOARD)
    return [
        replace(
            row,
            board=replace(
                row.board,
                options=json.dumps({k: v for k, v in shared.items() if k not in _OF_BOARD}, sort_keys=True),
                variant=variant,
                version=version,
                manifest_sha256="" if "variant" in differing else row.board.manifest_sha256,
            ),
            title=", ".join([row.title, *(f"{name}={value}" for name, value in own.items() if name in differing)]),
        )
        for row, own in zip(rows, options, strict=True)
    ]


def _side(row: Row) -> Side:
    return Side(method=row.method, title=row.title, value=row.value, record=row.path)


def _pair_values(columns: PairColumns, metric: str) -> Floats:
    sums, counts = columns.terms[metric]
    values: Floats = np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0)
    return values


def _mcnemar(a: Floats, b: Floats) -> McNemar | None:
    values = np.concatenate([a, b])
    return mcnemar(a == 100, b == 100) if len(values) and np.isin(values, (0.0, 100.0)).all() else None


def _on_board(a: Row, b: Row, board: Sequence[Row]) -> OnBoard | None:
    """Ask the ranking of the board; None where one of the two cannot be compared there."""
    ranking = rank(board)
    places = {row.path: place for place, row in enumerate(ranking.compared)}
    if a.path not in places or b.path not in places:
        return None
    first, second, sets = places[a.path], places[b.path], ranking.sets
    standings = (
        Standing(position=sets.positions[place], rank_best=sets.best[place], rank_worst=sets.worst[place])
        for place in (first, second)
    )
    return OnBoard(
        methods=len(places),
        a=next(standings),
        b=next(standings),
        p_adjusted=float(sets.adjusted[first, second]),
        told_apart=sets.told_apart(first, second),
    )


def _groups(first: PairColumns, second: PairColumns, row: Row, group_by: Sequence[str]) -> list[GroupDifference]:
    """Compare in all groups: a unit's part of a group is one unit of it."""
    members = _members(first, second, row.metric, group_by)
    units = unit_names(first, row.resample_by)
    found = []
    for name, parts in members.items():
        totals = unit_totals(np.stack(parts, 1), units)
        a, b = (
            influence_on_ratio(
                totals[:, start], totals[:, start + 1], value=ratio_of_sums(sums.tolist(), counts.tolist())
            )
            for start, (sums, counts) in ((0, parts[:2]), (2, parts[2:]))
        )
        counting = int(((totals[:, 1] > 0) & (totals[:, 3] > 0)).sum())
        pairs = int(((parts[1] > 0) & (parts[3] > 0)).sum())
        found.append((name, pairs, counting, a.value, b.value, paired_difference(a, b, row.resample_by or "pair")))
    tested = [judged.p_value for *_, judged in found[1:] if judged.p_value is not None]
    adjusted = iter(holm(tested))
    return [
        GroupDifference(
            group=name,
            pairs=pairs,
            units=counting,
            a=a,
            b=b,
            difference=judged.value,
            ci_low=judged.low,
            ci_high=judged.high,
            p_value=judged.p_value,
            p_holm=judged.p_value if position == 0 or judged.p_value is None else next(adjusted),
            no_test=judged.no_test,
        )
        for position, (name, pairs, counting, a, b, judged) in enumerate(found)
    ]


def _members(
    first: PairColumns, second: PairColumns, metric: str, group_by: Sequence[str]
) -> dict[str, tuple[Floats, Floats, Floats, Floats]]:
    """Return sums and counts of A and B by group: all, the groups inside pairs, and `label=value`."""
    terms = [metric, *sorted(name for name in first.terms if name != metric and name in second.terms)]
    members = {name.partition("/")[2] or "all": (*first.terms[name], *second.terms[name]) for name in terms}
    whole = members["all"]
    for label in group_by:
        values = np.array(["" if value is None else value for value in first.labels[label]], dtype=object)
        for value in sorted({value for value in first.labels[label] if value is not None}):
            mask = values == value
            members[f"{label}={value}"] = (whole[0] * mask, whole[1] * mask, whole[2] * mask, whole[3] * mask)
    return {name: parts for name, parts in members.items() if parts[1].any() and parts[3].any()}


def _worst(keys: Sequence[str], a: Floats, b: Floats, *, higher_is_worse: bool) -> tuple[PairDifference, ...]:
    """Return the pairs with the largest difference to one side."""
    signed = np.nan_to_num(a - b, nan=0.0) * (1 if higher_is_worse else -1)
    order = np.argsort(-signed, kind="stable")[:WORST]
    return tuple(
        PairDifference(key=keys[i], a=float(a[i]), b=float(b[i]), difference=float(a[i] - b[i]))
        for i in order
        if signed[i] > 0
    )
