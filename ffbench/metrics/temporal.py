"""How steady the flows of neighboring frames of a clip are: points carried along by them, and flows in a chain."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ffbench.flow.checks import is_known
from ffbench.flow.sampling import sample_flow
from ffbench.flow.warp import warp_backward
from ffbench.scores import Term
from ffbench.typing import FlowField, Points

JITTER_FRAMES = 5
"""Frames of a track whose jitter is measured."""
# The fourth difference of positions is the third one of steps, f4 - 3 f3 + 3 f2 - f1: of independent noise with
# deviation sigma it has sqrt(1 + 9 + 9 + 1) sigma. The mean of |z| is sqrt(2 / pi) for a standard normal z.
_MEAN_OF_DIFFERENCE = math.sqrt(20) * math.sqrt(2 / math.pi)


def chained(first: FlowField, second: FlowField) -> FlowField:
    """Return the flow from frame 1 to 3 that two flows make: first(x) + second(x + first(x)), bilinear.

    Args:
        first: (H, W, 2) flow from frame 1 to 2, in px.
        second: (H, W, 2) flow from frame 2 to 3.

    Returns:
        (H, W, 2) float32; NaN where a flow is not known or the first one leads out of the image.

    Raises:
        ValueError: the flows are not of one size.

    >>> step = np.full((1, 4, 2), (1.0, 0.0), np.float32)
    >>> chained(step, step)[0, :, 0].tolist()
    [2.0, 2.0, 2.0, nan]
    """
    onward, valid = warp_backward(np.where(is_known(second)[..., None], second, np.nan), first)
    return np.where(valid[..., None], first + onward, np.float32(np.nan)).astype(np.float32, copy=False)


def carried(points: npt.ArrayLike, flows: Sequence[FlowField]) -> Points:
    """Return the tracks of points that are carried along by the flows from each frame to the next.

    Args:
        points: (N, 2) positions (x, y) in px in the first frame; the center of the first pixel is (0, 0).
        flows: of T steps, (H, W, 2) in px.

    Returns:
        (T + 1, N, 2) float64; NaN from where a point is outside of the image or the flow is not known there.

    >>> step = np.full((3, 4, 2), (1.0, 0.0), np.float32)
    >>> carried([[0.0, 1.0]], [step, step]).tolist()
    [[[0.0, 1.0]], [[1.0, 1.0]], [[2.0, 1.0]]]
    """
    tracks = [np.asarray(points, np.float64)]
    for flow in flows:
        step, _ = sample_flow(flow, tracks[-1])
        tracks.append(tracks[-1] + step)
    return np.stack(tracks)


def jitter_term(tracks: npt.ArrayLike) -> Term:
    """Sum the noise of the steps of tracks through five frames, less what all points share.

    Motion that is smooth over five frames (a cubic in time) leaves nothing in the fourth difference of a track's
    positions but noise. What all points share is taken out, as a camera that shakes moves them all. If the noise of the
    steps is Gaussian and independent, the mean is its standard deviation in x and in y.

    Args:
        tracks: (5, N, 2) in px; points that are NaN in a frame do not count.

    Returns:
        The sum over points, and over x and y, of the size of the difference over that which noise of 1 px has; and how
        many there were: 0 with fewer than two points.

    Raises:
        ValueError: another shape.

    >>> steady = np.stack([np.array([[t, 0.0], [t, 5.0]]) for t in range(5)])  # two points that move evenly
    >>> shaken = steady + np.array([[0.0, 0.0], [1.0, 0.0]]) * np.array([0, 0, 1, 0, 0])[:, None, None]
    >>> jitter_term(steady), jitter_term(shaken).sum > 0
    (Term(sum=0.0, count=4.0), True)
    """
    positions = np.asarray(tracks, np.float64)
    if positions.ndim != 3 or positions.shape[::2] != (JITTER_FRAMES, 2):
        raise ValueError(f"expected ({JITTER_FRAMES}, N, 2), got {positions.shape}")
    differences = np.diff(positions[:, np.isfinite(positions).all(axis=(0, 2))], n=4, axis=0)[0]
    count = len(differences)
    if count < 2:
        return Term(0.0, 0.0)
    own = (differences - differences.mean(axis=0)) * math.sqrt(count / (count - 1))
    return Term(float(np.abs(own).sum()) / _MEAN_OF_DIFFERENCE, 2.0 * count)
