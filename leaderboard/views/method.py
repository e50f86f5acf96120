"""Page 4: a method, all its scores, and where they come from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from ffbench.io import escape
from ffbench.results.record.row import Row
from ffbench.results.record.run_record import RunRecord

from .. import state
from ..boards import method_naming, records
from ..boards.method_facts import facts_of
from ..look import theme
from ..tables import method_scores
from ..thumbnails.reading import NOTE, address, strips

_LARGEST_TABLE = 32 * 2**20


def render() -> None:
    """Draw the page."""
    head = st.container()
    found = records.load()
    theme.problems(found.problems)
    if not found.rows:
        head.title("Method")
        theme.empty("No records here yet. Make one:", "ffbench eval --method dis --protocol clip_landmarks")
        return
    methods = records.by_method()
    label = _choose(methods)
    rows = methods[label]
    # A stranger's name: as HTML it is escaped, as `st.title` it would be Markdown.
    head.html(f"<h1>{escape.html(theme.plain(rows[0].title))}</h1>")
    runs = method_scores.run_names(rows)
    _card(records.record(next(iter(runs.values())).path), rows[0])
    st.header("All scores")
    method_scores.all_scores(rows, found.rows)
    _pictures(rows)
    st.header("One run, closer")
    run = str(st.selectbox("Run, newest first", list(runs), **state.bound("run")))
    row = runs.get(run) or next(iter(runs.values()))
    record = records.record(row.path)
    theme.board_badges(row.board)
    for reason in record.not_rankable:
        st.badge(f"not for ranking: {reason}", icon=":material/block:", color="red")
    method_scores.run_scores(record)
    _provenance(row, record)
    _downloads(row, record)
    state.show_link({"method": label, "run": run})


def _pictures(rows: Sequence[Row]) -> None:
    """Show the method's flows and errors on three fixed pairs, below the images and the true flow."""
    found = strips(rows[0])
    if not found:
        return
    st.header("On three fixed pairs")
    st.caption(NOTE)
    for part, true, own in found:
        above, below = address(true), address(own)
        st.html(
            f'<figure style="margin:0"><figcaption><b>{part} flow</b></figcaption>'
            f'<img class="ff-wide ff-strip" src="{above}" alt="image 1 and true {part} flow of three pairs">'
            f'<img class="ff-wide ff-strip" src="{below}" alt="{part} flow of the method, and its error">'
            "</figure>"
        )


def _choose(methods: dict[str, list[Row]]) -> str:
    labels = sorted(methods, key=str.casefold)
    asked = st.query_params.get("method", "")
    if "method" not in st.session_state and asked not in labels:
        meant = method_naming.find_label(labels, methods, asked)
        if meant is not None:
            st.session_state["method"] = meant
    # The first to be shown is the one that is known best.
    first = max(range(len(labels)), key=lambda number: len({row.board for row in methods[labels[number]]}))
    chosen = str(st.selectbox("Method", labels, index=first, **state.bound("method")))
    return chosen if chosen in methods else labels[first]


def _card(record: RunRecord, row: Row) -> None:
    method, facts = record.method, facts_of(row)
    with st.container(horizontal=True):
        st.badge(facts.kind, icon=":material/category:", color="blue")
        if method.parameters:
            st.badge(f"{method.parameters / 1e6:.3g} M parameters", icon=":material/memory:", color="gray")
        if method.decomposes:
            st.badge("head and expression flow of its own", icon=":material/call_split:", color="violet")
    submission = record.submission
    theme.facts(
        {
            "id": method.id,
            "paper": method.paper,
            "licence": method.licence,
            "trained on": facts.training if facts.kind == "network" else None,
            "weights": method.weights and f"{method.weights.name}, from {method.weights.source}",
            "sent in by": submission.name if submission else None,
            "code": submission.code if submission else None,
        }
    )
    with st.expander("Options"):
        theme.facts(
            {
                "iterations": method.iterations,
                "precision": method.precision,
                "decomposes": "head and expression flow" if method.decomposes else "no, facial flow only",
                **{theme.plain(key, 60): value for key, value in method.options.items()},
            }
        )
    with st.expander("BibTeX"):
        st.code(_bibtex(record), language=None, wrap_lines=True)


def _bibtex(record: RunRecord) -> str:
    """Return an entry for what the card says of its paper; cards hold no more than a line."""
    method = record.method
    key = "".join(mark for mark in theme.plain(method.id, 60) if mark.isalnum() or mark in "-_") or "method"
    lines = [f"  title = {{{escape.latex(theme.plain(method.title))}}}"]
    if method.paper:
        lines.append(f"  note  = {{{escape.latex(theme.plain(method.paper, 400))}}}")
    return f"@misc{{{key},\n" + ",\n".join(lines) + "\n}"


def _no_interval(record: RunRecord) -> str | None:
    reason = record.score(record.primary.metric).no_interval
    return f"none: {reason}" if reason else None


def _provenance(row: Row, record: RunRecord) -> None:
    where, weights, primary = record.environment, record.method.weights, record.primary
    with st.expander("Provenance"):
        theme.facts(
            {
                "number": f"{row.level}; {'run by ffbench' if record.kind == 'evaluated' else 'flows sent in'}",
                "protocol": f"{record.protocol.title}: {row.board.title}",
                "interval": f"{primary.ci_low:.4g} to {primary.ci_high:.4g}"
                if primary.ci_low is not None and primary.ci_high is not None
                else _no_interval(record),
                "reference": record.dataset.reference_note,
                "dataset sha256": record.dataset.manifest_sha256,
                "weights": f"{weights.name}, from {weights.source}" if weights else "none",
                "weights sha256": weights.sha256 if weights else None,
                "predictions sha256": record.submission.sha256 if record.submission else None,
                "started": record.cost.started.isoformat(),
                "speed": f"{record.cost.pairs_per_second:.3g} pairs a second" if record.kind == "evaluated" else None,
                "ffbench": where.ffbench,
                "git commit": where.git_commit or "an installed package, no checkout",
                "device": f"{where.device}; {where.processor}; {where.threads} threads",
                "peak memory": f"{record.cost.peak_memory_mb:,.0f} MB",
                "platform": f"{where.platform}, Python {where.python}",
                "packages": ", ".join(f"{name} {version}" for name, version in where.packages.items()),
                "fingerprint": record.fingerprint,
                "left out": "; ".join(record.dataset.left_out),
                "faults": "; ".join(record.dataset.problems),
            }
        )


def _downloads(row: Row, record: RunRecord) -> None:
    with st.container(horizontal=True):
        content = record.model_dump_json(indent=1).encode() + b"\n"
        st.download_button("Record (JSON)", content, "record.json", "application/json", icon=":material/download:")
        table = Path(row.table)
        if table.is_file() and table.stat().st_size <= _LARGEST_TABLE:
            st.download_button("Pair scores (Parquet)", table.read_bytes, "pairs.parquet", icon=":material/download:")
        st.download_button("BibTeX", _bibtex(record), "method.bib", icon=":material/format_quote:")
        weights = record.method.weights
        # A claim's address is anybody's: only what was scored again, and so fetched, is offered as a link.
        if weights is not None and row.level == "verified" and weights.source.startswith("https://"):
            st.link_button("Weights", weights.source, icon=":material/open_in_new:")
