"""Choosing a board: the origin of the data first, then the kind of task, then protocol and dataset."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

import streamlit as st

from ffbench.results.ranking.titles import disambiguate_titles
from ffbench.results.record.row import ORIGINS, Board, Row

from . import records, state, theme

TASKS = {
    "ffn_motion_scale": "Flow",
    "ffn_head": "Decomposition",
    "ffn_expression": "Decomposition",
    "ck_landmarks": "Real-face protocols",
    "clip_landmarks": "Real-face protocols",
    "reanimated_faces": "Decomposition",
    "mead_vertices": "Real-face protocols",
    "ck_vertices": "Real-face protocols",
    "casme2_5": "Recognition",
    "casme2_3": "Recognition",
    "megc_casme2": "Recognition",
}
"""Kind of task by protocol; protocols of other packages are `OTHER`."""
OTHER = "Other"
_ORDER = ("Flow", "Decomposition", "Real-face protocols", "Recognition", OTHER)


def board_names(boards: Sequence[Board]) -> dict[str, Board]:
    """Name each board in a short line; boards that would share a name get the start of their dataset's hash."""
    named: dict[str, Board] = {}
    for board in sorted(boards, key=lambda board: (board.title, board.manifest_sha256)):
        options = ", ".join(f"{key} {value}" for key, value in json.loads(board.options).items())
        name = theme.plain(f"{board.protocol} {board.version} {board.variant} · {board.dataset}", 100)
        if name in named:
            name = f"{name} · {theme.plain(options, 60)}" if options else name
        if name in named:
            name = f"{name} · {board.manifest_sha256[:8]}"
        named[name if name not in named else f"{name} ({len(named)})"] = board
    return named


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
    left, middle, right = st.columns([1, 2, 3], vertical_alignment="bottom")
    origins = [origin for origin in ORIGINS if any(board.origin == origin for board in boards)]
    origin = left.selectbox("Data", origins, format_func=_data_words, **state.bound("data"))
    boards = [board for board in boards if board.origin == origin]
    tasks = [task for task in _ORDER if any(_task(board) == task for board in boards)]
    task = middle.selectbox("Task", tasks, **state.bound("task"))
    names = board_names([board for board in boards if _task(board) == task])
    name = right.selectbox("Protocol and dataset", list(names), **state.bound("board"))
    # A value of an earlier choice may still stand in the session for one run.
    board = names.get(str(name)) or next(iter(names.values()), boards[0])
    theme.board_badges(board)
    return board, {"data": _data_words(str(origin)), "task": str(task), "board": str(name)}


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
    """Give the rows that may stand on a board."""
    return [row for row in rows if row.board == board and not row.not_rankable]


def method_labels(rows: Sequence[Row]) -> dict[str, Row]:
    """Name the rows of one board so that no two share a name: title, id, and a number where that is not enough."""
    names = disambiguate_titles(rows)
    return numbered(
        (theme.plain(row.title if row.title == row.method else f"{names[row.path]} ({row.method})", 90), row)
        for row in rows
    )


def numbered(named: Iterable[tuple[str, Row]]) -> dict[str, Row]:
    """Give rows by name; names that come again get a number."""
    found: dict[str, Row] = {}
    for base, row in named:
        name, number = base, 2
        while name in found:
            name, number = f"{base} #{number}", number + 1
        found[name] = row
    return found


def _task(board: Board) -> str:
    return TASKS.get(board.protocol, OTHER)


def _data_words(origin: str) -> str:
    return {"real": "real", "synthetic": "synthetic (mini)"}.get(origin, origin)
