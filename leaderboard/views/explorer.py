"""Page 5: one pair of images, and what a method makes of it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from ffbench.datasets.images import IMAGE_SUFFIXES
from ffbench.protocol import Annotation, Pair, Protocol
from ffbench.registry import family_of, method_entry, method_names, protocol_names
from ffbench.wrappers.names import split_name

from .. import folders, opened
from ..explorer import explorer_cache, photos
from ..explorer.pair_pictures import LAYERS, PARTS, Part, flow_pictures, layer, shared_scale, true_flows
from ..explorer.two_images import two_images
from ..look import theme
from ..look.legends import flow_legend
from ..state import bound, show_link
from ..work import estimates
from ..work.estimates import Estimate, pair_values

_SOURCES = {"protocol": "A protocol's pair", "photos": "Two photos of yours"}
_FIRST_PROTOCOL = "ffn_head"
_FIRST_METHOD = "dis"
_NOTHING = "nothing"
_AROUND = (_NOTHING, "+variational", "+face512", "+face512+variational")
"""What is done around the method, as its name says it; a link may ask for another size of the face."""
_REFERENCE = "the reference itself"
_STORED = "stored predictions"
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
        _own_photos()
    else:
        _protocol_pair()


def _protocol_pair() -> None:
    names = protocol_names()
    left, right = st.columns(2)
    with left:
        name = _choose("Protocol", names, _FIRST_PROTOCOL, "protocol")
        folder = _folder("Dataset folder", "folder", "empty: your dataset in FFBENCH_DATA, or else the mini dataset")
    protocol = opened.protocol(name, folder)
    with right:
        keys = list(protocol.keys())
        key = _pair_of_link_or_choice(name, keys)
        theme.origin_badge(protocol.dataset.origin)
        _warn_of_other_data(name, protocol)
    pair = protocol.load(key)
    annotation = protocol.annotation(pair)
    method = _method(reference=annotation.facial is not None, stored=bool(folders.open_folders()))
    found = _found(method, name, folder, pair, annotation)
    _facts(pair, protocol.dataset.name)
    if found is None:
        _only_images(pair)
        return
    _pictures(pair, annotation, found, is_reference=method == _REFERENCE)
    if method != _REFERENCE:
        _numbers(protocol, pair, found)
    show_link({name: str(value) for name, value in st.query_params.items()})


def _pair_of_link_or_choice(name: str, keys: list[str]) -> str:
    """Ask for a pair; say so, until the reader chooses, if a link asked for one that is not here."""
    wanted, fresh = st.query_params.get("pair"), "pair" not in st.session_state
    key = _choose("Pair", keys, keys[0], "pair")
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


def _own_photos() -> None:
    st.caption(
        "Two pictures of one size, such as two frames of a clip. They are made smaller, to at most "
        f"{photos.MAX_SIDE} px, and held in memory while this page is open; nothing is kept."
    )
    kinds = sorted(suffix.removeprefix(".") for suffix in IMAGE_SUFFIXES)
    columns = st.columns(2)
    uploads = [
        column.file_uploader(f"Image {number}", type=kinds, max_upload_size=photos.MAX_MEGABYTES, key=f"photo{number}")
        for number, column in enumerate(columns, start=1)
    ]
    if uploads[0] is None or uploads[1] is None:
        st.info("Choose both images.", icon=":material/info:")
        return
    seen = explorer_cache.photos_of_session(uploads[0], uploads[1])
    method = _method(reference=False, stored=False)
    found = None if method is None else seen.estimates.get(method)
    if method is not None and found is None and _wanted(method, "photos"):
        found = seen.estimates[method] = explorer_cache.estimate_now(method, seen.pair, backward=False)
    height, width = seen.pair.image1.shape[:2]
    smaller = "" if seen.factor == 1 else f", made smaller by {1 / seen.factor:.3g}: so are lengths in px"
    st.text(f"{width} x {height} px{smaller}")
    if found is None:
        _only_images(seen.pair)
    else:
        _pictures(seen.pair, Annotation(), found, is_reference=False)


def _choose(label: str, options: list[str], first: str, name: str) -> str:
    """Ask for one of some options; `first` is chosen to begin with, if it is among them."""
    return str(st.selectbox(label, options, index=options.index(first) if first in options else 0, **bound(name)))


def _folder(label: str, name: str, words: str) -> str | None:
    """Ask for a folder where folders are open to visitors; give its path."""
    if not folders.open_folders():
        return None
    text = st.text_input(label, placeholder=words, help=f"Below a folder of {folders.VARIABLE}.", **bound(name))
    return str(folders.visitor_folder(text)) if text else None


def _method(*, reference: bool, stored: bool) -> str | None:
    """Ask where the flow is to come from: a method's name, `_REFERENCE` or `_STORED`; None: not named yet."""
    choices = [*([_REFERENCE] if reference else []), *([_STORED] if stored else []), *method_names()]
    chosen = _choose("Flow from", choices, _FIRST_METHOD, "method")
    if chosen in (_REFERENCE, _STORED):
        return chosen
    if method_entry(chosen).variants is not None:
        label = f"Which of {theme.word(chosen)}"
        member = st.text_input(label, placeholder="NAME or NAME:CHECKPOINT", **bound("member"))
        if not member:
            return None
        chosen = f"{chosen}/{member}"
    wanted = st.query_params.get("around", _NOTHING)
    linked = [wanted] if wanted not in _AROUND and split_name(f"x{wanted}")[0] == "x" else []
    around = _choose("Around the method", [*_AROUND, *linked], _NOTHING, "around")
    return chosen if around == _NOTHING else f"{chosen}{around}"


def _found(
    method: str | None, name: str, folder: str | None, pair: Pair[Any], annotation: Annotation
) -> Estimate | None:
    """Return the flows to show, or None while a name or the reader's word is waited for."""
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
    if found is None and _wanted(method, f"{name} {folder} {pair.key}"):
        found = explorer_cache.estimate(which)
    return found


def _wanted(method: str, what: str) -> bool:
    """Tell whether to run a method: a quick one at once, another when the reader says so, knowing what it takes."""
    if method_entry(family_of(method)).quick and "+face" not in method:
        return True
    seconds = explorer_cache.seconds_of(method)
    known = "a network may take from some seconds to minutes on a CPU, its loading included"
    said = known if seconds is None else f"the last pair took {seconds:.1f} s here"
    limits = estimates.LIMITS
    st.caption(f"Not run yet: {said}; at most {limits.seconds} s and {limits.memory_bytes // 2**30} GB are allowed.")
    return bool(st.button("Estimate the flow", type="primary", key=f"run {method} {what}"))


def _facts(pair: Pair[Any], dataset: str) -> None:
    height, width = pair.image1.shape[:2]
    labels = [f"{name}: {value}" for name, value in pair.labels.items()]
    st.text(theme.plain(" · ".join([dataset, f"{width} x {height} px", *labels]), 300))


def _only_images(pair: Pair[Any]) -> None:
    with st.columns(2)[0]:
        st.iframe(two_images(pair.image1, pair.image2, dark=theme.dark()), alt="image 1 and image 2")


def _pictures(pair: Pair[Any], annotation: Annotation, found: Estimate, *, is_reference: bool) -> None:
    truth = None if is_reference else true_flows(annotation)
    left, right = st.columns(2)
    with left:
        st.header("Images")
        st.iframe(two_images(pair.image1, pair.image2, dark=theme.dark()), alt="image 1 and image 2")
    with right:
        st.header("Over image 1")
        _layer(pair, annotation, found)
    full = shared_scale([found.forward] if truth is None else [found.forward, truth], annotation.mask)
    st.header("Flow")
    st.html(flow_legend(full))
    took = "" if found.seconds is None else f", in {found.seconds:.2f} s on this machine"
    _row("**Reference**" if is_reference else f"**Estimated**{took}", found, full)
    if truth is not None:
        _row("**True**", Estimate(truth), full)


def _layer(pair: Pair[Any], annotation: Annotation, found: Estimate) -> None:
    chosen = st.segmented_control(
        "Layer", LAYERS, default=LAYERS[0], required=True, label_visibility="collapsed", **bound("layer")
    )
    part: Part = "facial"
    if chosen in ("error", "arrows"):
        part = st.segmented_control(
            "Of the flow", PARTS, default=PARTS[0], required=True, label_visibility="collapsed", **bound("part")
        )
    shown = layer(chosen, part, pair, annotation, found.forward)
    if isinstance(shown, str):
        st.info(shown, icon=":material/info:")
        return
    st.image(shown.picture, width="stretch", alt=shown.words)
    st.html(shown.legend or "<span></span>")
    st.caption(shown.words)


def _row(title: str, found: Estimate, full: float) -> None:
    st.markdown(title)
    pictures = flow_pictures(found.forward, full)
    for column, part in zip(st.columns(len(PARTS)), PARTS, strict=True):
        with column:
            if part in pictures:
                st.image(pictures[part], width="stretch", caption=part, alt=f"{part} flow in Middlebury colours")
            else:
                st.caption(f"No {part} flow: the method does not decompose.")


def _numbers(protocol: Protocol[Any], pair: Pair[Any], found: Estimate) -> None:
    st.header("This pair's score")
    st.text(f"{protocol.card.title}, variant {protocol.card.variant}")
    values = pair_values(protocol, pair, found)
    if not values:
        st.info("This protocol scores all pairs together, so a single one has no score.", icon=":material/info:")
        return
    rows = [{"metric": theme.cell(f"{value.title} [{value.unit}]"), "value": value.value} for value in values]
    number = st.column_config.NumberColumn(format="%.4g")
    st.dataframe(rows, hide_index=True, width="stretch", column_config={"value": number})
