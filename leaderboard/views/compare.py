"""Page 4: two methods on the same pairs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from ffbench.io import escape
from ffbench.metrics.statistics.intervals import LEVEL
from ffbench.registry import family_of, method_names
from ffbench.results.numbers import format_value
from ffbench.results.ranking.compare import compare, pair_values
from ffbench.results.ranking.comparison import Comparison, PairDifference
from ffbench.results.ranking.titles import disambiguate_titles, from_file
from ffbench.results.record.row import Row
from ffbench.results.report.compare_text import board_verdict, comparison_lines
from ffbench.results.report.leaderboard import latest_rows
from ffbench.wrappers.names import split_name

from .. import picker, state
from ..boards import method_naming, records
from ..charts import compare_charts
from ..look import theme
from ..tables import wins


def render() -> None:
    """Draw the page."""
    opened = picker.open_board("Compare")
    if opened is None:
        return
    rows, board, parameters = opened
    latest = list(latest_rows(rows).values())
    latest.sort(key=lambda row: -row.value if row.higher_is_better else row.value)
    labels = method_naming.method_labels(latest)
    if len(labels) < 2:
        theme.empty(
            "A comparison needs two methods on this protocol and dataset. Run another:",
            f"ffbench eval --method farneback --protocol {theme.argument(board.protocol)}",
        )
        return
    left, right = st.columns(2)
    a = str(left.selectbox("A", list(labels), **state.bound("a")))
    b = str(right.selectbox("B", list(labels), index=1, **state.bound("b")))
    first, second = labels.get(a, latest[0]), labels.get(b, latest[1])
    if first is second:
        theme.empty("A and B are the same record: choose two.")
        return
    board_rows = tuple(row for row in latest if row.level == "verified")
    result = _compare(first, second, records.record(first.path).protocol.group_by, board_rows)
    _overall(result, a, b)
    st.header("By group, A − B")
    st.caption("Blue: A is better. Orange: B is better. Grey: not separable (Holm's correction over the groups).")
    if compare_charts.differences(result, "differences"):
        st.caption("The axis is that of most groups: intervals of some with few pairs reach beyond it.")
    with st.expander("The groups as a table"):
        _groups(result)
    st.header("Pair by pair")
    compare_charts.pair_scatter(result, pair_values(first), pair_values(second), "pairs")
    better = "below" if not result.higher_is_better else "above"
    st.caption(f"One point a pair; {better} the line A is better.")
    sides = (("A", first, result.worst_for_a), ("B", second, result.worst_for_b))
    for column, (name, row, pairs) in zip(st.columns(2), sides, strict=True):
        with column:
            st.text(f"Pairs on which {name} falls behind most")
            _pairs(name, row, pairs)
    _all_against_all(latest)
    with st.expander("As text"):
        st.code(theme.printable("\n".join(comparison_lines(result))), language=None)
    st.download_button(
        "Comparison (JSON)", result.model_dump_json(indent=1), "comparison.json", icon=":material/download:"
    )
    state.show_link({**parameters, "a": a, "b": b})


def _all_against_all(latest: Sequence[Row]) -> None:
    """Draw the matrix of wins of all methods that were scored here."""
    scored = {(row.identity, row.owner) for row in latest if row.level == "verified"}
    measured = [
        row
        for row in latest
        if row.level == "verified" or (row.level == "local" and (row.identity, row.owner) not in scored)
    ]
    if len(measured) < 3:
        return
    st.header("All methods against each other")
    first = f" The first {wins.MOST} of the board." if len(measured) > wins.MOST else ""
    st.caption(
        "How far the method of a row is from that of a column. ▲: better, ▼: worse, with all comparisons of either "
        f"method allowed for; ≈: the data do not tell them apart.{first}"
    )
    st.html(wins.matrix(records.ranking(measured), disambiguate_titles(measured)))


def _groups(found: Comparison) -> None:
    cells = [
        {"group": theme.cell(group.group), "pairs": group.pairs, "A": group.a, "B": group.b,
         "A − B": group.difference, "95 % from": group.ci_low, "to": group.ci_high, "p (Holm)": group.p_holm}
        for group in compare_charts.groups_in_order(found)
    ]  # fmt: skip
    formats = {name: st.column_config.NumberColumn(format="%.3f") for name in ("A", "B", "A − B", "95 % from", "to")}
    formats["p (Holm)"] = st.column_config.NumberColumn(format="%.4f")
    st.dataframe(
        theme.without_empty(cells),
        hide_index=True,
        placeholder="–",
        width="stretch",
        column_config=formats,
        key="groups",
    )


@st.cache_data(max_entries=64, show_spinner="Comparing pair by pair")
def _compare(a: Row, b: Row, group_by: tuple[str, ...], board: tuple[Row, ...]) -> Comparison:
    return compare(a, b, group_by, board=board)


def _overall(found: Comparison, a: str, b: str) -> None:
    whole = found.groups[0]
    first, *others = (escape.html(sentence) for sentence in _sentences(found, a, b))
    st.html(f"<p><b>{first}</b></p>" + "".join(f"<p>{sentence}</p>" for sentence in others))
    with st.container(horizontal=True):
        unit = theme.word(found.unit)
        st.metric(f"A [{unit}]", format_value(whole.a), border=True)
        st.metric(f"B [{unit}]", format_value(whole.b), border=True)
        st.metric(f"A − B [{unit}]", f"{whole.difference:+.4g}", border=True)
        if whole.ci_low is not None and whole.ci_high is not None:
            st.metric("95 % interval", f"{whole.ci_low:+.3g} to {whole.ci_high:+.3g}", border=True)
        st.metric("A better on", f"{100 * found.win_rate:.1f} %", border=True)
    st.caption(
        f"{found.pairs} pairs; paired t over {theme.word(found.unit_label)}s. "
        "A pair on which both are equal counts half."
    )


def _sentences(found: Comparison, a: str, b: str) -> list[str]:
    """Say what the comparison comes to, most important first."""
    whole = found.groups[0]
    values = f"{format_value(whole.a)} against {format_value(whole.b)} {found.unit}"
    told, _, certainty = found.verdict.partition(" (")
    certainty = certainty.removesuffix(")")
    if whole.p_value is not None and whole.p_value < 1 - LEVEL:
        told += _by(found, compare_charts.a_is_better(found, whole))
    parts = [f"{_upper(told)}: {values}{f' ({certainty})' if certainty else ''}.", f"A is {a}; B is {b}."]
    groups = compare_charts.groups_in_order(found)[1:]
    sure = [group for group in groups if compare_charts.is_sure(group)]
    for_a = sum(compare_charts.a_is_better(found, group) for group in sure)
    if groups:
        parts.append(
            f"Of {len(groups)} groups, A is better for certain in {for_a} and B in {len(sure) - for_a}; in the others "
            "the data do not tell."
        )
    return [*parts, *(f"{_upper(line)}." for line in board_verdict(found))]


def _upper(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}"


def _by(found: Comparison, a_wins: bool) -> str:
    """Return by how much the better of the two is better, of the other's value."""
    whole = found.groups[0]
    other = whole.b if a_wins else whole.a
    if found.unit == "%":
        return f" by {abs(whole.difference):.1f} points"
    return "" if other == 0 else f" by {100 * abs(whole.difference / other):.0f} %"


def _pairs(name: str, row: Row, pairs: tuple[PairDifference, ...]) -> None:
    if not pairs:
        st.text("none")
        return
    # Weights from a file are not here, and without them it would be another network.
    runs = row.kind == "evaluated" and family_of(row.method) in method_names() and not from_file(row)
    cells: list[dict[str, Any]] = [
        {"pair": _explorer_address(row, pair.key) if runs else theme.cell(pair.key),
         "A": pair.a, "B": pair.b, "A − B": pair.difference}
        for pair in pairs
    ]  # fmt: skip
    formats: dict[str, Any] = {column: st.column_config.NumberColumn(format="%.3f") for column in ("A", "B", "A − B")}
    if runs:
        formats["pair"] = st.column_config.LinkColumn(display_text="[?&]pair=(.*)$")
    st.dataframe(cells, hide_index=True, placeholder="–", width="stretch", column_config=formats, key=f"pairs-{name}")
    if runs:
        st.caption(f"A pair opens in the Explorer, with the flow of {name} as it comes: its own weights and settings.")
    else:
        st.caption(
            f"The Explorer cannot show them: {name} was not run here, is not installed, or had weights of a file."
        )


def _explorer_address(row: Row, key: str) -> str:
    name, wrappers = split_name(row.method)
    family, _, member = name.partition("/")
    board = row.board
    return state.page_address(
        "explorer",
        {"protocol": board.protocol, "dataset": f"{board.protocol}:{board.manifest_sha256[:12]}",
         "method": family, "member": member, "around": "".join(f"+{wrapper}" for wrapper in wrappers), "pair": key},
    )  # fmt: skip
