"""Whether the flows of a submission look as if they follow another convention: swapped axes, other signs, other units.

A sample of pairs is looked at in every reading that people meet (`ffbench.flow.readings`). Where the labels are at
hand, a flow is compared with them; elsewhere image 2 is warped back by it and compared with image 1. A reading is named
only where it explains nearly all: docs/submissions.md has the rule, and how often it is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ffbench.errors import DataError
from ffbench.flow.checks import FlowField, is_known
from ffbench.flow.readings import READINGS, Reading
from ffbench.protocol import Annotation, Image, Pair, Progress, Protocol

Error = Callable[[FlowField], float]
"""How far a flow is off in one pair."""

SAMPLE = 12
"""Pairs that are looked at, spread evenly over the protocol's order."""
FEWEST = 3
"""Pairs below which nothing is said."""
_EXPLAINED_BY_LABELS, _EXPLAINED_BY_IMAGES = 0.5, 0.7
"""A reading is named if it leaves at most this of the flow's error, ..."""
_BEATS_ZERO = 0.7
"""... at most this of the error of zero flow, ..."""
_AGREEING = 0.8
"""... and is better in this share of the pairs."""
_WORSE = 1.02
"""A flow is worse than zero flow if its error is this many times as large, ..."""
_MOST = 0.5
"""... and larger in more than this share of the pairs."""
_TEXTURED = 0.5
"""Share of the pixels, those with the steepest edges, that images are compared at: flat skin fits any flow."""
_CAP = 30.0
"""Gray levels; what differs by more is hidden, or lit otherwise."""
_REACH = 3
_BELL = np.exp(-0.5 * np.arange(-_REACH, _REACH + 1) ** 2)
_GAUSSIAN = (_BELL / _BELL.sum()).astype(np.float32)
"""Weights of the pixels up to `_REACH` px away, of a standard deviation of 1 px."""
_POINTS = 20_000
_MOST_PIXELS = 2**25
"""Of all pairs together; then fewer pairs will do."""
_CODES = 255


@dataclass(frozen=True)
class Look:
    """What a sample of flows looks like.

    Attributes:
        pairs: how many were looked at.
        by_labels: whether errors are endpoint errors in px; otherwise differences in gray levels.
        error, zero: of the flow as it is, and of zero flow; means over the pairs.
        reading, corrected: what explains the flow, and the error with that undone; None: nothing does.
        worse: whether zero flow is better.
        picture: whether the values are those of a picture of the flow.
    """

    pairs: int
    by_labels: bool
    error: float
    zero: float
    reading: Reading | None = None
    corrected: float | None = None
    worse: bool = False
    picture: bool = False

    def lines(self) -> list[str]:
        """Return what a person should read; nothing where nothing is the matter."""
        lines = []
        if self.picture:
            lines.append(
                "looks as if the flow is read from a picture of it, its values are whole numbers from 0 to 255; "
                "write the flow itself, in px"
            )
        if self.reading is not None and self.corrected is not None:
            lines.append(
                f"looks as if {self.reading.looks_like}: {self._said(self.error)}, {self.corrected:.3g} after "
                f"{self.reading.undoing} ({self._of})"
            )
        if self.worse:
            lines.append(
                f"worse than zero flow: {self._said(self.error)}, of zero flow {self.zero:.3g} ({self._of}); "
                "is it forward (image 1 to image 2), in px, x to the right and y down?"
            )
        return lines

    @property
    def _of(self) -> str:
        return f"{self.pairs} pairs, {'by the labels' if self.by_labels else 'by the images alone'}"

    def _said(self, error: float) -> str:
        if self.by_labels:
            return f"endpoint error {error:.3g} px"
        return f"image 2 warped back differs from image 1 by {error:.3g} gray levels"


def look(
    read: Callable[[str, tuple[int, int]], FlowField],
    keys: Sequence[str],
    protocol: Protocol[Any],
    progress: Progress | None = None,
) -> Look | None:
    """Look at the facial flows of a sample of pairs in every reading.

    Args:
        read: gives the flow (H, W, 2) of a pair by its key and the size (H, W) of its images.
        keys: the pairs whose flows are sound.
        protocol: gives the images, and labels where it has them.
        progress: told how many pairs are done.

    Returns:
        None where there are fewer than `FEWEST` pairs.
    """
    chosen = [keys[i] for i in np.linspace(0, len(keys) - 1, min(SAMPLE, len(keys))).astype(int)]
    pictures: list[bool] = []
    by_labels: list[list[float]] = []
    by_images: list[list[float]] = []
    pixels = 0
    for done, key in enumerate(chosen, start=1):
        try:
            pair = protocol.load(key)
            flow = read(key, (pair.image1.shape[0], pair.image1.shape[1]))
        except DataError:  # it is named elsewhere
            continue
        pictures.append(_is_picture(flow))
        label_error = _label_error(protocol.annotation(pair))
        if label_error is not None:
            by_labels.append(_errors(flow, label_error))
        else:
            by_images.append(_errors(flow, _image_error(pair)))
        if progress:
            progress(done, len(chosen))
        pixels += flow.shape[0] * flow.shape[1]
        if pixels > _MOST_PIXELS and len(pictures) >= FEWEST:
            break
    labelled = len(by_labels) >= len(by_images)
    errors = np.array(by_labels if labelled else by_images)
    if len(errors) < FEWEST:
        return None
    return judge(errors, labelled, picture=all(pictures))


def judge(errors: npt.NDArray[np.float64], by_labels: bool, picture: bool = False) -> Look:
    """Say what errors mean. Pure.

    Args:
        errors: (pairs, 2 + readings): of zero flow, of the flow as it is, and of each of `READINGS`.
        by_labels: whether they are endpoint errors.
        picture: whether the values are those of a picture.
    """
    zero, error, *corrected = errors.mean(axis=0).tolist()
    found = Look(len(errors), by_labels, error, zero, picture=picture)
    best = int(np.argmin(corrected))
    explained = _EXPLAINED_BY_LABELS if by_labels else _EXPLAINED_BY_IMAGES
    agreeing = float((errors[:, 2 + best] < errors[:, 1]).mean())
    if corrected[best] < explained * error and corrected[best] < _BEATS_ZERO * zero and agreeing >= _AGREEING:
        return Look(len(errors), by_labels, error, zero, READINGS[best], corrected[best], picture=picture)
    if error > _WORSE * zero and (errors[:, 1] > errors[:, 0]).mean() > _MOST:
        return Look(len(errors), by_labels, error, zero, worse=True, picture=picture)
    return found


def _errors(flow: FlowField, error: Error) -> list[float]:
    """Return the errors of zero flow, of a flow, and of it in each reading; one copy is made at a time."""
    readings = (np.ascontiguousarray(reading.correct(flow), np.float32) for reading in READINGS)
    return [error(np.zeros_like(flow)), error(flow), *map(error, readings)]


def _label_error(annotation: Annotation) -> Error | None:
    """Return the mean endpoint error, px, against a pair's labels; None where it has none of facial flow."""
    if annotation.facial is not None:
        truth = annotation.facial
        mask = is_known(truth) if annotation.mask is None else annotation.mask & is_known(truth)
        rows, columns = np.nonzero(mask)
        step = max(1, len(rows) // _POINTS)
        rows, columns = rows[::step], columns[::step]
        if not len(rows):
            return None
        return lambda flow: float(np.linalg.norm(flow[rows, columns] - truth[rows, columns], axis=1).mean())
    if annotation.first is None or annotation.second is None:
        return None
    from ffbench.flow.sampling import sample_flow

    sound = np.isfinite(annotation.first).all(axis=1) & np.isfinite(annotation.second).all(axis=1)
    points, moved = annotation.first[sound], (annotation.second - annotation.first)[sound]
    if not len(points):
        return None

    def error(flow: FlowField) -> float:
        values, valid = sample_flow(flow, points)
        return float(np.linalg.norm(values[valid] - moved[valid], axis=1).mean()) if valid.any() else np.inf

    return error


def _image_error(pair: Pair[Any]) -> Error:
    """Return the mean difference, gray levels, between image 1 and image 2 warped back, at the textured pixels.

    Pixels that a flow leads out of the image count as if they had not moved.
    """
    from ffbench.flow.warp import warp_backward

    first, second = _gray(pair.image1), _gray(pair.image2)
    edges = np.hypot(*np.gradient(first))
    textured = edges >= np.quantile(edges, 1 - _TEXTURED)

    def error(flow: FlowField) -> float:
        warped, valid = warp_backward(second, flow)
        difference = np.abs(np.where(valid, warped, second) - first)
        return float(np.minimum(difference, _CAP)[textured].mean(dtype=np.float64))

    return error


def _gray(image: Image) -> npt.NDArray[np.float32]:
    """Return the luma (Rec. 601) of an image, (H, W) from 0 to 255, under a Gaussian of 1 px."""
    gray = image.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    for _ in range(2):  # once along each axis
        padded = np.pad(gray, ((_REACH, _REACH), (0, 0)), mode="symmetric")
        blurred = np.zeros_like(gray)
        for at, weight in enumerate(_GAUSSIAN):
            blurred += weight * padded[at : at + len(gray)]
        gray = blurred.T
    return np.ascontiguousarray(gray)


def _is_picture(flow: FlowField) -> bool:
    """Tell whether values are the bytes of a picture: whole, from 0 to 255, and bright as the color code's white is."""
    return bool(flow.min() >= 0 and flow.max() <= _CODES and flow.mean() > _CODES / 4 and (flow == np.rint(flow)).all())
