"""The order of a board: positions by value, and for each method the ranks that the data do not rule out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ffbench.errors import DataError
from ffbench.metrics.statistics.intervals import Influence, influence_on_ratio, ratio_of_sums, too_few_units
from ffbench.metrics.statistics.ranks import RESAMPLES, RankSets, rank_sets
from ffbench.results.ranking.pair_columns import PairColumns, read_columns, unit_names, unit_totals
from ffbench.results.record.row import Row

_ROUNDING = 1e-9


@dataclass(frozen=True)
class RankedRow:
    """A row and where it stands.

    Attributes:
        row: the row.
        position: 1 + the number of methods with a better value; None when the row cannot be compared, or was not.
        best, worst: the ends of its 95 % rank set.
        tied_above: it cannot be told apart from the ranked row above it.
        note: why it cannot be compared, or why nothing can be told apart.
    """

    row: Row
    position: int | None = None
    best: int | None = None
    worst: int | None = None
    tied_above: bool = False
    note: str = ""


@dataclass(frozen=True)
class Ranking:
    """A board in order, and what its comparable rows are to each other.

    Attributes:
        rows: all rows, best value first.
        compared: those of them that can be compared, in the order of `sets`.
        sets: their positions, rank sets and comparisons.
    """

    rows: tuple[RankedRow, ...]
    compared: tuple[Row, ...]
    sets: RankSets


def rank(rows: Sequence[Row], *, resamples: int = RESAMPLES) -> Ranking:
    """Rank the rows of one board by value, with 95 % rank sets from paired comparisons over the protocol's units.

    Rows that are not for ranking must be left out before.

    Raises:
        ValueError: rows of different boards.
    """
    if len({row.board for row in rows}) > 1:
        raise ValueError("rows of different boards cannot be ranked together")
    ordered = _by_value(rows)
    columns: dict[str, PairColumns] = {}
    notes: dict[str, str] = {}
    for row in ordered:
        try:
            columns[row.path] = comparable_columns(row)
        except DataError as error:
            notes[row.path] = str(error)
    for path in _with_other_pairs(columns, {row.path for row in ordered if row.level == "verified"}):
        notes[path] = f"{path}: has other pairs than the methods that it would be ranked with"
        del columns[path]
    compared = [row for row in ordered if row.path in columns]
    influences = _influences(compared, [columns[row.path] for row in compared])
    sets = rank_sets(influences, higher_is_better=bool(rows) and rows[0].higher_is_better, resamples=resamples)
    why = too_few_units(influences[0], compared[0].resample_by or "pair") if len(compared) > 1 else None
    ranked = {
        row.path: RankedRow(
            row,
            position=sets.positions[index],
            best=sets.best[index],
            worst=sets.worst[index],
            tied_above=index > 0 and not sets.told_apart(index - 1, index),
            note=f"not compared: {why}" if why else "",
        )
        for index, row in enumerate(compared)
    }
    # What its own pairs do not bear out stands below what they do, whatever it says of itself.
    without = [RankedRow(row, note=notes[row.path]) for row in ordered if row.path not in ranked]
    return Ranking(
        rows=(*(ranked[row.path] for row in compared), *without),
        compared=tuple(compared),
        sets=sets,
    )


def _with_other_pairs(columns: Mapping[str, PairColumns], verified: Set[str]) -> list[str]:
    """Name the rows that do not have the pairs of most others; verified ones outweigh all others together.

    Not those of the best: three easy pairs alone are quickly the best, and must not cost the others their ranks.
    """
    sharing: dict[tuple[str, ...], list[str]] = {}
    for path, found in columns.items():
        sharing.setdefault(tuple(found.keys), []).append(path)

    def weight(keys: tuple[str, ...]) -> tuple[int, int, int]:
        return sum(path in verified for path in sharing[keys]), len(sharing[keys]), len(keys)

    usual = max(sharing, key=weight, default=())
    return [path for keys, paths in sharing.items() if keys != usual for path in paths]


def in_order(rows: Sequence[Row]) -> list[RankedRow]:
    """Return the rows of one board by value, best first, and no ranks: nothing is read."""
    return [RankedRow(row) for row in _by_value(rows)]


def _by_value(rows: Sequence[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: ((-row.value if row.higher_is_better else row.value), row.method, row.path))


def comparable_columns(row: Row, labels: Sequence[str] = ()) -> PairColumns:
    """Read the pair scores behind a row, and make sure that they are what its value is the mean of.

    Raises:
        DataError: the table is missing or not the record's, or the value is not a mean over pairs.
    """
    wanted = [*labels, *([row.resample_by] if row.resample_by else [])]
    columns = read_columns(Path(row.table), row.table_sha256, metric=row.metric, labels=wanted)
    sums, counts = columns.terms[row.metric]
    mean = ratio_of_sums(sums.tolist(), counts.tolist())
    if not math.isclose(mean, row.value, rel_tol=_ROUNDING, abs_tol=_ROUNDING):
        raise DataError(
            row.path,
            f"{row.metric} is {row.value:g}, which is not the mean over its pairs ({mean:g}), "
            "so it cannot be compared pair by pair",
        )
    return columns


def _influences(rows: Sequence[Row], columns: Sequence[PairColumns]) -> list[Influence]:
    """Return what each unit does to the value of each row."""
    if not rows:
        return []
    units = unit_names(columns[0], rows[0].resample_by)
    metric = rows[0].metric
    sums, counts = (
        unit_totals(np.stack([found.terms[metric][part] for found in columns], 1), units) for part in (0, 1)
    )
    return [influence_on_ratio(sums[:, index], counts[:, index], value=row.value) for index, row in enumerate(rows)]
