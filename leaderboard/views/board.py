"""Page 1: for a protocol and dataset, the methods in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from ffbench.errors import DataError
from ffbench.metrics.statistics import MIN_UNITS
from ffbench.results.record.row import Board, Row
from ffbench.results.report.leaderboard import BoardTable, Line
from ffbench.results.report.leaderboard_formats import TIED, format_boards, ranks_cell
from ffbench.results.report.paper_tables import NUMBERS, reported_table

from .. import charts, picker, records, state, theme

_LEVELS = ("verified", "local", "claimed", "reported")
_ORDERS = {"Best first": None, "Method": "title", "Fastest": "speed", "Newest": "started"}
_MANY = 200
"""On larger boards the scores by group are read of the first lines alone."""

_LEFT_OUT = 5
"""Records that are not ranked and are named."""


def render() -> None:
    """Draw the page."""
    opened = picker.open_board("Leaderboard")
    if opened is None:
        return
    rows, board, parameters = opened
    first, second, third = st.columns([3, 3, 2], vertical_alignment="bottom")
    search = first.text_input("Search methods", placeholder="name or id", **state.bound("search"))
    levels = second.multiselect("Numbers", _LEVELS, default=_LEVELS, **state.bound("numbers"))
    order = third.selectbox("Order", list(_ORDERS), **state.bound("order"))
    shown = (str(search), tuple(levels), str(order))
    if not records.ranks_are_known(rows):
        # Rank sets need every table of pair scores: the order is shown until they are there.
        early = st.empty()
        with early.container():
            _draw(records.ordered(rows), rows, shown, ranks=False)
        records.ranked(rows)
        early.empty()
    table = records.ranked(rows)
    visible = _draw(table, rows, shown, ranks=True)
    _not_ranked(board)
    _below(table, visible, {**parameters, "search": str(search), "order": str(order)})


def _not_ranked(board: Board) -> None:
    """Name the records of a board that may not stand on it, and why."""
    left_out = [row for row in records.load().rows if row.board == board and row.not_rankable]
    for row in left_out[:_LEFT_OUT]:
        st.text(theme.plain(f"Not ranked: {row.title} ({row.method}), {', '.join(row.not_rankable)}", 200))
    if len(left_out) > _LEFT_OUT:
        st.caption(f"Not ranked: {len(left_out) - _LEFT_OUT} more records")


def _draw(
    table: BoardTable, rows: Sequence[Row], shown: tuple[str, tuple[str, ...], str], *, ranks: bool
) -> list[Line]:
    search, levels, order = shown
    by_path = {row.path: row for row in rows}
    lines = [line for line in table.lines if _level(line) in levels and _matches(line, search)]
    if _ORDERS[order] == "title":
        lines.sort(key=lambda line: line.title.casefold())
    elif _ORDERS[order] == "speed":
        lines.sort(key=lambda line: -by_path[line.record].pairs_per_second if line.record in by_path else 0.0)
    elif _ORDERS[order] == "started":
        lines.sort(key=lambda line: by_path[line.record].started if line.record in by_path else "", reverse=True)
    better = "higher" if table.higher_is_better else "lower"
    st.text(f"{theme.plain(table.metric_title)} [{theme.plain(table.unit)}], {better} is better")
    if not lines:
        theme.empty("No method fits the search and the filters.")
        return lines
    if not ranks:
        st.caption("Order by value; rank sets are being worked out …")
    charts.intervals(table, lines, key=f"intervals-{ranks}")
    columns = _columns_of(table, rows)
    extra = _scores(lines, columns)
    settings: dict[str, Any] = {
        "position": st.column_config.NumberColumn(width=60, help="by value"),
        TIED: st.column_config.TextColumn(width=30, help="the data cannot tell it from the method one position above"),
        "95 % ranks": st.column_config.TextColumn(width=80, help="all ranks that the data do not rule out"),
        "number": st.column_config.MultiselectColumn(
            "number", options=list(_LEVELS), color=["green", "blue", "orange", "gray"], width=90,
            help="verified: scored again for the store; local: a run that is in no store; claimed: by the submitter; "
            "reported: printed in the paper",
        ),
        "pairs/s": st.column_config.NumberColumn(format="%.2f"),
        **{name: st.column_config.NumberColumn(format="%.3f")
           for name in (theme.cell(table.unit), "95 % from", "to", "claimed", *columns)},
    }  # fmt: skip
    cells = [{**_cells(line, table, by_path.get(line.record)), **extra.get(line.record, {})} for line in lines]
    st.dataframe(
        theme.without_empty(cells), hide_index=True, width="stretch", column_config=settings, key=f"table-{ranks}"
    )
    return lines


def _cells(line: Line, table: BoardTable, row: Row | None) -> dict[str, Any]:
    return {
        "position": line.position,
        TIED: TIED if line.tied_above else "",
        "95 % ranks": "" if line.position is None else ranks_cell(line),
        "method": theme.cell(line.title),
        "number": [_level(line)],
        theme.cell(table.unit): line.verified if line.verified is not None else line.local,
        "95 % from": line.ci_low,
        "to": line.ci_high,
        "claimed": line.claimed,
        "in the paper": line.reported,
        "pairs/s": row.pairs_per_second if row is not None and row.kind == "evaluated" else None,
        "device": theme.cell(row.device) if row is not None and row.kind == "evaluated" else None,
        "note": line.note,
    }


def _level(line: Line) -> str:
    if line.local is not None:
        return "local"
    return "verified" if line.verified is not None else "claimed" if line.claimed is not None else "reported"


def _matches(line: Line, search: str) -> bool:
    wanted = search.casefold().split()
    return all(word in f"{line.title} {line.method}".casefold() for word in wanted)


def _columns_of(table: BoardTable, rows: Sequence[Row]) -> dict[str, tuple[str, str]]:
    """Give metric and group of the columns that the paper's tables have for this protocol."""
    columns: dict[str, tuple[str, str]] = {}
    for number in NUMBERS:
        for column in reported_table(number).columns:
            wanted = (column.metric, column.group)
            if column.protocol == table.board.protocol and wanted != (table.metric, "all"):
                columns.setdefault(f"{column.name} [{column.unit}]", wanted)
    return columns


def _scores(lines: Sequence[Line], columns: Mapping[str, tuple[str, str]]) -> dict[str, dict[str, float]]:
    """Read the scores of the paper's columns from the records of the first lines."""
    found: dict[str, dict[str, float]] = {}
    if not columns:
        return found
    for line in [line for line in lines if line.record][:_MANY]:
        try:
            scores = {(s.metric, s.group): s.value for s in records.record(line.record).scores}
        except DataError:
            continue  # gone since it was listed: the row stays, without these cells
        found[line.record] = {name: scores[wanted] for name, wanted in columns.items() if wanted in scores}
    return found


def _below(table: BoardTable, lines: Sequence[Line], parameters: Mapping[str, str]) -> None:
    """Downloads, links, and what the columns mean."""
    part = BoardTable(**{**vars(table), "lines": tuple(lines)})
    with st.container(horizontal=True):
        theme.downloads(lambda file_format: format_boards([part], file_format), table.board.protocol)
        state.show_link(parameters)
        board = {name: parameters[name] for name in ("data", "task", "board")}
        state.page_link("compare", "Compare two methods", board, ":material/compare_arrows:")
        state.page_link("cost", "Accuracy against cost", board, ":material/speed:")
    with st.expander("What the columns mean"):
        st.markdown(
            f"- **position**: by value. {TIED}: the data cannot tell the method from the one above it in that order.\n"
            "- **95 % ranks**: all ranks that the data do not rule out, by the method's paired comparisons with every "
            "other one together. **Compare** says the same of two methods, and what their comparison alone would say.\n"
            "- **verified**: scored again by those who keep the store. **local**: a run on this machine, in no store. "
            "**claimed**: the submitter's own number. **reported**: printed in the paper of the protocol; it stands "
            "below and has no rank.\n"
            "- **95 %**: confidence interval over what is independent: subjects, sequences, blocks of time. Fewer than "
            f"{MIN_UNITS} have none."
        )
        st.text(theme.plain(table.board.title, 400))
