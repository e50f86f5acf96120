"""All scores of a method: one row a board, with its position there; and the scores of one run by group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from ffbench.protocol import Score
from ffbench.results.leaderboard import BoardTable
from ffbench.results.leaderboard_formats import ranks_cell
from ffbench.results.record import RunRecord
from ffbench.results.store_row import ORIGINS, Board, Row
from ffbench.results.text import format_value, listed_groups

from . import charts, naming, picker, records, state, theme
from .boards import board_names, in_reading_order

_FAMILIES = {"motion_": "By magnitude of motion"}
_FEW = 20
"""Boards whose rank sets are worked out for this page; of more, those that are known are shown."""


def all_scores(rows: Sequence[Row], every: Sequence[Row]) -> None:
    """Draw a table for each origin of data: the method's latest number on each board, and where it stands there.

    Args:
        rows: of the method.
        every: of all methods.
    """
    boards = in_reading_order(list(dict.fromkeys(row.board for row in rows if not row.not_rankable)))
    if not boards:
        theme.empty("This method stands on no board.")
    known = list(dict.fromkeys(row.board for row in every if not row.not_rankable))
    for origin in ORIGINS:
        here = [board for board in boards if board.origin == origin]
        if not here:
            continue
        theme.origin_badge(origin)
        names = {board: name for name, board in board_names([b for b in known if b.origin == origin]).items()}
        cells = [_board_cells(board, rows, every, names[board], few=len(boards) <= _FEW) for board in here]
        st.dataframe(
            theme.without_empty([cell for cell in cells if cell]),
            hide_index=True,
            width="stretch",
            column_config={
                "protocol": st.column_config.LinkColumn(display_text=r"[?&]board=([^&]*)$", width=200),
                "rank": st.column_config.TextColumn(width=70),
                "score": st.column_config.TextColumn(width=90),
            },
            key=f"scores-{origin}",
            **theme.spoken(st.dataframe, f"Scores of this method on {origin} data"),
        )


def _board_cells(
    board: Board, rows: Sequence[Row], every: Sequence[Row], name: str, *, few: bool
) -> dict[str, Any] | None:
    on_board = picker.rows_of(every, board)
    ranks = few or records.ranks_are_known(on_board)
    table: BoardTable = records.ranked(on_board) if ranks else records.ordered(on_board)
    mine = {row.path: row for row in rows}
    line = next((line for line in table.lines if line.record in mine), None)
    if line is None:
        return None
    of = sum(line.position is not None for line in table.lines)
    value = next(v for v in (line.verified, line.local, line.claimed, mine[line.record].value) if v is not None)
    interval = None if line.ci_low is None or line.ci_high is None else (line.ci_low, line.ci_high)
    row = mine[line.record]
    return {
        "protocol": state.page_address("board", {"data": board.origin, "board": name}),
        "rank": None if line.position is None else f"{line.position} of {of}",
        "score": format_value(value),
        "metric": theme.cell(f"{table.metric_title} [{table.unit}]"),
        "95 % interval": interval and f"{format_value(interval[0])} to {format_value(interval[1])}",
        "95 % ranks": ranks_cell(line) if line.position is not None and ranks else None,
        "pairs": row.pairs,
        "number": "verified" if line.verified is not None else "local" if line.local is not None else "claimed",
    }


def run_scores(record: RunRecord) -> None:
    """Draw bars of one metric by kind of group, and all scores as a table."""
    metrics = list(dict.fromkeys([record.primary.metric, *(score.metric for score in record.scores)]))
    metric = str(st.selectbox("Metric", metrics, **state.bound("metric")))
    known = record.protocol.metrics.get(metric)
    unit = theme.plain(f"{known.title} [{known.unit}]" if known else metric, 50)
    kept, _ = listed_groups(score.group for score in record.scores)
    families: dict[str, list[Score]] = {}
    for score in record.scores:
        if score.metric == metric and score.group != "all" and score.group in kept:
            families.setdefault(_family(score.group), []).append(score)
    color = theme.origin_color(record.dataset.origin)
    for number, (family, scores) in enumerate(families.items()):
        if len(scores) < 2:
            continue
        st.text(family)
        names = [score.group.partition("=")[2] or score.group.removeprefix("motion_") for score in scores]
        lows, highs = [score.ci_low for score in scores], [score.ci_high for score in scores]
        values = [score.value for score in scores]
        charts.bars(names, values, lows, highs, unit, color, f"bars-{number}", "Scores by group, as in the table below")
    with st.expander("All scores as a table"):
        cells = [
            {"metric": theme.cell(s.metric), "group": theme.cell(s.group), "value": s.value, "95 % from": s.ci_low,
             "to": s.ci_high, "pairs": s.pairs, "units": s.units}
            for s in record.scores
        ]  # fmt: skip
        number_format = {name: st.column_config.NumberColumn(format="%.4f") for name in ("value", "95 % from", "to")}
        st.dataframe(cells, hide_index=True, width="stretch", column_config=number_format)


def _family(group: str) -> str:
    if "=" in group:
        return f"By {theme.plain(group.partition('=')[0], 40)}"
    return next((title for prefix, title in _FAMILIES.items() if group.startswith(prefix)), "By region")


def run_names(rows: Sequence[Row]) -> dict[str, Row]:
    """Name the runs of a method, newest first."""
    newest_first = sorted(rows, key=lambda row: row.started, reverse=True)
    named = naming.numbered(
        (theme.plain(f"{row.board.protocol} {row.board.variant} · {row.board.dataset}", 70), row)
        for row in newest_first
    )
    return {f"{name} · {row.started[:19]}": row for name, row in named.items()}
