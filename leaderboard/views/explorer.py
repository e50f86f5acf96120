"""Page 5: one pair of images, and what a method makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from ffbench.errors import FfbenchError
from ffbench.protocol import Annotation, FlowPart, NumpyFlows, Pair, Protocol
from ffbench.registry import protocol_names

from .. import folders, opened
from ..boards.board_naming import protocol_title
from ..explorer import choices, explorer_cache, own_images, panels
from ..explorer.pair_pictures import true_flows
from ..look import theme
from ..state import bound, show_link
from ..work.estimates import Estimate, pair_values

_SOURCES = {"protocol": "A benchmark's pair", "photos": "Two photos", "clip": "A short clip"}
_FIRST_PROTOCOL = "ffn_head"
_REFERENCE = "the reference itself"
_STORED = "stored predictions"
_PARTS: Mapping[FlowPart, str] = {"facial": "facial flow", "head": "head flow", "expression": "expression flow"}
_MISSING = "_missing_pair"


def render() -> None:
    """Draw the page."""
    st.title("Explorer")
    source = st.segmented_control(
        "Images",
        list(_SOURCES),
        default="protocol",
        required=True,
        format_func=_SOURCES.__getitem__,
        label_visibility="collapsed",
        **bound("source"),
    )
    if source == "photos":
        own_images.own_photos()
    elif source == "clip":
        own_images.own_clip()
    else:
        _protocol_pair()


def _protocol_pair() -> None:
    names = protocol_names()
    left, right = st.columns(2)
    with left:
        titles = {name: protocol_title(name) for name in names}
        # The pages of boards call it `board`.
        also = st.query_params.get("board", "")
        name = choices.choose("Benchmark", names, _FIRST_PROTOCOL, "protocol", titles, also)
        folder = _folder("Dataset folder", "folder", "empty: your dataset in FFBENCH_DATA, or else the mini dataset")
    protocol = opened.protocol(name, folder)
    with right:
        key = _pair_of_link_or_choice(name, list(protocol.keys()))
        _warn_of_other_data(name, protocol)
    pair = protocol.load(key)
    annotation = protocol.annotation(pair)
    extra = {_REFERENCE: "The reference itself"} if annotation.facial is not None else {}
    extra |= {_STORED: "Stored predictions"} if folders.open_folders() else {}
    method, beside = choices.methods(extra)
    _facts(pair, protocol)
    found = {}
    for one in (method, beside):
        estimate = _found(one, name, folder, pair, annotation)
        if estimate is not None and one is not None:
            found[_REFERENCE if one == _REFERENCE else choices.title_of(one)] = estimate
    if not found:
        panels.images_alone(pair)
        return
    _draw(protocol, pair, annotation, found)
    show_link({name: str(value) for name, value in st.query_params.items()})


def _draw(protocol: Protocol[Any], pair: Pair[Any], annotation: Annotation, found: Mapping[str, Estimate]) -> None:
    """Draw the flows as the protocol scores them, and their scores."""
    estimated = {name: one for name, one in found.items() if name != _REFERENCE}
    flows: dict[str, NumpyFlows] = {}
    notes: dict[str, dict[FlowPart, str]] = {}
    for name, one in found.items():
        flows[name] = one.forward if name == _REFERENCE else protocol.scored_flows(pair, one.forward)
        if flows[name].head is not None and one.forward.head is None:
            notes[name] = {"head": panels.DERIVED, "expression": panels.DERIVED}
    panels.over_image(pair, annotation, flows, protocol.scored_part)
    if estimated:
        _numbers(protocol, pair, estimated)
    shown = {name: flow for name, flow in flows.items() if name in estimated}
    panels.flows_side_by_side(shown, annotation, notes)


def _pair_of_link_or_choice(name: str, keys: list[str]) -> str:
    """Ask for a pair; say so, until the reader chooses, if a link asked for one that is not here."""
    wanted, fresh = st.query_params.get("pair"), "pair" not in st.session_state
    key = choices.choose("Pair", keys, keys[0], "pair")
    if fresh:
        st.session_state[_MISSING] = None if wanted in (None, *keys) else (name, key, wanted)
    missing = st.session_state.get(_MISSING)
    if missing is not None and missing[:2] == (name, key):
        st.warning("The pair of the link is not in this dataset; another one is shown.", icon=":material/warning:")
        st.text(theme.plain(missing[2], 200))
    return key


def _warn_of_other_data(name: str, protocol: Protocol[Any]) -> None:
    """Say so where a link was made of another dataset, whose pairs can have the same names."""
    of, _, sha256 = st.query_params.get("dataset", "").partition(":")
    if of == name and not protocol.dataset.manifest_sha256.startswith(sha256):
        st.warning(
            "The link is of another dataset than the one that is open here: its numbers will differ.",
            icon=":material/warning:",
        )


def _folder(label: str, name: str, words: str) -> str | None:
    """Ask for a folder where folders are open to visitors; give its path."""
    if not folders.open_folders():
        return None
    text = st.text_input(label, placeholder=words, help=f"Below a folder of {folders.VARIABLE}.", **bound(name))
    return str(folders.visitor_folder(text)) if text else None


def _found(
    method: str | None, name: str, folder: str | None, pair: Pair[Any], annotation: Annotation
) -> Estimate | None:
    """Return the flows to show, or None while a name or the reader's word is waited for, or where a method failed."""
    truth = true_flows(annotation)
    if method is None:
        return None
    if method == _REFERENCE and truth is not None:
        return Estimate(truth)
    if method == _STORED:
        place = _folder("Folder of predictions", "predictions", "holds facial/, as `ffbench predict` writes it")
        return None if place is None else explorer_cache.stored(place, pair)
    which = explorer_cache.PairOf(method, name, folder, pair.key)
    found = explorer_cache.kept(which)
    if found is None and choices.wanted(method, f"{name} {folder} {pair.key}"):
        try:
            found = explorer_cache.estimate(which)
        except FfbenchError as error:  # what the other method makes of the pair is shown all the same
            theme.fault(str(error))
    return found


def _facts(pair: Pair[Any], protocol: Protocol[Any]) -> None:
    height, width = pair.image1.shape[:2]
    labels = [f"{name}: {value}" for name, value in pair.labels.items()]
    with st.container(horizontal=True, vertical_alignment="center"):
        theme.origin_badge(protocol.dataset.origin)
        st.badge(f"scores the {_PARTS[protocol.scored_part]}", icon=":material/target:", color="gray")
    st.text(theme.plain(" · ".join([protocol.dataset.name, f"{width} x {height} px", *labels]), 300))


def _numbers(protocol: Protocol[Any], pair: Pair[Any], found: Mapping[str, Estimate]) -> None:
    st.header("This pair's score")
    columns = {name: {v.title: v for v in pair_values(protocol, pair, one)} for name, one in found.items()}
    titles = list(dict.fromkeys(title for values in columns.values() for title in values))
    if not titles:
        st.info("This benchmark scores all pairs together, so a single one has no score.", icon=":material/info:")
        return
    rows = []
    for title in titles:
        unit = next(values[title].unit for values in columns.values() if title in values)
        row: dict[str, object] = {"metric": theme.cell(f"{title} [{unit}]")}
        row |= {_column(name, found): values[title].value for name, values in columns.items() if title in values}
        rows.append(row)
    primary = protocol.card.metrics[protocol.card.primary].title
    rows.sort(key=lambda row: not str(row["metric"]).startswith(f"{primary} ["))
    number = st.column_config.NumberColumn(format="%.4g")
    st.dataframe(
        rows, hide_index=True, placeholder="–", width="stretch", height=38 + 35 * min(len(rows), 8),
        column_config={_column(name, found): number for name in found},
    )  # fmt: skip
    took = [f"{name}: {one.seconds:.2f} s" for name, one in found.items() if one.seconds is not None]
    words = f"{primary} of the {_PARTS[protocol.scored_part]} is what ranks."
    st.text(theme.plain(" ".join([words, *(["On this server: " + ", ".join(took)] if took else [])]), 300))


def _column(name: str, found: Mapping[str, Estimate]) -> str:
    return "value" if len(found) == 1 else theme.cell(name)
