"""Page 2: for a protocol and dataset, the methods in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from ffbench.metrics.statistics.intervals import MIN_UNITS
from ffbench.results.record.row import Board, Row
from ffbench.results.report.leaderboard import BoardLine, BoardTable
from ffbench.results.report.leaderboard_formats import TIED, format_boards

from .. import picker, state
from ..boards import method_naming, records
from ..boards.method_facts import KINDS, SIZES, facts_of
from ..charts import interval_bars
from ..look import theme
from ..tables import board_table
from ..tables.board_table import LEVELS, ORDERS, Wanted
from ..thumbnails.reading import address, part_of_board, strip

_LEFT_OUT = 5
"""Records that are not ranked and are named."""
_LOW, _HIGH = 35, 52
"""Px of a row of the table, without and with pictures."""
_FILTERS = ("search", "numbers", "order", "kind", "trained", "size", "weights", "columns")


def render() -> None:
    """Draw the page."""
    opened = picker.open_board("Leaderboard")
    if opened is None:
        return
    rows, board, parameters = opened
    asked = any(name in st.query_params for name in _FILTERS)
    filters = st.expander("Search, filters, order, columns", icon=":material/tune:", expanded=asked)
    with filters:
        wanted = _ask(rows)
    if not records.ranks_are_known(rows):
        # Rank sets need every table of pair scores: the order is shown until they are there.
        early = st.empty()
        with early.container():
            _draw(records.ordered(rows), rows, wanted, None)
        records.ranked(rows)
        early.empty()
    table = records.ranked(rows)
    visible = _draw(table, rows, wanted, filters)
    _not_ranked(board)
    _below(table, visible, {**parameters, "search": wanted.search, "order": wanted.order})


def _ask(rows: Sequence[Row]) -> Wanted:
    """Ask which methods the reader wants."""
    facts = [facts_of(row) for row in rows]
    first, second, third = st.columns([3, 3, 2], vertical_alignment="bottom")
    search = first.text_input("Search methods", placeholder="name or id", **state.bound("search"))
    levels = second.multiselect("Numbers", LEVELS, default=LEVELS, **state.bound("numbers"))
    order = third.selectbox("Order", list(ORDERS), **state.bound("order"))
    first, second, third, fourth = st.columns([2, 3, 2, 2], vertical_alignment="bottom")
    kinds = first.multiselect("Kind", [kind for kind in KINDS if any(f.kind == kind for f in facts)],
                              placeholder="any", **state.bound("kind"))  # fmt: skip
    training = second.multiselect("Trained on", sorted({f.training for f in facts}, key=str.casefold),
                                  placeholder="anything", **state.bound("trained"))  # fmt: skip
    sizes = third.multiselect("Parameters", [size for size in SIZES if any(f.size == size for f in facts)],
                              placeholder="any", **state.bound("size"))  # fmt: skip
    available = fourth.toggle("Weights can be had", **state.bound("weights"))
    return Wanted(str(search), tuple(levels), tuple(kinds), tuple(training), tuple(sizes), bool(available), str(order))


def _not_ranked(board: Board) -> None:
    """Name the records of a board that may not stand on it, and why."""
    left_out = [row for row in records.load().rows if row.board == board and row.not_rankable]
    for row in left_out[:_LEFT_OUT]:
        st.text(theme.plain(f"Not ranked: {row.title} ({row.method}), {', '.join(row.not_rankable)}", 200))
    if len(left_out) > _LEFT_OUT:
        st.caption(f"Not ranked: {len(left_out) - _LEFT_OUT} more records")


def _draw(table: BoardTable, rows: Sequence[Row], wanted: Wanted, filters: object) -> list[BoardLine]:
    """Draw table and chart; without the place of the filters, the early table whose ranks are not known yet."""
    by_path = {row.path: row for row in rows}
    lines = board_table.wanted_lines(table, by_path, wanted)
    better = "higher" if table.higher_is_better else "lower"
    st.text(f"{theme.plain(table.metric_title)} [{theme.plain(table.unit)}], {better} is better")
    if not lines:
        theme.empty("No method fits the search and the filters.")
        return lines
    if filters is None:
        st.caption("Order by value; rank sets are being worked out …")
    part = part_of_board(table.board)
    pictures = {path: address(file) for path, row in by_path.items() if (file := strip(row, part)) is not None}
    cells = board_table.cells(table, lines, by_path, _addresses(lines, rows), pictures)
    high = _HIGH if any(cell.get(board_table.PICTURES) for cell in cells) else _LOW
    columns = None if filters is None else _columns(list(cells[0]), filters)
    st.dataframe(
        board_table.styled(table, cells, [theme.cell(line.title) for line in lines]),
        hide_index=True,
        placeholder="–",
        width="stretch",
        height=38 + high * min(len(lines), 25),
        row_height=high,
        column_config=board_table.settings(table),
        column_order=columns or board_table.default_columns(list(cells[0])),
        key=f"table-{filters is not None}",
        **theme.spoken(st.dataframe, "Methods of this board in order, with their scores"),
    )
    st.header("How certain the scores are")
    interval_bars.intervals(table, lines)
    return lines


def _columns(names: Sequence[str], filters: object) -> list[str]:
    with filters:  # type: ignore[attr-defined]
        return list(
            st.multiselect("Columns", names, default=board_table.default_columns(names), **state.bound("columns"))
        )


def _addresses(lines: Sequence[BoardLine], rows: Sequence[Row]) -> list[str]:
    """Return the address of the page of each line's method; of a number that is only printed, the paper's tables."""
    labels = {method_naming.method_key(several[0]): label for label, several in records.by_method().items()}
    by_path = {row.path: method_naming.method_key(row) for row in rows}
    found: list[str] = []
    for number, line in enumerate(lines):
        label = labels.get(by_path.get(line.record, ""))
        address = (
            state.page_address("paper", {"of": theme.plain(line.title)})
            if label is None
            else state.page_address("method", {"method": label})
        )
        found.append(address if address not in found else f"{address}#{number}")
    return found


def _below(table: BoardTable, lines: Sequence[BoardLine], parameters: Mapping[str, str]) -> None:
    """Downloads, links, and what the columns mean."""
    part = BoardTable(**{**vars(table), "lines": tuple(lines)})
    with st.container(horizontal=True, vertical_alignment="center"):
        theme.downloads(lambda file_format: format_boards([part], file_format), table.board.protocol)
        state.show_link(parameters)
        board = {name: parameters[name] for name in ("data", "board")}
        state.page_link("compare", "Compare two methods", board, ":material/compare_arrows:")
        state.page_link("cost", "Accuracy against cost", board, ":material/speed:")
    with st.expander("What the columns mean"):
        st.markdown(
            f"- **rank**: position by value. {TIED}: the data cannot tell the method from the one above it in that "
            "order.\n"
            "- **95 % ranks**: all ranks that the data do not rule out, by the method's paired comparisons with every "
            "other one together. **Compare** says the same of two methods, and what their comparison alone would say.\n"
            "- **verified**: scored again by those who keep the store. **local**: a run on this machine, in no store. "
            "**claimed**: the submitter's own number. **reported**: printed in the paper of the protocol; it stands "
            "below and has no rank.\n"
            "- **95 %**: confidence interval over what is independent: subjects, sequences, blocks of time. Fewer than "
            f"{MIN_UNITS} have none."
        )
        st.text(theme.plain(table.board.title, 400))
