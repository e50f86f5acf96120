"""The leaderboard as a page: `make app`, or `streamlit run leaderboard/app.py -- PLACE...`.

PLACE is a store, a folder of runs, or a record, as `ffbench leaderboard` takes them; without one, `submissions` and
`runs` of the current folder.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import streamlit as st

from ffbench.results.leaderboard import BoardTable, Line, leaderboard
from ffbench.results.store import read_rows

_DEFAULT = ("submissions", "runs")


def main(places: list[Path]) -> None:
    """Draw the page. Names come from strangers: they are shown as text and in cells, never as markup."""
    st.set_page_config(page_title="ffbench leaderboard", layout="wide")
    st.title("Facial optical flow")
    problems: list[str] = []
    boards = leaderboard(read_rows(places, problems))
    for problem in problems:
        st.text(f"left out: {problem}")
    if not boards:
        st.info("No records here yet. Make one with: ffbench eval --method dis --protocol clip_landmarks")
    protocols = sorted({table.board.protocol for table in boards})
    chosen = st.multiselect("Protocols", protocols, default=protocols)
    for table in boards:
        if table.board.protocol in chosen:
            _draw(table)


def _draw(table: BoardTable) -> None:
    better = "higher" if table.higher_is_better else "lower"
    st.divider()
    st.text(table.board.title)
    if table.board.origin == "synthetic":
        st.warning("Synthetic data: these numbers say nothing of real faces.")
    st.caption("Methods that the data cannot tell apart share a rank.")
    st.text(f"{table.metric_title} [{table.unit}], {better} is better")
    st.dataframe([_cells(line) for line in table.lines], hide_index=True, width="stretch")


def _cells(line: Line) -> dict[str, Any]:
    return {
        "rank": line.rank,
        "method": line.title,
        "verified": line.verified,
        "95 % from": line.ci_low,
        "to": line.ci_high,
        "claimed": line.claimed,
        "reported": line.reported,
        "note": line.note,
    }


main([Path(place) for place in sys.argv[1:]] or [Path(place) for place in _DEFAULT if Path(place).exists()])
