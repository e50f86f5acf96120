"""The spotter: intervals out of how much a face moves, frame by frame. A floor: nothing is learnt."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ffbench.microexpressions.registration import MESH_PLACES
from ffbench.typing import Floats, FlowField

Frames = tuple[int, int]
"""The numbers of the first and the last frame of an interval."""
THRESHOLD = 0.55
"""Share of the way from the mean of a clip's curve to its maximum, after Moilanen et al. (ICPR 2014)."""

EYES = 2
"""The first so many of `MESH_PLACES` are eyes."""
_EYE = (0.13, 0.07)
"""Half width and half height of what is left out around each eye, in shares of the face: blinks are no expressions."""


def motion_of(flow: FlowField) -> float:
    """Return the mean length of a flow over the registered face without its eyes.

    Args:
        flow: (N, N, 2), over the whole registered face.

    >>> flow = np.zeros((56, 56, 2))
    >>> flow[20, 17] = 9  # an eye
    >>> motion_of(flow)
    0.0
    >>> motion_of(flow + (3, 4)) - motion_of(flow)
    5.0
    """
    lengths = np.linalg.norm(flow.astype(np.float64), axis=2)
    return float(lengths[~eyes_of(len(flow))].mean())


def eyes_of(side: int) -> npt.NDArray[np.bool_]:
    """Return which cells of a registered face of (side, side) lie around an eye."""
    rows, columns = (np.mgrid[0:side, 0:side] + 0.5) / side
    around = [(abs(columns - x) <= _EYE[0]) & (abs(rows - y) <= _EYE[1]) for x, y in MESH_PLACES[:EYES]]
    return np.asarray(np.any(around, axis=0))


def spot(starts: npt.NDArray[np.int64], motion: Floats, window: int, last: int) -> list[Frames]:
    """Return the intervals in which a clip moves most, in order of time.

    A micro-expression that rises and falls gives two humps of motion; their mean over `window` frames to either side is
    one, over the apex. What stands out of this curve is spotted: from the mean of the clip's curve, `THRESHOLD` of the
    way up to its maximum. Of peaks that are nearer than two windows the higher one counts, of equal ones the earlier.
    An interval goes from `window` frames before its peak to `window` after it, as far as the clip has frames.

    Args:
        starts: (N,), numbers of the first frames of the pairs, ascending.
        motion: (N,), how much the face moves from there to `window` frames later.
        window: frames between both frames of a pair; half of the expected length of a micro-expression.
        last: number of the clip's last frame; the first is `starts[0]`.

    >>> starts = np.arange(1, 41)
    >>> humps = [np.maximum(3 - np.abs(starts - middle), 0.0) for middle in (13, 21)]
    >>> spot(starts, humps[0] + humps[1], 5, 45)
    [(14, 24)]
    """
    curve = smoothed(starts, motion, window)
    mean, top = float(curve.mean()), float(curve.max())
    if top <= mean:  # nothing stands out
        return []
    padded = np.concatenate([[-np.inf], curve, [-np.inf]])
    peaks = np.flatnonzero((curve >= padded[:-2]) & (curve >= padded[2:]) & (curve >= mean + THRESHOLD * (top - mean)))
    kept: list[int] = []
    for peak in peaks[np.argsort(-curve[peaks], kind="stable")]:
        if all(abs(int(starts[peak]) - int(starts[other])) >= 2 * window for other in kept):
            kept.append(int(peak))
    middles = sorted(int(starts[peak]) + window // 2 for peak in kept)
    return [(max(middle - window, int(starts[0])), min(middle + window, last)) for middle in middles]


def smoothed(starts: npt.NDArray[np.int64], motion: Floats, window: int) -> Floats:
    """Return the mean of the motion over all pairs that start at most `window` frames before or after each, (N,).

    >>> smoothed(np.array([1, 2, 4]), np.array([3.0, 6.0, 9.0]), 2).tolist()
    [4.5, 6.0, 7.5]
    """
    near = np.abs(starts[:, None] - starts[None]) <= window
    means: Floats = (near * motion).sum(axis=1) / near.sum(axis=1)
    return means
