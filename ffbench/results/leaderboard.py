"""Boards: for each protocol and dataset the methods in order, with three kinds of numbers kept apart.

verified: scored here, by ffbench. claimed: sent in. reported: printed in the paper of the protocol.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ffbench.results.paper_tables import NUMBERS, Column, reported_table
from ffbench.results.paper_tables import Row as ReportedRow
from ffbench.results.ranking import RankedRow, rank
from ffbench.results.store_row import Board, Row


@dataclass(frozen=True)
class Line:
    """One method on a board. Only a verified value has a position; `reported` is as it is printed.

    `position` is by value; `rank_best` to `rank_worst` is the 95 % set of ranks; `tied_above` says that the data cannot
    tell it apart from the line above.
    """

    position: int | None
    rank_best: int | None
    rank_worst: int | None
    tied_above: bool
    method: str
    title: str
    verified: float | None
    ci_low: float | None
    ci_high: float | None
    claimed: float | None
    reported: str | None
    source: str
    note: str = ""
    record: str = ""


@dataclass(frozen=True)
class BoardTable:
    """All lines of a board: ranked ones, then those that are only claimed, then those that are only reported."""

    board: Board
    metric: str
    metric_title: str
    unit: str
    higher_is_better: bool
    lines: tuple[Line, ...]


def ranked_rows(rows: Sequence[Row]) -> Sequence[RankedRow]:
    """Return the rows of one board with their ranks."""
    return rank(rows).rows


def leaderboard(
    rows: Iterable[Row], ranked: Callable[[Sequence[Row]], Sequence[RankedRow]] = ranked_rows
) -> list[BoardTable]:
    """Sort rows into boards; those of real data stand before synthetic ones.

    Rows that are not for ranking (random weights, or not all pairs) are left out. Of several records of one method
    on one level the latest counts.

    Args:
        rows: of any boards.
        ranked: gives the rows of one board their places; `in_order` where rank sets would take too long.
    """
    by_board: dict[Board, list[Row]] = {}
    for row in rows:
        if not row.not_rankable:
            by_board.setdefault(row.board, []).append(row)
    ordered = sorted(by_board, key=lambda board: (board.origin != "real", board.title, board.manifest_sha256))
    return [_table(board, by_board[board], ranked) for board in ordered]


def latest_rows(rows: Iterable[Row]) -> dict[tuple[str, str], Row]:
    """Give the latest of several records of one method, by level and identity; all of one board."""
    return {(row.level, row.identity): row for row in sorted(rows, key=lambda row: (row.started, row.path))}


def _table(board: Board, rows: Sequence[Row], ranked: Callable[[Sequence[Row]], Sequence[RankedRow]]) -> BoardTable:
    latest = latest_rows(rows)
    claims = {identity: _claimed_value(row) for (level, identity), row in latest.items() if level == "claimed"}
    verified = [row for (level, _), row in latest.items() if level == "verified"]
    printed = reported_values(board, rows[0].metric)
    lines = []
    merged: set[str] = set()
    for place in ranked(verified):
        row = place.row
        own = next((entry for entry in printed if row.method in entry[1].methods), None)
        if own is not None:
            merged.add(own[0])
        lines.append(
            Line(
                position=place.position,
                rank_best=place.best,
                rank_worst=place.worst,
                tied_above=place.tied_above,
                method=row.method,
                title=row.title,
                verified=row.value,
                ci_low=row.ci_low,
                ci_high=row.ci_high,
                claimed=row.claimed if row.claimed is not None else claims.get(row.identity),
                reported=own[2] if own else None,
                source=row.paper or "",
                note=_note(place),
                record=row.path,
            )
        )
    known = {row.identity for row in verified}
    only_claimed = [row for (level, identity), row in latest.items() if level == "claimed" and identity not in known]
    sign = -1 if rows[0].higher_is_better else 1
    for row in sorted(only_claimed, key=lambda row: (sign * _claimed_value(row), row.method)):
        value = _claimed_value(row)
        lines.append(
            _unranked(method=row.method, title=row.title, claimed=value, source=row.paper or "", record=row.path)
        )
    lines += [
        _unranked(title=entry.name, reported=value, source=source)
        for source, entry, value in printed
        if source not in merged
    ]
    first = rows[0]
    return BoardTable(board, first.metric, first.metric_title, first.unit, first.higher_is_better, tuple(lines))


def _note(place: RankedRow) -> str:
    """Return why a line is not compared; a table that does not fit is named by its path, which is nobody's business."""
    if place.position is None:
        return place.note and "not compared: no table of pair scores that fits"
    return place.note or (f"no interval: {place.row.no_interval}" if place.row.no_interval else "")


def _unranked(
    *,
    title: str,
    source: str,
    method: str = "",
    claimed: float | None = None,
    reported: str | None = None,
    record: str = "",
) -> Line:
    return Line(None, None, None, False, method, title, None, None, None, claimed, reported, source, record=record)


def _claimed_value(row: Row) -> float:
    return row.value if row.claimed is None else row.claimed


def reported_values(board: Board, metric: str) -> list[tuple[str, ReportedRow, str]]:
    """Give what the paper prints for a board: (where, row, value), best first; nothing for synthetic data."""
    if board.origin != "real":
        return []
    options = json.loads(board.options)
    found: list[tuple[str, ReportedRow, str]] = []
    for number in NUMBERS:
        table = reported_table(number)
        for index, column in enumerate(table.columns):
            if not _shows(column, board.protocol, metric, options):
                continue
            found += [
                (f"Table {number}, {column.name}, {row.name}", row, str(row.values[index]))
                for row in table.rows
                if all(options.get(name, wanted) == wanted for name, wanted in row.options.items())
            ]
    sign = -1 if found and _higher_is_better(board.protocol, metric) else 1
    return sorted(found, key=lambda entry: sign * float(entry[2]))


def _shows(column: Column, protocol: str, metric: str, options: dict[str, object]) -> bool:
    same = column.protocol == protocol and column.metric == metric and column.group == "all"
    return same and all(options.get(name) == wanted for name, wanted in column.options.items())


def _higher_is_better(protocol: str, metric: str) -> bool:
    columns = (column for number in NUMBERS for column in reported_table(number).columns)
    return any(c.higher_is_better for c in columns if c.protocol == protocol and c.metric == metric)
