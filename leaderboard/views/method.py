"""Page 3: a method, all its scores, and where they come from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from ffbench.protocol import Score
from ffbench.results.record.row import Row
from ffbench.results.record.run_record import RunRecord
from ffbench.results.report.text import listed_groups

from .. import charts, picker, records, state, theme

_LARGEST_TABLE = 32 * 2**20
_FAMILIES = {"motion_": "By magnitude of motion"}


def render() -> None:
    """Draw the page."""
    st.title("Method")
    found = records.load()
    theme.problems(found.problems)
    if not found.rows:
        theme.empty("No records here yet. Make one:", "ffbench eval --method dis --protocol clip_landmarks")
        return
    cards: dict[str, list[Row]] = {}
    for row in found.rows:
        cards.setdefault(f"{row.kind} {row.identity}", []).append(row)
    labels = picker.method_labels([rows[0] for rows in cards.values()])
    left, right = st.columns(2)
    label = str(left.selectbox("Method", sorted(labels, key=str.casefold), **state.bound("method")))
    chosen = labels.get(label) or next(iter(labels.values()))
    rows = cards[f"{chosen.kind} {chosen.identity}"]
    runs = {f"{name} · {row.started[:19]}": row for name, row in _run_names(rows).items()}
    run = str(right.selectbox("Run, newest first", list(runs), **state.bound("run")))
    row = runs.get(run) or next(iter(runs.values()))
    record = records.record(row.path)
    theme.board_badges(row.board)
    for reason in record.not_rankable:
        st.badge(f"not for ranking: {reason}", icon=":material/block:", color="red")
    _card(record)
    _scores(record)
    _provenance(row, record)
    _downloads(row, record)
    state.show_link({"method": label, "run": run})


def _run_names(rows: Sequence[Row]) -> dict[str, Row]:
    newest_first = sorted(rows, key=lambda row: row.started, reverse=True)
    return picker.numbered(
        (theme.plain(f"{row.board.protocol} {row.board.variant} · {row.board.dataset}", 70), row)
        for row in newest_first
    )


def _card(record: RunRecord) -> None:
    method, primary, cost = record.method, record.primary, record.cost
    st.text(theme.plain(f"{method.title} ({method.id})"))
    with st.container(horizontal=True):
        st.metric(theme.word(f"{primary.metric}, {primary.unit}"), f"{primary.value:.4g}", border=True)
        st.metric("pairs", f"{record.pairs:,}", border=True)
        if record.kind == "evaluated":
            st.metric("pairs a second", f"{cost.pairs_per_second:.3g}", border=True)
        if method.parameters is not None:
            st.metric("parameters", f"{method.parameters / 1e6:.3g} M", border=True)
    submission = record.submission
    theme.facts(
        {
            "paper": method.paper,
            "licence": method.licence,
            "sent in by": submission.name if submission else None,
            "code": submission.code if submission else None,
            "decomposes": "head and expression flow" if method.decomposes else "no, facial flow only",
            "iterations": method.iterations,
            "precision": method.precision,
            "options": ", ".join(f"{key} = {value}" for key, value in method.options.items()),
            "interval": f"{primary.ci_low:.4g} to {primary.ci_high:.4g}"
            if primary.ci_low is not None and primary.ci_high is not None
            else _no_interval(record),
        }
    )


def _no_interval(record: RunRecord) -> str | None:
    reason = record.score(record.primary.metric).no_interval
    return f"none: {reason}" if reason else None


def _scores(record: RunRecord) -> None:
    """Bars of one metric by kind of group, and all scores as a table."""
    st.subheader("Scores")
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
    for number, (family, scores) in enumerate(families.items()):
        if len(scores) < 2:
            continue
        st.text(family)
        names = [score.group.partition("=")[2] or score.group.removeprefix("motion_") for score in scores]
        lows, highs = [score.ci_low for score in scores], [score.ci_high for score in scores]
        charts.bars(names, [score.value for score in scores], lows, highs, unit, color, f"bars-{number}")
    with st.expander("All scores as a table"):
        cells = [
            {"metric": theme.cell(s.metric), "group": theme.cell(s.group), "value": s.value, "95 % from": s.ci_low,
             "to": s.ci_high, "pairs": s.pairs, "units": s.units}
            for s in record.scores
        ]  # fmt: skip
        number_format = {name: st.column_config.NumberColumn(format="%.4f") for name in ("value", "95 % from", "to")}
        st.dataframe(cells, hide_index=True, width="stretch", column_config=number_format)


def _family(group: str) -> str:
    if "=" in group:
        return f"By {theme.plain(group.partition('=')[0], 40)}"
    return next((title for prefix, title in _FAMILIES.items() if group.startswith(prefix)), "By region")


def _provenance(row: Row, record: RunRecord) -> None:
    st.subheader("Provenance")
    where, weights = record.environment, record.method.weights
    theme.facts(
        {
            "number": f"{row.level}; {'run by ffbench' if record.kind == 'evaluated' else 'flows sent in'}",
            "protocol": f"{record.protocol.title}: {row.board.title}",
            "reference": record.dataset.reference_note,
            "dataset sha256": record.dataset.manifest_sha256,
            "weights": f"{weights.name}, from {weights.source}" if weights else "none",
            "weights sha256": weights.sha256 if weights else None,
            "predictions sha256": record.submission.sha256 if record.submission else None,
            "started": record.cost.started.isoformat(),
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
