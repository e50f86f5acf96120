"""Points that are carried along the flow from frame to frame, as long as the flow agrees with itself.

A point p of frame t goes to p + F(p), F from frame t to the next. It is followed on if the flow B back from there leads
near p: |F(p) + B(p + F(p))| is at most a tolerance, in px, plus a share of the motion. Otherwise it is lost for good: a
point that is hidden for a while does not come back.

The share is that of Sundaram, Brox and Keutzer, Dense Point Trajectories by GPU-Accelerated Large Displacement Optical
Flow, ECCV 2010, whose test is on squares: 0.01 of |F|^2 + |B|^2 is a tenth of their length.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ffbench.animation.rehearsal import Estimate
from ffbench.flow.sampling import sample_flow
from ffbench.protocol import Image

Points = npt.NDArray[np.float64]
"""(N, 2), x and y in px; the centre of the first pixel is (0, 0)."""
TOLERANCE = 1.0
_SHARE = 0.1


@dataclass(frozen=True)
class CarriedPoints:
    """Where points are in one frame.

    Attributes:
        positions: (N, 2); NaN where a point is lost.
        errors: (N,) px, how far there and back over the last step misses; 0 in the first frame, NaN where it left the
            image or was lost before.
        left: (N,) whether a point was lost in this step by leaving the image.
    """

    positions: Points
    errors: npt.NDArray[np.float64]
    left: npt.NDArray[np.bool_]


def carry_points(
    points: npt.ArrayLike, frames: Iterable[Image], estimate: Estimate, tolerance: float = TOLERANCE
) -> Iterator[CarriedPoints]:
    """Yield where points are in each frame; it stops early when all are lost.

    Args:
        points: (N, 2) in the first frame.
        frames: of one size.
        estimate: gives the flows of two images.
        tolerance: px that there and back may miss by, beside a tenth of the motion.
    """
    positions = np.array(points, np.float64).reshape(-1, 2)
    count = len(positions)
    nothing = np.zeros(count, np.bool_)
    for number, (image1, image2) in enumerate(pairwise(frames)):
        if not number:
            inside = _inside(positions, image1)
            positions = np.where(inside[:, None], positions, np.nan)
            yield CarriedPoints(positions.copy(), np.where(inside, 0.0, np.nan), ~inside)
        forward, backward = estimate(image1, image2).facial, estimate(image2, image1).facial
        moved, valid = _sampled(forward, positions)
        targets = positions + moved
        returned, landed = _sampled(backward, targets)
        errors = np.hypot(*(moved + returned).T)
        length = np.hypot(*moved.T) + np.hypot(*returned.T)
        kept = valid & landed & (errors <= tolerance + _SHARE * length)
        left = valid & ~landed
        positions = np.where(kept[:, None], targets, np.nan)
        yield CarriedPoints(positions.copy(), errors, left if left.any() else nothing)
        if not kept.any():
            return


def _sampled(flow: npt.NDArray[np.float32], points: Points) -> tuple[Points, npt.NDArray[np.bool_]]:
    """Return the flow at points, NaN at those that are lost."""
    known = ~np.isnan(points[:, 0])
    values, valid = sample_flow(flow, np.where(known[:, None], points, -1.0))
    return values, valid & known


def _inside(points: Points, image: Image) -> npt.NDArray[np.bool_]:
    corner = image.shape[1] - 1, image.shape[0] - 1
    x, y = points[:, 0], points[:, 1]
    inside: npt.NDArray[np.bool_] = (x >= 0) & (x <= corner[0]) & (y >= 0) & (y <= corner[1])
    return inside
