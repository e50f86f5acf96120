"""The ranked table of a board: its columns, their cells, and which lines a reader wants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from ffbench.errors import DataError
from ffbench.results.numbers import format_value
from ffbench.results.record.row import Row
from ffbench.results.report.leaderboard import BoardLine, BoardTable
from ffbench.results.report.leaderboard_formats import TIED, ranks_cell
from ffbench.results.report.paper_tables import NUMBERS, reported_table

from ..boards import records
from ..boards.method_facts import Kind, Size, facts_of
from ..look import theme

LEVELS = ("verified", "local", "claimed", "reported")
ORDERS = {"Best first": None, "Method": "title", "Fastest": "speed", "Newest": "started"}
_ON_REQUEST = ("kind", "trained on", "device", "date")
"""Columns that are shown when the reader asks for them."""
PICTURES = "rendered faces: flow, error"
_MANY = 200
"""On larger boards the scores by group are read of the first lines alone."""


@dataclass(frozen=True)
class Wanted:
    """What a reader asked for; empty: all."""

    search: str = ""
    levels: Sequence[str] = LEVELS
    kinds: Sequence[Kind] = ()
    training: Sequence[str] = ()
    sizes: Sequence[Size] = ()
    available: bool = False
    order: str = "Best first"


def wanted_lines(table: BoardTable, rows: Mapping[str, Row], wanted: Wanted) -> list[BoardLine]:
    """Return the lines that fit, in the reader's order; what only a paper prints has no kind, training or size.

    Args:
        table: of the board.
        rows: by the path of their record.
        wanted: what the reader asked for.
    """
    lines = [line for line in table.lines if _fits(line, rows.get(line.record), wanted)]
    order = ORDERS.get(wanted.order)
    if order == "title":
        lines.sort(key=lambda line: line.title.casefold())
    elif order == "speed":
        lines.sort(key=lambda line: -rows[line.record].pairs_per_second if line.record in rows else 0.0)
    elif order == "started":
        lines.sort(key=lambda line: rows[line.record].started if line.record in rows else "", reverse=True)
    return lines


def _fits(line: BoardLine, row: Row | None, wanted: Wanted) -> bool:
    words = wanted.search.casefold().split()
    if line.level not in wanted.levels or not all(word in f"{line.title} {line.method}".casefold() for word in words):
        return False
    if not (wanted.kinds or wanted.training or wanted.sizes or wanted.available):
        return True
    if row is None:
        return False
    facts = facts_of(row)
    return (
        (not wanted.kinds or facts.kind in wanted.kinds)
        and (not wanted.training or facts.training in wanted.training)
        and (not wanted.sizes or facts.size in wanted.sizes)
        and (not wanted.available or facts.available)
    )


def score_name(table: BoardTable) -> str:
    """Return the head of the score's column: the metric's name and unit."""
    return theme.cell(f"{table.metric_title} [{table.unit}]")


def cells(
    table: BoardTable,
    lines: Sequence[BoardLine],
    rows: Mapping[str, Row],
    addresses: Sequence[str],
    pictures: Mapping[str, str],
) -> list[dict[str, Any]]:
    """Return the rows of the table, their columns in order; columns in which no line has anything are left out.

    Args:
        table: of the board.
        lines: those that are shown.
        rows: by the path of their record.
        addresses: of the page of each line's method.
        pictures: strips of small pictures by the path of a record, as addresses that hold them.
    """
    extra = _scores(lines, paper_columns(table))
    found = []
    for line, address in zip(lines, addresses, strict=True):
        row = rows.get(line.record)
        ran = row is not None and row.kind == "evaluated"
        facts = facts_of(row) if row is not None else None
        found.append(
            {
                "rank": line.position,
                "method": address,
                score_name(table): line.measured,
                "95 % ranks": "" if line.position is None else ranks_cell(line),
                TIED: TIED if line.tied_above else "",
                "95 % from": line.ci_low,
                "to": line.ci_high,
                **extra.get(line.record, {}),
                "number": line.level,
                "claimed": line.claimed,
                "in the paper": line.reported,
                "parameters": row.parameters / 1e6 if row is not None and ran and row.parameters else None,
                "pairs/s": row.pairs_per_second if row is not None and ran else None,
                "kind": facts.kind if facts is not None else None,
                "trained on": theme.cell(facts.training) if facts is not None else None,
                "device": theme.cell(row.device) if row is not None and ran else None,
                PICTURES: pictures.get(line.record),
                "date": row.started[:10] if row is not None else None,
                "note": line.note,
            }
        )
    return theme.without_empty(found)


def default_columns(names: Sequence[str]) -> list[str]:
    """Return the columns of a table that are shown unless the reader chooses others."""
    return [name for name in names if name not in _ON_REQUEST]


def paper_columns(table: BoardTable) -> dict[str, tuple[str, str, bool]]:
    """Return metric, group and whether more is better of the columns that the paper's tables have for a protocol."""
    columns: dict[str, tuple[str, str, bool]] = {}
    for number in NUMBERS:
        for column in reported_table(number).columns:
            wanted = (column.metric, column.group, column.higher_is_better)
            if column.protocol == table.board.protocol and wanted[:2] != (table.metric, "all"):
                columns.setdefault(f"{column.name} [{column.unit}]", wanted)
    return columns


def _scores(lines: Sequence[BoardLine], columns: Mapping[str, tuple[str, str, bool]]) -> dict[str, dict[str, float]]:
    """Read the scores of the paper's columns from the records of the first lines."""
    found: dict[str, dict[str, float]] = {}
    if not columns:
        return found
    for line in [line for line in lines if line.record][:_MANY]:
        try:
            scores = {(s.metric, s.group): s.value for s in records.record(line.record).scores}
        except DataError:
            continue  # gone since it was listed: the row stays, without these cells
        found[line.record] = {name: scores[wanted[:2]] for name, wanted in columns.items() if wanted[:2] in scores}
    return found


def styled(table: BoardTable, shown: Sequence[Mapping[str, Any]], titles: Sequence[str]) -> Any:
    """Return the table for `st.dataframe`: the best of each column of scores bold, methods by title over their link."""
    import pandas as pd

    frame = pd.DataFrame(list(shown))
    directions = {name: higher for name, (_, _, higher) in paper_columns(table).items()}
    directions[score_name(table)] = table.higher_is_better
    names = dict(zip(frame["method"], titles, strict=True))

    def bold(column: Any) -> list[str]:
        values = pd.to_numeric(column, errors="coerce")
        best = values.max() if directions[column.name] else values.min()
        return ["font-weight: 700" if value == best else "" for value in values]

    style = frame.style.format({"method": names.__getitem__}, na_rep="")
    scores = [name for name in directions if name in frame]
    return style.apply(bold, subset=scores) if scores else style


def settings(table: BoardTable) -> dict[str, Any]:
    """Return how the columns are drawn. Rank, method and score fit a phone side by side."""
    number = st.column_config.NumberColumn
    values = (score_name(table), "95 % from", "to", "claimed", *paper_columns(table))
    decimals = max((_decimals(line) for line in table.lines), default=3)
    return {
        **{name: number(format=f"%.{decimals}f") for name in values},
        score_name(table): number(format=f"%.{decimals}f", width=130, help=_better(table)),
        "rank": number(width=44, help="position by value"),
        "method": st.column_config.LinkColumn(width=175, help="opens the method's page"),
        TIED: st.column_config.TextColumn(width=30, help="the data cannot tell it from the method one position above"),
        "95 % ranks": st.column_config.TextColumn(width=80, help="all ranks that the data do not rule out"),
        "number": st.column_config.TextColumn(
            width=80,
            help="verified: scored again for the store; local: a run that is in no store; claimed: by the submitter; "
            "reported: printed in the paper",
        ),
        PICTURES: st.column_config.ImageColumn(
            width=300, help="three fixed pairs of rendered faces, each the flow and its error; click to enlarge"
        ),
        "parameters": number(format="%.2f M", help="trained values, in millions"),
        "pairs/s": number(format="%.2f", help="on the machine of the run: see Accuracy against cost"),
    }


def _better(table: BoardTable) -> str:
    return f"{'higher' if table.higher_is_better else 'lower'} is better; the best is bold"


def _decimals(line: BoardLine) -> int:
    """Return the decimals that show four significant digits of a value, at most 3: what a column of them needs."""
    value = line.measured
    return 0 if value is None else min(3, len(format_value(value).partition(".")[2]))
