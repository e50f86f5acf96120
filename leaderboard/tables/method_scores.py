"""All scores of a method: one row a board, with its position there; and the scores of one run by group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import streamlit as st

from ffbench.protocol import Score
from ffbench.results.groups import listed_groups, natural_key
from ffbench.results.numbers import format_value
from ffbench.results.record.row import ORIGINS, Board, Row
from ffbench.results.record.run_record import RunRecord
from ffbench.results.report.leaderboard import BoardTable
from ffbench.results.report.leaderboard_formats import ranks_cell

from .. import picker, state
from ..boards import method_naming, records
from ..boards.board_naming import board_names, in_reading_order
from ..boards.standings import Standing
from ..charts import value_charts
from ..look import theme
from ..look.html_tables import heat, link, table, text

_BY_MAGNITUDE = "By magnitude of motion"
_FAMILIES = {"motion_": _BY_MAGNITUDE}
_FEW = 400
"""Records whose rank sets are worked out for this page, 2 to 3 s; of more, those that are known are shown."""


def all_scores(rows: Sequence[Row], every: Sequence[Row]) -> None:
    """Draw a table for each origin of data: the method's latest number on each board, and where it stands there.

    Args:
        rows: of the method.
        every: of all methods.
    """
    boards = in_reading_order(list(dict.fromkeys(row.board for row in rows if not row.not_rankable)))
    if not boards:
        theme.empty("This method stands on no board.")
    entries = Counter(row.board for row in every if not row.not_rankable)
    known, few = list(entries), sum(entries[board] for board in boards) <= _FEW
    for origin in ORIGINS:
        here = [board for board in boards if board.origin == origin]
        if not here:
            continue
        theme.origin_badge(origin)
        names = {board: name for name, board in board_names([b for b in known if b.origin == origin]).items()}
        found = [_cells(board, rows, every, names[board], few=few) for board in here]
        heads = ("protocol and dataset", "rank", "score", "metric", "95 % interval", "95 % ranks", "pairs", "number")
        st.html(table(f"Scores of this method on {origin} data", heads, [cells for cells in found if cells]))


def _cells(board: Board, rows: Sequence[Row], every: Sequence[Row], name: str, *, few: bool) -> list[str]:
    on_board = picker.rows_of(every, board)
    ranks = few or records.ranks_are_known(on_board)
    table_of_board: BoardTable = records.ranked(on_board) if ranks else records.ordered(on_board)
    mine = {row.path: row for row in rows}
    line = next((line for line in table_of_board.lines if line.record in mine), None)
    if line is None:
        return []
    row, position = mine[line.record], line.position
    standing = Standing(line, sum(other.position is not None for other in table_of_board.lines))
    value = next(v for v in (line.verified, line.local, line.claimed, row.value) if v is not None)
    between = line.ci_low is not None and line.ci_high is not None
    return [
        link(theme.plain(name, 70), state.page_address("board", {"data": board.origin, "board": name})),
        heat(standing.share, f"<b>{position}</b> of {standing.of}") if position is not None else "–",
        f"<b>{format_value(value)}</b>",
        text(f"{table_of_board.metric_title} [{table_of_board.unit}]", 60),
        f"{format_value(line.ci_low or 0.0)} to {format_value(line.ci_high or 0.0)}" if between else "–",
        ranks_cell(line) if position is not None and ranks else "–",
        str(row.pairs),
        line.level,
    ]


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
    several = {family: scores for family, scores in families.items() if len(scores) > 1}
    columns = st.columns(2) if len(several) > 1 else [st.container()]
    for number, (family, scores) in enumerate(several.items()):
        scores = sorted(scores, key=lambda score: natural_key(score.group))
        names = [score.group.partition("=")[2] or score.group.removeprefix("motion_") for score in scores]
        lows, highs = [score.ci_low for score in scores], [score.ci_high for score in scores]
        values = [score.value for score in scores]
        with columns[number % len(columns)]:
            st.text(family)
            spoken = "Scores by group, as in the table below"
            value_charts.bars(names, values, lows, highs, unit, color, f"bars-{number}", spoken)
    with st.expander("All scores as a table"):
        cells = [
            {"metric": theme.cell(s.metric), "group": theme.cell(s.group), "value": s.value, "95 % from": s.ci_low,
             "to": s.ci_high, "pairs": s.pairs, "units": s.units}
            for s in record.scores
        ]  # fmt: skip
        number_format = {name: st.column_config.NumberColumn(format="%.4f") for name in ("value", "95 % from", "to")}
        st.dataframe(cells, hide_index=True, placeholder="–", width="stretch", column_config=number_format)


def _family(group: str) -> str:
    if "=" in group:
        return f"By {theme.plain(group.partition('=')[0], 40)}"
    if group.endswith((" px", " px+")):  # bins inside pairs, such as `2-5 px`
        return _BY_MAGNITUDE
    return next((title for prefix, title in _FAMILIES.items() if group.startswith(prefix)), "By region")


def run_names(rows: Sequence[Row]) -> dict[str, Row]:
    """Name the runs of a method, newest first."""
    newest_first = sorted(rows, key=lambda row: row.started, reverse=True)
    named = method_naming.numbered(
        (theme.plain(f"{row.board.protocol} {row.board.variant} · {row.board.dataset}", 70), row)
        for row in newest_first
    )
    return {f"{name} · {row.started[:19]}": row for name, row in named.items()}
