"""A few pairs of a clip before all of them: how long one takes, how long the flows are, what they fill on the disk."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from ffbench.animation.selection import spread
from ffbench.datasets.clips import Clip
from ffbench.flow.checks import is_known
from ffbench.flows import NumpyFlows
from ffbench.protocol import Image

Estimate = Callable[[Image, Image], NumpyFlows]
SAMPLE = 8
"""Pairs, evenly spread, that the scale of a clip's colors is taken from."""
_QUANTILE = 0.99


@dataclass(frozen=True)
class Rehearsal:
    """What a few pairs of a clip showed.

    Attributes:
        seconds: a pair takes, by the clock.
        scale: length of flow, px, that pictures show fully saturated: the longest 99 % quantile of the pairs', so that
            a few outliers do not bleach all the rest, and no pair is too dark.
        flows: of the first pair.
    """

    seconds: float
    scale: float
    flows: NumpyFlows


def rehearse(clip: Clip, pairs: Sequence[tuple[int, int]], estimate: Estimate, most: int = SAMPLE) -> Rehearsal:
    """Estimate the flows of at most `most` pairs, evenly spread.

    Raises:
        DataError: a frame cannot be decoded.
        MethodError: the method failed.
    """
    chosen = spread(pairs, most)
    first: NumpyFlows | None = None
    times: list[float] = []
    lengths = [0.0]
    for pair in chosen:
        images = clip.frame(pair[0]), clip.frame(pair[1])
        begun = time.perf_counter()
        flows = estimate(*images)
        times.append(time.perf_counter() - begun)
        first = flows if first is None else first
        for field in (flows.facial, flows.head, flows.expression):
            if field is not None and (known := is_known(field)).any():
                length = np.hypot(field[..., 0], field[..., 1])
                lengths.append(float(np.quantile(length[known], _QUANTILE)))
    if first is None:
        raise ValueError("no pairs")
    # What is loaded or compiled with the first pair is not paid again.
    return Rehearsal(median(times[1:] or times), max(lengths) or 1.0, first)
