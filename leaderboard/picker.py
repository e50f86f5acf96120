"""Choosing a board: the origin of the data first, then protocol and dataset."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from ffbench.results.record.row import ORIGINS, Board, Row

from . import state
from .boards import records
from .boards.board_naming import board_names, find
from .boards.standings import main_boards
from .look import theme


def pick(rows: Sequence[Row]) -> tuple[Board, dict[str, str]] | None:
    """Let the reader choose a board.

    Returns:
        The board, and the query parameters that bring it back; None, and words on the page, when there is none.
    """
    boards = list(dict.fromkeys(row.board for row in rows if not row.not_rankable))
    if not boards:
        theme.empty(
            "No records to rank here yet. Make one, and this page shows it:",
            "ffbench eval --method dis --protocol clip_landmarks",
        )
        return None
    origins = [origin for origin in ORIGINS if any(board.origin == origin for board in boards)]
    main = main_boards(rows)
    _follow_address(boards, origins)
    left, right = st.columns([2, 5])
    with left:
        origin = st.segmented_control("Data", origins, required=True, **state.bound("data"))
    names = board_names([board for board in boards if board.origin == origin])
    first = next((number for number, board in enumerate(names.values()) if board in main), 0)
    name = right.selectbox("Protocol and dataset", list(names), index=first, **state.bound("board"))
    # A value of an earlier choice may still stand in the session for one run.
    board = names.get(str(name)) or next(iter(names.values()), boards[0])
    theme.board_badges(board)
    return board, {"data": str(origin), "board": str(name)}


def _follow_address(boards: Sequence[Board], origins: Sequence[str]) -> None:
    """Choose what a partial or an earlier address means; one that says it exactly needs no help."""
    asked = [st.query_params.get(name, "") for name in ("board", "data", "task")]
    if "board" not in st.session_state and (asked[0] or asked[2]):
        board = find(boards, *asked)
        if board is not None:
            st.session_state["data"] = board.origin
            named = board_names([other for other in boards if other.origin == board.origin])
            st.session_state["board"] = next(name for name, other in named.items() if other == board)
    if "data" not in st.session_state and asked[1] not in origins:
        meant = find(boards, origin=asked[1])
        st.session_state["data"] = meant.origin if meant is not None else origins[0]


def open_board(title: str) -> tuple[list[Row], Board, dict[str, str]] | None:
    """Begin a page about one board: its title, the records that cannot be read, and the reader's choice.

    Returns:
        The rows that may stand on the board, the board, and the query parameters that bring it back; None, and words
        on the page, when there is none.
    """
    st.title(title)
    found = records.load()
    theme.problems(found.problems)
    picked = pick(found.rows)
    if picked is None:
        return None
    board, parameters = picked
    return rows_of(found.rows, board), board, parameters


def rows_of(rows: Sequence[Row], board: Board) -> list[Row]:
    """Return the rows that may stand on a board."""
    return [row for row in rows if row.board == board and not row.not_rankable]
