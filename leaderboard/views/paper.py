"""Page 7: the paper's Tables 2 to 5, with what was measured here beside what is printed there."""

from __future__ import annotations

from typing import Any

import streamlit as st

from ffbench.errors import DataError
from ffbench.results.record.row import Row
from ffbench.results.record.run_record import RunRecord
from ffbench.results.report.leaderboard import rows_for_paper_table
from ffbench.results.report.paper_tables import NUMBERS, ReportedTable, measured_rows, reported_table
from ffbench.results.report.table_text import FORMATS, Block, compose

from .. import state
from ..boards import records
from ..look import theme

_MANY = 1000
"""Records that are read for one table."""


def render() -> None:
    """Draw the page."""
    st.title("The paper's tables")
    st.caption("FacialFlowNet, ACM MM 2024: printed numbers, and what ffbench measured of the same methods.")
    found = records.load()
    theme.problems(found.problems)
    titles = {f"Table {number}: {reported_table(number).title}": number for number in NUMBERS}
    title = str(st.selectbox("Table", list(titles), **state.bound("table")))
    synthetic = st.toggle("Show runs on synthetic mini data too, apart", **state.bound("synthetic"))
    table = reported_table(titles.get(title, NUMBERS[0]))
    measured, left_out = measured_rows(table, _records(table, found.rows))
    blocks = compose(table, measured, synthetic=synthetic)
    for number, block in enumerate(blocks):
        _block(block, number)
    if not any(row.origin == "real" for row in measured):
        theme.empty(
            "Nothing of this table was measured on its real dataset yet: that needs the licensed data.",
            *(f"ffbench eval --method raft --protocol {protocol} --data FOLDER" for protocol in _protocols(table)),
        )
    hidden = sum(row.origin == "synthetic" for row in measured)
    if hidden and not synthetic:
        st.caption(f"{hidden} rows on synthetic data are not shown.")
    if left_out:
        with st.expander(f"{len(left_out)} records cannot stand in this table"):
            st.text("\n".join(theme.plain(line, 300) for line in left_out))
    with st.container(horizontal=True):
        theme.downloads(lambda file_format: FORMATS[file_format](blocks), f"table{table.number}")
        state.show_link({"table": title, "synthetic": "true" if synthetic else ""})


def _protocols(table: ReportedTable) -> list[str]:
    return list(dict.fromkeys(column.protocol for column in table.columns))


def _records(table: ReportedTable, rows: tuple[Row, ...]) -> list[RunRecord]:
    """Read the records that may stand in a table: of each method and board the latest that was scored here."""
    kept = rows_for_paper_table(table, rows)
    found = []
    for row in sorted(kept, key=lambda row: row.started, reverse=True)[:_MANY]:
        try:
            found.append(records.record(row.path))
        except DataError:
            continue  # gone since it was listed
    if len(kept) > _MANY:
        st.caption(f"The newest {_MANY} of {len(kept)} records are looked at.")
    return found


def _block(block: Block, number: int) -> None:
    if block.origin == "synthetic":
        theme.origin_badge(block.origin)
        theme.synthetic_note()
    st.text(theme.plain(block.title, 200))
    cells: list[dict[str, Any]] = []
    for place, line in enumerate(block.lines):
        values = [f"{cell} ★" if (place, column) in block.best else cell for column, cell in enumerate(line.cells)]
        source = {"paper": "reported"}.get(line.kind, line.source)
        row = {"method": theme.cell(line.name), "source": theme.cell(source)}
        cells.append({**row, **dict(zip(block.header, values, strict=True))})
    height = 38 + 35 * min(max(len(cells), 1), 25)
    st.dataframe(cells, hide_index=True, placeholder="–", width="stretch", height=height, key=f"block-{number}")
    if block.best:
        st.caption("★ best printed number of the column. Differences are measured − printed.")
    if block.notes:
        st.text("\n".join(theme.plain(note, 300) for note in block.notes))
