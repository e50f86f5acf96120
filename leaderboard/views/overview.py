"""Page 1: what facial flow is, who is ahead, and where to look closer."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from functools import cache

import streamlit as st

from ffbench.io.escape import html
from ffbench.results.record.row import Board, Row

from .. import about, picker, state
from ..boards import method_naming, records
from ..boards.board_naming import board_names, protocol_title
from ..boards.standings import MethodStandings, Section, main_boards, sections, standings
from ..look import theme
from ..tables.overview_table import heat_table

_ALT = "A rendered face from neutral to surprise, and its facial, head and expression flow in colors"
_RIVALS = 3
"""Methods that are named beside the first."""
_FEW = 12
"""Methods of a table that is not opened yet."""


def render() -> None:
    """Draw the page."""
    st.title("How well do methods see a face move?")
    _what()
    found = records.load()
    theme.problems(found.problems)
    boards = main_boards(found.rows)
    if boards:
        _results(found.rows, boards)
    else:
        st.header("Who is ahead")
        theme.empty(
            "No records to rank here yet. Make one, and this page shows it:",
            "ffbench eval --method dis --protocol clip_landmarks",
        )
    _around()


def _what() -> None:
    left, right = st.columns([3, 2], gap="large", vertical_alignment="center")
    left.markdown(
        "**Facial flow** says, for every pixel of a face in one image, where it is in the next.\n\n"
        "**Head flow** is the part that comes from the head moving as a rigid body.\n\n"
        "**Expression flow** is the rest: what the face itself does, a smile, a blink, a word.\n\n"
        "ffbench measures how exactly a method sees each of them, and how certain that number is."
    )
    with left.container(horizontal=True):
        state.page_link("board", "Leaderboard", {}, ":material/leaderboard:")
        state.page_link("compare", "Compare methods", {}, ":material/compare_arrows:")
        state.page_link("explorer", "Look at a pair", {}, ":material/face:")
        state.page_link("submit", "Submit yours", {}, ":material/upload_file:")
    right.html(
        '<figure style="margin:0">'
        f'<img class="ff-picture ff-moving" src="{_example()}" alt="{_ALT}">'
        f'<img class="ff-picture ff-still" src="{_still()}" alt="{_ALT}">'
        '<figcaption style="font-size:0.85rem">A face that ffbench rendered, and the exact flow since the first frame. '
        "The hue is the direction, the depth of color the length.</figcaption></figure>"
    )


@cache
def _example() -> str:
    return "data:image/webp;base64," + base64.b64encode(about.example()).decode()


@cache
def _still() -> str:
    return "data:image/png;base64," + base64.b64encode(about.example_still()).decode()


def _results(rows: Sequence[Row], boards: Sequence[Board]) -> None:
    st.header("Who is ahead")
    usable = [row for row in rows if not row.not_rankable]
    every = list(dict.fromkeys(row.board for row in usable))
    labels = {method_naming.method_key(several[0]): label for label, several in records.by_method().items()}
    newest = max(row.started for row in usable)[:10]
    st.text(
        f"{len(labels)} methods, {len({board.protocol for board in every})} protocols, {len(usable)} records. "
        f"Last result: {newest}."
    )
    st.caption(
        "In each cell: position by value, and in brackets the 95 % rank set, all ranks that the data do not rule out. "
        "The deeper the color, the nearer to the first."
    )
    for section in sections(boards):
        _section(section, every, usable, labels)
    with st.expander("How to read the tables"):
        st.markdown(
            "- A column is one protocol, with the variant and dataset that most methods were run on; its heading opens "
            "that board, and a method's name its page.\n"
            "- **Mean position** (Borda): the mean of a method's positions. It is a rough guide: it weighs all "
            "protocols alike, some share data, it changes when other methods come or go, and it hides how far apart "
            "two methods are. A method that is missing on a board has the mean of the others, and stands below those "
            "that are on all.\n"
            "- Positions of real, reanimated and synthetic data are never put together."
        )
        for name, board in board_names(boards).items():
            st.text(f"{protocol_title(board.protocol)}: {name}, {board.origin} data, reference: {board.reference}")


def _section(section: Section, every: Sequence[Board], rows: Sequence[Row], labels: Mapping[str, str]) -> None:
    st.header(about.ROBUSTNESS if section.robustness else about.HEADINGS[section.origin])
    if section.origin == "synthetic":
        theme.synthetic_note()
    tables = [records.ranked(picker.rows_of(rows, board)) for board in section.boards]
    methods = standings(tables, rows)
    if section.robustness:
        st.markdown(about.ROBUSTNESS_NOTE)
    else:
        st.html(f"<p>{_leader(methods)}</p>")
    shown = methods
    if len(methods) > _FEW:
        key = f"all-{section.origin}{'-robustness' * section.robustness}"
        shown = methods if st.toggle(f"All {len(methods)} methods", key=key) else methods[:_FEW]
    st.html(heat_table(shown, section.boards, every, dict(labels)))


def _leader(methods: Sequence[MethodStandings]) -> str:
    """Say in a sentence or two who is ahead, as HTML."""
    names = {method.row.path: html(theme.plain(method.title, 60)) for method in methods}
    first, *others = methods
    if not others:
        return f"Only <b>{names[first.row.path]}</b> has been run."
    boards = len(first.on)
    leads = {method.row.path: sum(s.line.rank_best == 1 for s in method.on.values()) for method in methods}
    rivals = sorted((m.row.path for m in others if leads[m.row.path]), key=lambda path: -leads[path])[:_RIVALS]
    if boards == 1:
        if not rivals:
            return f"<b>{names[first.row.path]}</b> is the best."
        others_too = " or ".join(names[path] for path in rivals)
        return (
            f"<b>{names[first.row.path]}</b> has the best value; the data do not rule out that {others_too} is as good "
            "or better."
        )
    also = ", ".join(f"{names[path]} on {leads[path]}" for path in rivals)
    return (
        f"<b>{names[first.row.path]}</b> has the best mean position, {first.mean:.1f}. By the rank sets it may be the "
        f"best method on {leads[first.row.path]} of {boards} protocols{f'; {also}' if also else ''}."
    )


def _around() -> None:
    st.header("Look closer")
    links = about.project_links()
    listed = "".join(f"- [{name}]({address})\n" for name, address in links.items() if name.isalpha())
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown(
            f"{listed}- Paper: [FacialFlowNet, ACM MM 2024]({about.PAPER})\n"
            "- Documentation: `make docs` in a checkout writes it to `site/`; `docs/protocols` says how each protocol "
            "measures\n"
            "- Code: methods, protocols and this page are parts of ffbench, under Apache-2.0"
        )
        with st.expander("How to cite"):
            st.code(about.BIBTEX, language=None, wrap_lines=True)
        for question, answer in about.QUESTIONS:
            with st.expander(question):
                st.markdown(answer)
    with right:
        entries = about.news()
        if entries:
            st.markdown("**News**")
            st.markdown("\n".join(f"- {entry}" for entry in entries))
    st.header("Datasets")
    columns = st.columns(2, gap="large")
    for number, note in enumerate(about.dataset_notes()):
        columns[number % 2].markdown(f"**{note.title}**: {note.text}")
