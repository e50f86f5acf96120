"""Page 6: predictions of the visitor's own, checked and scored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from ffbench.paths import data_dir
from ffbench.protocol import Protocol
from ffbench.registry import protocol_names
from ffbench.results.numbers import format_value
from ffbench.results.record.row import Board, Row
from ffbench.results.record.run_record import RunRecord
from ffbench.submissions.manifest import file_stem
from ffbench.submissions.submit import Submitter

from .. import about, opened, picker, state
from ..boards import records
from ..boards.board_naming import board_names, needs_data
from ..boards.placing import Stand, board_of, meant_protocol, ordinal, stand
from ..look import theme
from ..work import scoring
from ..work.bounded import Progress
from ..work.tickets import Tickets

_FIRST_PROTOCOL = "ffn_motion_scale"
_SEEN = "_submission"
_TICKET = "submission"
_HINT = "hint: "
_LONGEST_LINE = 300


def render() -> None:
    """Draw the page."""
    st.title("Submit")
    st.caption(
        "Flows that your own program made: they are checked file by file, scored as `ffbench eval` scores a method, "
        "and given back as a record. Nothing of yours is run or unpacked; only the result is held in memory, for an "
        "hour."
    )
    _links()
    names = [name for name in protocol_names() if data_dir() or not needs_data(name)]
    first = names.index(_FIRST_PROTOCOL) if _FIRST_PROTOCOL in names else 0
    name = str(st.selectbox("Protocol", names, index=first, **state.bound("protocol")))
    protocol = opened.protocol(name)
    _wanted(name, protocol)
    rows = records.load().rows
    board = board_of(rows, protocol)
    _say_board(board, rows)
    kinds = sorted({suffix.rpartition(".")[2] for suffix in scoring.ARCHIVES})
    upload = st.file_uploader(
        "Archive of flow files, or a bundle", type=kinds, max_upload_size=scoring.MAX_MEGABYTES, key="archive"
    )
    if upload is None:
        if not _from_address(name, board, rows):
            st.info(f"Choose an archive: {', '.join(scoring.ARCHIVES)}.", icon=":material/info:")
        return
    if st.button("Check the files", icon=":material/fact_check:", type="primary"):
        _keep(upload, name, _read(upload, name, None))
    seen = _kept(upload, name)
    if seen is None:
        return
    if seen.report:
        _report(seen, name, rows)
    if not seen.sound:
        return
    submitter = _submitter(protocol)
    if submitter is not None:
        seen = _keep(upload, name, _read(upload, name, submitter))
    if seen.record is not None:
        _scored(seen.record, seen.package, board, rows)


def _links() -> None:
    """Lead to the repository, where records are sent, and to what is said of submissions."""
    links = about.project_links()
    with st.container(horizontal=True):
        if "Repository" in links:
            st.link_button("Repository", links["Repository"], icon=":material/code:")
        state.page_link("board", "Leaderboard", {}, ":material/leaderboard:")


def _say_board(board: Board | None, rows: Sequence[Row]) -> None:
    """Say on which board the record would stand, and who leads it."""
    if board is None:
        st.text("Board: a new one; nobody stands on it yet.")
        return
    known = dict.fromkeys(row.board for row in rows if not row.not_rankable and row.board.origin == board.origin)
    name = next(name for name, other in board_names(list(known)).items() if other == board)
    table = records.ordered(picker.rows_of(rows, board))
    ranked = [line for line in table.lines if line.measured is not None]
    first = (
        f"; first is {ranked[0].title} with {format_value(ranked[0].measured or 0.0)} {table.unit}" if ranked else ""
    )
    st.text(theme.plain(f"Board: {name}, {len(ranked)} methods{first}", 300))
    state.page_link("board", "See this board", {"data": board.origin, "board": name}, ":material/leaderboard:")


def _from_address(name: str, board: Board | None, rows: Sequence[Row]) -> bool:
    """Show again what came of an upload before the page was loaded anew; tell whether there was any."""
    found = _tickets().find(st.query_params.get(_TICKET, ""))
    if found is None or found[0] != name:
        return False
    outcome = found[1]
    st.caption("From before this page was loaded again. To score or check other files, choose the archive again.")
    if outcome.report:
        _report(outcome, name, rows)
    if outcome.record is not None:
        _scored(outcome.record, outcome.package, board, rows)
    return True


@st.cache_resource(show_spinner=False)
def _tickets() -> Tickets[tuple[str, scoring.Outcome]]:
    return Tickets()


def _wanted(name: str, protocol: Protocol[Any]) -> None:
    """Say which files a submission holds."""
    theme.origin_badge(protocol.dataset.origin)
    if protocol.dataset.origin == "synthetic":
        theme.synthetic_note()
    keys = list(protocol.keys())
    card = protocol.card
    st.text(theme.plain(f"{card.title}, version {card.version}, on {protocol.dataset.name}: {len(keys)} pairs", 300))
    with st.expander("Which files are wanted"):
        kinds = ["facial/: the flow from image 1 to image 2, every pair", "head/: its rigid part, every pair or none"]
        if protocol.needs_backward:
            kinds.append("backward/: the flow from image 2 to image 1, every pair or none")
        st.text("\n".join(kinds))
        st.text("\n".join([*(f"{file_stem('facial', key)}.flo" for key in keys[:3]), "..."]))
        st.caption("The images, and names and sizes of all files:")
        st.code(f"ffbench export -p {name} --out images\nffbench protocols show {name} --manifest", language=None)


def _read(upload: UploadedFile, protocol: str, submitter: Submitter | None) -> scoring.Outcome:
    """Have an upload read by a process of its own, and show how far that is."""
    shown = st.empty()

    def wait(ahead: int) -> None:
        theme.queue(shown, ahead, scoring.LIMITS.seconds)

    def tell(progress: Progress | None) -> None:
        if progress is None:
            shown.progress(0.0, "Starting")
        else:
            shown.progress(min(1.0, progress.done / max(1, progress.total)), progress.title.capitalize())

    try:
        return scoring.read_upload(upload.name, upload.getbuffer(), protocol, submitter, wait, tell)
    finally:
        shown.empty()


def _keep(upload: UploadedFile, protocol: str, outcome: scoring.Outcome) -> scoring.Outcome:
    st.session_state[_SEEN] = (upload.file_id, protocol, outcome)
    # A reload ends the session; the address brings the result back, on this server and for an hour.
    st.query_params[_TICKET] = _tickets().keep((protocol, outcome))
    return outcome


def _kept(upload: UploadedFile, protocol: str) -> scoring.Outcome | None:
    """Return what came of this upload under this protocol, if it was read."""
    file_id, name, outcome = st.session_state.get(_SEEN, (None, None, None))
    return outcome if (file_id, name) == (upload.file_id, protocol) else None


def _report(seen: scoring.Outcome, name: str, rows: Sequence[Row]) -> None:
    st.header("Files")
    if seen.sound:
        st.badge("all files are sound", icon=":material/check:", color="green")
    else:
        st.badge("not a valid submission: fix these and upload it again", icon=":material/error:", color="red")
    # What to do comes first.
    for hint in [line.removeprefix(_HINT) for line in seen.report if line.startswith(_HINT)]:
        _hint(hint)
    meant = meant_protocol(seen.extra, rows)
    if meant not in (None, name):
        _hint(f"these are files of the protocol {meant}: choose it above")
    report = [line for line in seen.report if not line.startswith(_HINT)]
    lines = [f"{'  ' * line.startswith(' ')}{theme.plain(line, _LONGEST_LINE)}" for line in report]
    st.code("\n".join(lines), language=None)


def _hint(words: str) -> None:
    """Say what to do about the files. It names files of a stranger's, so it is text."""
    with st.container(border=True, horizontal=True):
        st.badge("hint", icon=":material/lightbulb:", color="blue")
        st.text(theme.plain(words, _LONGEST_LINE))


def _submitter(protocol: Protocol[Any]) -> Submitter | None:
    """Ask who submits; None until that is sent."""
    st.header("Score")
    metric = protocol.card.metrics[protocol.card.primary]
    with st.form("submitter"):
        name = st.text_input("Name of the method", max_chars=100)
        left, right = st.columns(2)
        paper = left.text_input("Paper", placeholder="citation or address", max_chars=500)
        code = right.text_input("Code", placeholder="address", max_chars=500)
        contact = left.text_input("Contact", placeholder="goes into the record, which is public", max_chars=200)
        claimed = right.number_input(
            f"Your own number [{theme.word(metric.unit)}]", value=None, help="Shown beside the one scored here."
        )
        sent = st.form_submit_button("Score", icon=":material/calculate:", type="primary")
    if not sent:
        return None
    if not name.strip():
        theme.fault("the method needs a name")
        return None
    return Submitter(name.strip(), paper.strip() or None, code.strip() or None, contact.strip() or None, claimed)


def _scored(record: RunRecord, package: bytes | None, board: Board | None, rows: Sequence[Row]) -> None:
    st.header("Record")
    primary = record.primary
    if not record.not_rankable:
        place = Stand(1, 1, None, None)
        if board is not None:
            place = stand(records.ordered(picker.rows_of(rows, board)), primary.value)
        st.subheader(f"Would be {ordinal(place.position)} of {place.of}")
        beside = [("behind", place.above), ("ahead of", place.below)]
        words = ", ".join(f"{where} {title}" for where, title in beside if title is not None)
        st.text(theme.plain(words or "the first on its board", 200))
    st.text(theme.plain(f"{record.method.title} on {record.protocol.title}, {record.dataset.name}", 300))
    with st.container(horizontal=True):
        st.metric(theme.word(f"{primary.metric}, {primary.unit}"), format_value(primary.value), border=True)
        if primary.ci_low is not None and primary.ci_high is not None:
            st.metric("95 % interval", f"{primary.ci_low:.3g} to {primary.ci_high:.3g}", border=True)
        if record.submission is not None and record.submission.claimed is not None:
            st.metric("your own number", format_value(record.submission.claimed), border=True)
        st.metric("pairs", f"{record.pairs:,}", border=True)
    scores = [
        {"metric": theme.cell(score.metric), "group": theme.cell(score.group), "value": score.value}
        for score in record.scores
    ]
    number = st.column_config.NumberColumn(format="%.4g")
    with st.expander("All scores"):
        st.dataframe(scores, hide_index=True, placeholder="–", width="stretch", column_config={"value": number})
    for reason in record.not_rankable:
        st.badge(f"not for ranking: {reason}", icon=":material/block:", color="red")
    content = record.model_dump_json(indent=1).encode() + b"\n"
    with st.container(horizontal=True):
        st.download_button("Record (JSON)", content, "record.json", "application/json", icon=":material/download:")
        if package is not None:
            st.download_button(
                "Record and pair scores, for the repository", package, _PACKAGE, "application/zip", type="primary",
                icon=":material/folder_zip:",
            )  # fmt: skip
    if package is not None:
        st.markdown(
            "To stand on the leaderboard, send it as a pull request, and say there where the predictions or the "
            "weights can be had. It is shown as **claimed** until a maintainer has scored it again."
        )
        branch = f"submit-{record.method.id}"
        commands = [
            "# in a checkout of the repository",
            f"git switch -c {branch}",
            f"unzip {_PACKAGE}",
            "ffbench verify submissions --no-rescore",
            f'git add submissions && git commit -m "Record: {record.method.id} on {record.protocol.id}"',
            f"git push -u origin {branch}",
        ]
        st.code("\n".join(commands), language=None)


_PACKAGE = "ffbench-record.zip"
