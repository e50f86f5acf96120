"""Boards: for each protocol and dataset the methods in order, with three kinds of numbers kept apart.

verified: scored again by those who keep the store. local: a run that lies in no store. claimed: sent in. reported:
printed in the paper of the protocol.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ffbench.results.ranking.order import RankedRow, rank
from ffbench.results.ranking.titles import disambiguate_titles, from_file
from ffbench.results.record.row import ORIGINS, Board, Row
from ffbench.results.report.paper_tables import NUMBERS, Column, ReportedRow, ReportedTable, reported_table


@dataclass(frozen=True)
class BoardLine:
    """One method on a board. Only a verified or local value has a position; `reported` is as it is printed.

    `title` is the method's, with what tells it apart from others of that title on the board. `attempts` counts the
    different flows that its owner sent in to this board.


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
    local: float | None = None
    attempts: int = 1

    @property
    def measured(self) -> float | None:
        """The value that has a position: the verified one, or else that of a local run."""
        return self.verified if self.verified is not None else self.local

    @property
    def level(self) -> str:
        """What the number is worth: verified, local, claimed or reported."""
        if self.local is not None:
            return "local"
        return "verified" if self.verified is not None else "claimed" if self.claimed is not None else "reported"


@dataclass(frozen=True)
class BoardTable:
    """All lines of a board: ranked ones, then those that are only claimed, then those that are only reported."""

    board: Board
    metric: str
    metric_title: str
    unit: str
    higher_is_better: bool
    lines: tuple[BoardLine, ...]


def ranked_rows(rows: Sequence[Row]) -> Sequence[RankedRow]:
    """Return the rows of one board with their ranks."""
    return rank(rows).rows


def leaderboard(
    rows: Iterable[Row], ranked: Callable[[Sequence[Row]], Sequence[RankedRow]] = ranked_rows
) -> list[BoardTable]:
    """Sort rows into boards; those of real data stand first, then reanimated faces, then synthetic data.

    Rows that are not for ranking (random weights, or not all pairs) are left out. Of several verified or local records
    of one method and owner the latest counts. Claims are all shown: a date is easily forged, so a later claim replaces
    none; its owner removes the earlier file. Rows that disagree on metric, unit or direction share no board.

    Args:
        rows: of any boards.
        ranked: gives the rows of one board their places; `in_order` where rank sets would take too long.
    """
    by_board: dict[tuple[Board, str, str, bool], list[Row]] = {}
    for row in rows:
        if not row.not_rankable:
            by_board.setdefault((row.board, row.metric, row.unit, row.higher_is_better), []).append(row)

    def place(key: tuple[Board, str, str, bool]) -> tuple[object, ...]:
        return ORIGINS.index(key[0].origin), key[0].title, key[0].manifest_sha256, *key[1:]

    return [_table(key[0], by_board[key], ranked) for key in sorted(by_board, key=place)]


def latest_rows(rows: Iterable[Row]) -> dict[tuple[str, str, str], Row]:
    """Return the latest of several records of one method, by level, identity and owner; all of one board.

    Claims do not replace each other: the last part of their key is their path.
    """
    ordered = sorted(rows, key=lambda row: (row.started, row.path))
    return {(row.level, row.identity, row.path if row.level == "claimed" else row.owner): row for row in ordered}


def rows_for_paper_table(table: ReportedTable, rows: Iterable[Row]) -> list[Row]:
    """Return the rows that may stand in a table of the paper: of each method and board the latest scored here."""
    wanted = {column.protocol for column in table.columns}
    boards: dict[Board, list[Row]] = {}
    for row in rows:
        if row.board.protocol in wanted and row.level in ("verified", "local"):
            boards.setdefault(row.board, []).append(row)
    return [row for group in boards.values() for row in latest_rows(group).values()]


def _table(board: Board, rows: Sequence[Row], ranked: Callable[[Sequence[Row]], Sequence[RankedRow]]) -> BoardTable:
    latest = latest_rows(rows).values()
    sign = -1 if rows[0].higher_is_better else 1
    claims: dict[tuple[str, str], float] = {}
    for row in latest:
        if row.level == "claimed":
            # Of several the worst: a claim that was not scored must not look better for being repeated.
            known = claims.get((row.identity, row.owner), sign * -math.inf)
            claims[row.identity, row.owner] = sign * max(sign * known, sign * _claimed_value(row))
    attempts = _attempts(rows)
    scored = {(row.identity, row.owner) for row in latest if row.level == "verified"}
    # A run of one's own that is in the store already stands there.
    measured = [
        row
        for row in latest
        if row.level == "verified" or (row.level == "local" and (row.identity, row.owner) not in scored)
    ]
    printed = reported_values(board, rows[0].metric)
    lines = []
    merged: set[str] = set()
    for place in ranked(measured):
        row = place.row
        own = next((entry for entry in printed if row.method in entry[1].methods and not from_file(row)), None)
        if own is not None:
            merged.add(own[0])
        lines.append(
            BoardLine(
                position=place.position,
                rank_best=place.best,
                rank_worst=place.worst,
                tied_above=place.tied_above,
                method=row.method,
                title=row.title,
                verified=row.value if row.level == "verified" else None,
                ci_low=row.ci_low,
                ci_high=row.ci_high,
                claimed=row.claimed if row.claimed is not None else claims.get((row.identity, row.owner)),
                reported=own[2] if own else None,
                source=row.paper or "",
                note=_note(place),
                record=row.path,
                local=row.value if row.level == "local" else None,
                attempts=attempts[row.owner],
            )
        )
    known_ones = {(row.identity, row.owner) for row in measured}
    only_claimed = [row for row in latest if row.level == "claimed" and (row.identity, row.owner) not in known_ones]
    lines += [
        _unranked(
            method=row.method,
            title=row.title,
            claimed=_claimed_value(row),
            source=row.paper or "",
            record=row.path,
            attempts=attempts[row.owner],
        )
        for row in sorted(only_claimed, key=lambda row: (sign * _claimed_value(row), row.method))
    ]
    lines += [
        _unranked(title=entry.name, reported=value, source=source)
        for source, entry, value in printed
        if source not in merged
    ]
    shown = {line.record for line in lines}
    names = disambiguate_titles([row for row in rows if row.path in shown])
    lines = [replace(line, title=names.get(line.record, line.title)) for line in lines]
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
    attempts: int = 1,
) -> BoardLine:
    """Return a line without a position: a claim, or what a paper prints."""
    return BoardLine(
        None, None, None, False, method, title, None, None, None, claimed, reported, source, record=record,
        attempts=attempts,
    )  # fmt: skip


def _claimed_value(row: Row) -> float:
    """Return what a claim is worth before it is scored: of its own number and that of its flows the worse one."""
    if row.claimed is None:
        return row.value
    return min(row.value, row.claimed) if row.higher_is_better else max(row.value, row.claimed)


def _attempts(rows: Sequence[Row]) -> Mapping[str, int]:
    """Count the different flows of each owner on a board; what ffbench ran itself is one."""
    flows: dict[str, set[str]] = {}
    for row in rows:
        flows.setdefault(row.owner, set()).add(row.flows or row.owner)
    return {owner: len(found) if owner else 1 for owner, found in flows.items()}


def reported_values(board: Board, metric: str) -> list[tuple[str, ReportedRow, str]]:
    """Return what the paper prints for a board: (where, row, value), best first; nothing for data that are not real."""
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
