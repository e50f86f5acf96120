"""Page 1: for a protocol and dataset, the methods in order."""

from __future__ import annotations

from typing import Any

import streamlit as st

from ffbench.results.leaderboard import BoardTable, Line, leaderboard

from .. import records, theme


def render() -> None:
    """Draw the page."""
    st.title("Facial optical flow")
    found = records.load()
    theme.problems(found.problems)
    boards = leaderboard(found.rows)
    if not boards:
        theme.empty("No records here yet. Make one:", "ffbench eval --method dis --protocol clip_landmarks")
    for table in boards:
        _draw(table)


def _draw(table: BoardTable) -> None:
    better = "higher" if table.higher_is_better else "lower"
    st.text(table.board.title)
    if table.board.origin == "synthetic":
        theme.synthetic_note()
    st.text(f"{table.metric_title} [{table.unit}], {better} is better")
    st.dataframe([_cells(line) for line in table.lines], hide_index=True, width="stretch")


def _cells(line: Line) -> dict[str, Any]:
    return {"rank": line.rank, "method": line.title, "verified": line.verified}
