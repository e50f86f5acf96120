"""Clean pairs of frames of a face, its pixels that are compared, and how far a corrupted pair's flow is from theirs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ffbench.datasets.ffn.files import read_pair
from ffbench.datasets.ffn.scan import FFNPair
from ffbench.flow.checks import is_known
from ffbench.metrics.photometric import hull_mask
from ffbench.protocol import MetricCard, Term

from .corrupted import CorruptedClip

PIXELS = 4096
"""At most so many pixels of a face are compared, evenly spaced in scan order."""
METRICS = {
    "robustness": MetricCard(title="difference from the flow of the clean pair", unit="px", minimum=0),
    "robustness_relative": MetricCard(title="difference over the flow of the clean pair", unit="%", minimum=0),
    "changed_1px": MetricCard(title="pixels whose flow changes by more than 1 px", unit="%", minimum=0, maximum=100),
    "hidden": MetricCard(title="pixels of the face behind a hand or glasses", unit="%", minimum=0, maximum=100),
}
EPE = {"epe": MetricCard(title="endpoint error, clean pairs included", unit="px", minimum=0)}


@dataclass(frozen=True)
class FacePixels:
    """The pixels of a face in frame 1 that are compared.

    Attributes:
        rows, columns: (n,) where they are.
        hidden: (n,) bool, whether something stands in front of them in frame 1, or at the same place in frame 2.
        truth: (n, 2) float32, the true flow in px; None where it is not known.
    """

    rows: npt.NDArray[np.intp]
    columns: npt.NDArray[np.intp]
    hidden: npt.NDArray[np.bool_]
    truth: npt.NDArray[np.float32] | None


@dataclass(frozen=True)
class Base:
    """A clean pair: frames `start` and `end` of a clip, the independent unit that it is of, and its labels if any."""

    clip: CorruptedClip
    start: int
    end: int
    block: str
    rendered: FFNPair | None = None


def robustness_terms(clean: npt.ArrayLike, corrupted: npt.ArrayLike) -> dict[str, Term]:
    """Measure how far the flow of a corrupted pair is from that of the clean pair.

    Args:
        clean: (n, 2) flow in px.
        corrupted: (n, 2) flow at the same pixels, NaN where something hides them.

    Returns:
        With d the length of the difference at a pixel that is not hidden and s that of the clean flow: `robustness`, d;
        `robustness_relative`, the sum of 100 d over that of s; `changed_1px`, 100 where d > 1 px; and `hidden`, 100 at
        each pixel that is.

    >>> terms = robustness_terms([[3.0, 0.0], [0.0, 4.0]], [[0.0, 0.0], [np.nan, np.nan]])
    >>> terms["robustness"], terms["robustness_relative"], terms["hidden"]
    (Term(sum=3.0, count=1.0), Term(sum=300.0, count=3.0), Term(sum=100.0, count=2.0))
    """
    before, after = np.asarray(clean, np.float64), np.asarray(corrupted, np.float64)
    seen = np.asarray(np.isfinite(after).all(axis=1), np.bool_)
    difference = np.hypot(*(after[seen] - before[seen]).T)
    count, total = float(seen.sum()), float(difference.sum())
    return {
        "robustness": Term(total, count),
        "robustness_relative": Term(100.0 * total, float(np.hypot(*before[seen].T).sum())),
        "changed_1px": Term(100.0 * float((difference > 1).sum()), count),
        "hidden": Term(100.0 * float((~seen).sum()), float(len(seen))),
    }


def face_pixels(base: Base, hidden: npt.NDArray[np.bool_]) -> FacePixels:
    """Return the pixels of the face of a clean pair that are compared.

    Args:
        base: the clean pair.
        hidden: (H, W) where something stands in front of the face.

    Raises:
        DataError: the labels of a rendered pair cannot be read.
    """
    tracked = base.clip.tracked
    face = hull_mask(tracked.points[base.start], tracked.clip.size)
    truth = None
    if base.rendered is not None:
        labels = read_pair(base.rendered)
        face &= labels.mask & is_known(labels.facial)
        truth = labels.facial
    rows, columns = np.nonzero(face)
    step = -(-len(rows) // PIXELS) or 1
    rows, columns = rows[::step], columns[::step]
    return FacePixels(
        rows, columns, hidden[rows, columns], None if truth is None else np.asarray(truth[rows, columns], np.float32)
    )
