"""What the explorer keeps: flows for all visitors, photos for the session of their owner."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from ffbench.protocol import Pair
from ffbench.submissions.stored import read_stored
from ffbench.typing import Image

from .. import opened
from ..look import theme
from ..work import clips, estimates
from ..work.estimates import Estimate
from . import samples
from .photos import photo_pair

T = TypeVar("T")
_PHOTOS, _CLIPS = "_photos", "_clips"
_CLIPS_KEPT = 4
_KEPT = 32


class PairOf(NamedTuple):
    """A method on a pair of a protocol; `folder` is the dataset, None for the default one."""

    method: str
    protocol: str
    folder: str | None
    key: str


@dataclass
class Photos:
    """The photos of a session, and the flows of them by method."""

    ids: tuple[str, str]
    pair: Pair[None]
    factor: float
    estimates: dict[str, Estimate] = field(default_factory=dict)


@dataclass
class _Estimates:
    """The last flows of protocols' pairs, and the seconds that each method took for its last pair, loading included."""

    found: OrderedDict[PairOf, Estimate] = field(default_factory=OrderedDict)
    seconds: dict[str, float] = field(default_factory=dict)


@st.cache_resource(show_spinner=False)
def _estimates() -> _Estimates:
    return _Estimates()


def kept(which: PairOf) -> Estimate | None:
    """Return the flow of a protocol's pair if it has been estimated lately."""
    return _estimates().found.get(which)


def estimate(which: PairOf) -> Estimate:
    """Estimate the flow of a protocol's pair; it is kept for all visitors."""
    measure = opened.protocol(which.protocol, which.folder)
    found = estimate_now(which.method, measure.load(which.key), backward=measure.needs_backward)
    everything = _estimates().found
    everything[which] = found
    while len(everything) > _KEPT:
        everything.popitem(last=False)
    return found


def estimate_now(method: str, pair: Pair[Any], *, backward: bool) -> Estimate:
    """Run a method on a pair; it ends when the visitor goes elsewhere."""
    return _watched(method, lambda tell: estimates.estimate(method, pair, backward, tell))


def _watched(method: str, run: Callable[[Callable[[int], None]], T]) -> T:
    """Run a method, and say meanwhile how long that has gone on, or who is ahead."""
    shown, started = st.empty(), time.monotonic()

    def tell(ahead: int) -> None:
        nonlocal started
        if ahead:
            started = time.monotonic()  # waiting is not the method's time
            theme.queue(shown, ahead, estimates.LIMITS.seconds)
        else:
            gone = time.monotonic() - started
            shown.info(
                f"Estimating the flow: {gone:.0f} s of {estimates.LIMITS.seconds} s at most",
                icon=":material/hourglass_top:",
            )

    try:
        found = run(tell)
    finally:
        shown.empty()
    _estimates().seconds[method] = time.monotonic() - started
    return found


def seconds_of(method: str) -> float | None:
    """Return the seconds that a method took for its last pair, loading included; None if it has not run yet."""
    return _estimates().seconds.get(method)


def stored(folder: str, pair: Pair[Any]) -> Estimate:
    """Read the flows of a pair from a folder of predictions."""
    return Estimate(read_stored(Path(folder), pair.key, (pair.image1.shape[0], pair.image1.shape[1])))


def photos_of_session(first: UploadedFile, second: UploadedFile) -> Photos:
    """Return the photos of this session, read once."""
    ids = first.file_id, second.file_id
    seen = st.session_state.get(_PHOTOS)
    if seen is None or seen.ids != ids:
        pair, factor = photo_pair((first.name, first.getvalue()), (second.name, second.getvalue()))
        seen = st.session_state[_PHOTOS] = Photos(ids, pair, factor)
    photos: Photos = seen
    return photos


@st.cache_resource(max_entries=8, show_spinner=False)
def sample_photos(title: str) -> Photos:
    """Return a sample pair, with the flows that have been estimated for any visitor."""
    return Photos((title, title), samples.sample_pair(title), 1.0)


def clip_of_session(identity: str, method: str, every: int) -> clips.ClipFlows | None:
    """Return the flows of a clip if this session has had them estimated lately."""
    kept: OrderedDict[tuple[str, str, int], clips.ClipFlows] = st.session_state.setdefault(_CLIPS, OrderedDict())
    return kept.get((identity, method, every))


def estimate_clip(
    identity: str, name: str, content: bytes | Sequence[Image], method: str, every: int
) -> clips.ClipFlows:
    """Run a method on a clip; the last few are kept in the session of their owner."""
    found = _watched(method, lambda tell: clips.clip_flows(name, content, method, every, tell))
    kept: OrderedDict[tuple[str, str, int], clips.ClipFlows] = st.session_state.setdefault(_CLIPS, OrderedDict())
    kept[identity, method, every] = found
    while len(kept) > _CLIPS_KEPT:
        kept.popitem(last=False)
    return found
