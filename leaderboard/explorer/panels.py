"""What the explorer draws of a pair: images, a layer over them, flows under one cursor, files to take away."""

from __future__ import annotations

import base64
import functools
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from ffbench.flow.color import flow_to_color
from ffbench.flow.formats.flo import encode_flo
from ffbench.io.escape import html
from ffbench.protocol import FLOW_PARTS, Annotation, FlowPart, NumpyFlows, Pair
from ffbench.typing import FlowField
from ffbench.visual.picture import encode_png

from ..look import theme
from ..look.legends import data_uri, flow_legend
from ..state import bound
from .flow_grid import Tile, flow_grid
from .pair_pictures import Layer, Shown, known_part, layer, layers_of, part_of, parts_of, scales, true_flows
from .two_images import two_images
from .warp import animation, to_and_fro

TRUE = "True"
_SCORED = "_scored"
_RANGES = (0.25, 0.5, 1.0, 2.0, 4.0)
_TIMES = (1, 2, 5, 10)
_MILLISECONDS = 70
DERIVED = "fitted by the protocol, on what it scores: the method gives none"
_LAYER_WORDS: Mapping[Layer, str] = {
    "error": "error", "arrows": "arrows", "warp": "moving", "regions": "regions", "landmarks": "landmarks",
}  # fmt: skip


def images(pair: Pair[Any]) -> None:
    """Show image 1 and image 2 in one place."""
    st.iframe(two_images(pair.image1, pair.image2, dark=theme.dark()), alt="image 1 and image 2")


def images_alone(pair: Pair[Any]) -> None:
    """Show the images before there is a flow, as wide as they will be beside one."""
    left, _ = st.columns(2)
    with left:
        images(pair)


def over_image(pair: Pair[Any], annotation: Annotation, flows: Mapping[str, NumpyFlows], scored: FlowPart) -> None:
    """Show images and a layer that the reader chooses: of each flow, in columns side by side.

    Args:
        pair: the images.
        annotation: what is known of the pair.
        flows: by the name of who estimated them.
        scored: the part that is shown unless the reader chooses another.
    """
    several = list(flows.values())
    offered = layers_of(annotation)
    # Another protocol scores another part: what is shown follows it.
    if st.session_state.get(_SCORED, scored) != scored and "part" in st.session_state:
        del st.session_state["part"]
    st.session_state[_SCORED] = scored
    with st.container(horizontal=True, vertical_alignment="center"):
        chosen = _segments("Layer", offered, offered[0], "layer", _LAYER_WORDS)
        parts = parts_of(chosen, annotation, several)
        part = _segments("Of the flow", parts, scored if scored in parts else parts[0], "part", {}) if parts else scored
        times = 1
        if chosen == "warp":
            times = int(st.select_slider("Motion times", _TIMES, **bound("times")))
    columns = st.columns(1 + (1 if chosen == "regions" else len(flows)))
    with columns[0]:
        st.markdown("**Images**")
        images(pair)
    if chosen == "warp":
        shown: Sequence[Shown | str | None] = [None] * len(flows)
    else:
        shown = layer(chosen, part, pair, annotation, several)
    for column, (name, own), one in zip(columns[1:], flows.items(), shown, strict=False):
        with column:
            st.text("Image 1" if chosen == "regions" else theme.plain(name, 60))
            if one is None:
                _moving(pair, own, part, times)
            elif isinstance(one, str):
                st.info(one, icon=":material/info:")
            else:
                st.image(one.picture, width="stretch", alt=one.words)
                st.html(one.legend or "<span></span>")
                st.caption(one.words)


def choose_part(parts: Sequence[FlowPart], first: FlowPart) -> FlowPart:
    """Ask which part of the flow is to be shown."""
    chosen: FlowPart = _segments("Of the flow", parts, first, "part", {})
    return chosen


def _segments(label: str, options: Sequence[Any], first: Any, name: str, words: Mapping[Any, str]) -> Any:
    """Ask for one of some options; what was chosen before and is no option now gives way to the first."""
    if st.session_state.get(name) not in (None, *options):
        del st.session_state[name]
    return st.segmented_control(
        label, options, default=first, required=True, label_visibility="collapsed",
        format_func=lambda option: words.get(option, str(option)), **bound(name),
    )  # fmt: skip


def _moving(pair: Pair[Any], flows: NumpyFlows, part: FlowPart, times: int) -> None:
    """Show image 1 as the flow moves it."""
    field = part_of(flows, part)
    if field is None:
        st.info(f"There is no {part} flow.", icon=":material/info:")
        return
    frames = to_and_fro(pair.image1, field, times)
    words = f"Image 1 moved by the {part} flow" + (f" times {times}" if times > 1 else "")
    moving_picture(animation(frames, _MILLISECONDS), frames[len(frames) // 2], words)
    st.caption(f"{words}: nothing is taken from image 2.")


def moving_picture(content: bytes, still: Any, words: str) -> None:
    """Show an animated WebP; who asks the system for less motion gets a still picture. `words` are ours."""
    sources = [
        ("ff-moving", f"data:image/webp;base64,{base64.b64encode(content).decode()}"),
        ("ff-still", data_uri(still)),
    ]
    st.html("".join(f'<img class="ff-wide {name}" alt="{html(words)}" src="{uri}">' for name, uri in sources))


def flows_side_by_side(
    flows: Mapping[str, NumpyFlows], annotation: Annotation, notes: Mapping[str, Mapping[FlowPart, str]]
) -> None:
    """Show the parts of all flows in color, the true ones first, under one cursor.

    Args:
        flows: by the name of who estimated them.
        annotation: has the true flows, where they are known.
        notes: what is to be said of a part of somebody's flow.
    """
    truth = true_flows(annotation)
    rows = {**({} if truth is None else {TRUE: truth}), **flows}
    st.header("Flow")
    left, right = st.columns([2, 1], vertical_alignment="center")
    left.html(flow_legend())
    with right:
        one = st.toggle(
            "One scale for all parts", help="to compare their lengths; else each has its own", **bound("one")
        )
        factor = float(
            st.select_slider(
                "Full color at ... times the scale", _RANGES, value=1.0, help="smaller shows weaker motion",
                **bound("range"),
            )
        )  # fmt: skip
    full = scales(list(rows.values()), annotation.mask, one=bool(one))
    tiles = [
        Tile(name, part, field, full[part] * factor, notes.get(name, {}).get(part, ""))
        for name, own in rows.items()
        for part in FLOW_PARTS
        if (field := known_part(own, part, annotation.mask, fitted=part in notes.get(name, {}))) is not None
    ]
    for name, own in rows.items():
        if own.head is None:
            st.caption(theme.word(name) + " gives facial flow only: head and expression flow are not told apart.")
    st.iframe(flow_grid(tiles, dark=theme.dark(), reference=TRUE if truth is not None else None), alt="flows in color")
    st.caption("Point at a flow, or focus it and use the arrow keys: its value in pixels, (right, down), stands below.")
    _files(rows, full, factor)


def _files(rows: Mapping[str, NumpyFlows], full: Mapping[FlowPart, float], factor: float) -> None:
    """Offer each flow as `.flo`, and as the picture that is shown."""
    with st.popover("Download", icon=":material/download:"):
        for number, (name, own) in enumerate(rows.items()):
            st.text(theme.plain(name, 60))
            with st.container(horizontal=True):
                for part in FLOW_PARTS:
                    field = part_of(own, part)
                    if field is None:
                        continue
                    stem = f"{number}-{part}"
                    # Encoded when they are asked for.
                    st.download_button(
                        f"{part}.flo", functools.partial(encode_flo, field), f"{part}.flo", "application/octet-stream",
                        key=f"flo-{stem}",
                    )  # fmt: skip
                    st.download_button(
                        f"{part}.png", functools.partial(_png, field, full[part] * factor), f"{part}.png", "image/png",
                        key=f"png-{stem}",
                    )  # fmt: skip


def _png(field: FlowField, full: float) -> bytes:
    return encode_png(flow_to_color(field, full))
