"""Images and clips for readers who have none at hand: rendered faces, and clips that were fetched as assets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from ffbench.assets import find
from ffbench.protocol import Pair
from ffbench.typing import Image

from .. import opened

RENDERED = "A rendered face (synthetic)"
REAL = "A real clip (fetched from a package)"
_PROTOCOL = "ffn_motion_scale"
"""Its mini dataset has the rendered faces; its first sequence is the sample."""
_CLIP = "clip_single_face"
_APART = (20, 32)
"""Frames of the real clip that make a pair: a face that begins to grin."""


def samples() -> list[str]:
    """Return the titles of the samples that there are; the real clip is there once it has been fetched."""
    return [RENDERED, REAL] if find(_CLIP).path.is_file() else [RENDERED]


def sample_clip(title: str) -> bytes | Sequence[Image]:
    """Return the content of a sample clip, or its frames."""
    return find(_CLIP).path.read_bytes() if title == REAL else _rendered_frames()


@st.cache_resource(show_spinner=False)
def sample_pair(title: str) -> Pair[None]:
    """Return two images of a sample.

    Raises:
        DataError: the dataset of the rendered faces, or the clip, cannot be read.
    """
    if title == REAL:
        from ffbench.datasets.clips import open_clip

        clip = open_clip(str(find(_CLIP).path))
        first, second = (clip.frame(number) for number in _APART)
        return Pair("sample", first, second, None)
    frames = _rendered_frames()
    return Pair("sample", frames[0], frames[-1], None)


@st.cache_resource(show_spinner=False)
def _rendered_frames() -> Sequence[Image]:
    protocol = opened.protocol(_PROTOCOL)
    names = list(protocol.keys())
    sequence = names[0].rpartition("/")[0]
    pairs: list[Pair[Any]] = [protocol.load(name) for name in names if name.startswith(f"{sequence}/")]
    return [*(pair.image1 for pair in pairs), pairs[-1].image2]
