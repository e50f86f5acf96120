"""The explorer on images and clips of the reader's own, or on samples."""

from __future__ import annotations

import streamlit as st

from ffbench.datasets.images import IMAGE_SUFFIXES
from ffbench.flow.color import flow_to_color
from ffbench.protocol import FLOW_PARTS, Annotation, FlowPart, NumpyFlows, Pair

from ..look import theme
from ..state import bound
from ..work import clips
from . import choices, explorer_cache, panels, photos, samples
from .pair_pictures import part_of, scales
from .warp import animation, carried, moved

_OWN = "Mine"
_EVERY = (1, 2, 3, 5, 10)
_MILLISECONDS = 100


def own_photos() -> None:
    """Show what methods make of two photos."""
    sample = _sample("Photos")
    if sample == _OWN:
        found = _uploaded()
        if found is None:
            return
        pair, seen = found
        height, width = pair.image1.shape[:2]
        smaller = "" if seen.factor == 1 else f", made smaller by {1 / seen.factor:.3g}: so are lengths in px"
        st.text(f"{width} x {height} px{smaller}")
    else:
        seen = explorer_cache.sample_photos(sample)
        pair = seen.pair
    flows: dict[str, NumpyFlows] = {}
    for method in choices.methods():
        if method is None:
            continue
        estimate = seen.estimates.get(method)
        if estimate is None and choices.wanted(method, f"photos {sample}"):
            estimate = seen.estimates[method] = explorer_cache.estimate_now(method, pair, backward=False)
        if estimate is not None:
            flows[choices.title_of(method)] = estimate.forward
    if not flows:
        panels.images_alone(pair)
        return
    panels.over_image(pair, Annotation(), flows, "facial")
    panels.flows_side_by_side(flows, Annotation(), {})


def _uploaded() -> tuple[Pair[None], explorer_cache.Photos] | None:
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
        st.info("Choose both images, or a sample above.", icon=":material/info:")
        return None
    seen = explorer_cache.photos_of_session(uploads[0], uploads[1])
    return seen.pair, seen


def own_clip() -> None:
    """Show what a method makes of a short clip: its flow, and the first frame as the flow moves it."""
    sample = _sample("Clip")
    name, content, identity = sample, None, sample
    if sample == _OWN:
        st.caption(
            f"The first {clips.MAX_FRAMES} frames are used, made smaller to at most {clips.MAX_SIDE} px. The file is "
            "held in memory while this page is open; nothing is kept."
        )
        kinds = [suffix.removeprefix(".") for suffix in clips.SUFFIXES]
        upload = st.file_uploader("Clip", type=kinds, max_upload_size=clips.MAX_MEGABYTES, key="clip")
        if upload is None:
            st.info("Choose a clip, or a sample above.", icon=":material/info:")
            return
        name, content, identity = upload.name, upload.getvalue(), upload.file_id
    method, beside = choices.methods()
    every = int(st.select_slider("Use every ... frame", _EVERY, value=1, **bound("every")))
    found: dict[str, clips.ClipFlows] = {}
    for one in (method, beside):
        if one is None:
            continue
        kept = explorer_cache.clip_of_session(identity, one, every)
        if kept is None and choices.wanted(one, f"clip {identity} {every}"):
            given = samples.sample_clip(sample) if content is None else content
            kept = explorer_cache.estimate_clip(identity, name, given, one, every)
        if kept is not None:
            found[choices.title_of(one)] = kept
    if found:
        _animations(found)


def _sample(what: str) -> str:
    options = [_OWN, *samples.samples()]
    return str(st.segmented_control(what, options, default=options[1], required=True, **bound("sample")))


def _animations(found: dict[str, clips.ClipFlows]) -> None:
    first = next(iter(found.values()))
    flows = [flow for clip in found.values() for flow in clip.flows]
    parts = [part for part in FLOW_PARTS if any(part_of(flow, part) is not None for flow in flows)]
    part: FlowPart = panels.choose_part(parts, "facial")
    full = scales(flows, None)[part]
    width, height = first.size
    st.text(f"{len(first.frames)} frames; the clip is {width} x {height} px")
    columns = st.columns(1 + len(found))
    with columns[0]:
        st.markdown("**The clip**")
        panels.moving_picture(animation(first.frames, _MILLISECONDS), first.frames[0], "the frames of the clip")
    for column, (title, clip) in zip(columns[1:], found.items(), strict=True):
        with column:
            st.text(theme.plain(title, 60))
            own = [field for flow in clip.flows if (field := part_of(flow, part)) is not None]
            if len(own) < len(clip.flows):
                st.info(f"There is no {part} flow: the method does not decompose.", icon=":material/info:")
                continue
            dragged = [clip.frames[0], *(moved(clip.frames[0], flow) for flow in carried(own))]
            words = f"The first frame moved by the {part} flow alone"
            panels.moving_picture(animation(dragged, _MILLISECONDS), dragged[-1], words)
            st.caption(f"{words}: what it does is what the flow says, and nothing else of the clip is in it.")
            colors = [flow_to_color(field, full) for field in own]
            panels.moving_picture(animation(colors, _MILLISECONDS), colors[0], f"The {part} flow of each frame")
            st.caption(f"The {part} flow, rim {full:.3g} px; {clip.seconds / len(clip.flows):.2f} s a pair")
