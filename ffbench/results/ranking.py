"""Ranks with ties: two methods share a rank unless their difference on the same pairs is significant."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ffbench.errors import DataError
from ffbench.metrics.paired import holm, paired_difference, resampled_means
from ffbench.metrics.statistics import RESAMPLES, ratio_of_sums
from ffbench.results.ranking_table import PairColumns, read_columns, unit_names, unit_totals
from ffbench.results.store_row import Row

LEVEL = 0.05
"""Chance, over all comparisons of one board together, to call equal methods different."""
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Place:
    """A row and where it stands.

    `rank` is 1 + the number of methods that are significantly better; `last` the lowest rank that the data do not
    rule out. None when the row cannot be compared: `note` says why.
    """

    row: Row
    rank: int | None
    last: int | None
    note: str = ""


def rank(rows: Sequence[Row], *, resamples: int = RESAMPLES) -> list[Place]:
    """Rank the rows of one board, best value first.

    Every two methods are compared by a paired bootstrap over pairs, or over the units that the protocol names, and
    the p-values are corrected for their number (Holm). Rows that are not for ranking must be left out before.

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
    better = _significantly_better(compared, [columns[row.path] for row in compared], resamples)
    places = {}
    for index, row in enumerate(compared):
        above = sum((other, index) in better for other in range(len(compared)))
        below = sum((index, other) in better for other in range(len(compared)))
        places[row.path] = Place(row, 1 + above, len(compared) - below)
    # What its own pairs do not bear out stands below what they do, whatever it says of itself.
    without = [Place(row, None, None, notes[row.path]) for row in ordered if row.path not in places]
    return [*(places[row.path] for row in compared), *without]


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


def in_order(rows: Sequence[Row]) -> list[Place]:
    """Give the rows of one board by value, best first, and no ranks: nothing is read."""
    return [Place(row, None, None) for row in _by_value(rows)]


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
            f"{row.path}: {row.metric} is {row.value:g}, which is not the mean over its pairs ({mean:g}), "
            "so it cannot be compared pair by pair"
        )
    return columns


def _significantly_better(rows: Sequence[Row], columns: Sequence[PairColumns], resamples: int) -> set[tuple[int, int]]:
    """Give the pairs (better, worse) of indices that are separable."""
    if len(rows) < 2:
        return set()
    units = unit_names(columns[0], rows[0].resample_by)
    metric = rows[0].metric
    sums, counts = (
        unit_totals(np.stack([found.terms[metric][part] for found in columns], 1), units) for part in (0, 1)
    )
    means = resampled_means(sums, counts, resamples=resamples)
    pairs = list(itertools.combinations(range(len(rows)), 2))
    p_values = []
    for first, second in pairs:
        difference = paired_difference(
            rows[first].value - rows[second].value, means[:, first] - means[:, second], len(sums)
        )
        p_values.append(1.0 if difference.p_value is None else difference.p_value)
    # Rows are in order of value, so of two that differ the first is the better one.
    return {pair for pair, p_value in zip(pairs, holm(p_values), strict=True) if p_value < LEVEL}
