"""Boards: for each protocol and dataset the methods in order, with three kinds of numbers kept apart.

verified: scored here, by ffbench. claimed: sent in. reported: printed in the paper of the protocol.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from ffbench.results.paper_tables import NUMBERS, Column, reported_table
from ffbench.results.paper_tables import Row as ReportedRow
from ffbench.results.ranking import Place, rank
from ffbench.results.store_row import Board, Row
from ffbench.results.titles import disambiguate_titles, from_file


@dataclass(frozen=True)
class Line:
    """One method on a board. Only a verified value has a rank; `reported` is as it is printed.

    `title` is the method's, with what tells it apart from others of that title on the board.
    """

    rank: int | None
    last: int | None
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


def leaderboard(rows: Iterable[Row], ranked: Callable[[Sequence[Row]], list[Place]] = rank) -> list[BoardTable]:
    """Sort rows into boards; those of real data stand before synthetic ones.

    Rows that are not for ranking (random weights, or not all pairs) are left out. Of several records of one method
    on one level the latest counts.

    Args:
        rows: of any boards.
        ranked: gives the rows of one board their places; `in_order` where ranks with ties would take too long.
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


def _table(board: Board, rows: Sequence[Row], ranked: Callable[[Sequence[Row]], list[Place]]) -> BoardTable:
    latest = latest_rows(rows)
    claims = {identity: _claimed_value(row) for (level, identity), row in latest.items() if level == "claimed"}
    verified = [row for (level, _), row in latest.items() if level == "verified"]
    printed = reported_values(board, rows[0].metric)
    lines = []
    merged: set[str] = set()
    for place in ranked(verified):
        row = place.row
        own = next((entry for entry in printed if row.method in entry[1].methods and not from_file(row)), None)
        if own is not None:
            merged.add(own[0])
        lines.append(
            Line(
                rank=place.rank,
                last=place.last,
                method=row.method,
                title=row.title,
                verified=row.value,
                ci_low=row.ci_low,
                ci_high=row.ci_high,
                claimed=row.claimed if row.claimed is not None else claims.get(row.identity),
                reported=own[2] if own else None,
                source=row.paper or "",
                note=place.note and "not compared: no table of pair scores that fits",
                record=row.path,
            )
        )
    known = {row.identity for row in verified}
    only_claimed = [row for (level, identity), row in latest.items() if level == "claimed" and identity not in known]
    sign = -1 if rows[0].higher_is_better else 1
    for row in sorted(only_claimed, key=lambda row: (sign * _claimed_value(row), row.method)):
        value = _claimed_value(row)
        lines.append(
            Line(None, None, row.method, row.title, None, None, None, value, None, row.paper or "", record=row.path)
        )
    lines += [
        Line(None, None, "", entry.name, None, None, None, None, value, source)
        for source, entry, value in printed
        if source not in merged
    ]
    shown = {line.record for line in lines}
    names = disambiguate_titles([row for row in rows if row.path in shown])
    lines = [replace(line, title=names.get(line.record, line.title)) for line in lines]
    first = rows[0]
    return BoardTable(board, first.metric, first.metric_title, first.unit, first.higher_is_better, tuple(lines))


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
