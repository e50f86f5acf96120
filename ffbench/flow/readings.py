"""What people get wrong when they write a flow, and how each mistake is undone: one list for methods and for files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Field = npt.NDArray[np.floating]


@dataclass(frozen=True)
class Reading:
    """A way to misread a flow.

    Attributes:
        looks_like: what the flow looks like, after "it looks as if".
        undoing: what undoes it, as in "1.06 px after swapping".
        correct: makes the right flow (H, W, 2) of the wrong one, in px; pure.
    """

    looks_like: str
    undoing: str
    correct: Callable[[Field], Field]


def _scaled(x: float, y: float) -> Callable[[Field], Field]:
    return lambda flow: flow * np.array([x, y], np.float32)


def _in_sizes(share: float) -> Callable[[Field], Field]:
    return lambda flow: flow * np.array([share * flow.shape[1], share * flow.shape[0]], np.float32)


def _fortran(flow: Field) -> Field:
    return flow.reshape(-1).reshape(flow.shape, order="F")


def _transposed(flow: Field) -> Field:
    height, width, _ = flow.shape
    corrected: Field = flow.reshape(width, height, 2).transpose(1, 0, 2)
    return corrected


def _planes(flow: Field) -> Field:
    height, width, _ = flow.shape
    corrected: Field = flow.reshape(2, height, width).transpose(1, 2, 0)
    return corrected


READINGS: tuple[Reading, ...] = (
    Reading("x and y are swapped", "swapping", lambda flow: flow[..., ::-1]),
    Reading("the flow is backward, from image 2 to image 1", "changing both signs", lambda flow: -flow),
    Reading("y points up", "changing the sign of y", _scaled(1, -1)),
    Reading("x points to the left", "changing the sign of x", _scaled(-1, 1)),
    Reading("the flow is half of what it should be", "doubling", lambda flow: 2 * flow),
    Reading("the flow is twice what it should be", "halving", lambda flow: flow / 2),
    Reading("the flow is in shares of the image's size, not in px", "multiplying by width and height", _in_sizes(1.0)),
    Reading(
        "the flow is in halves of the image's size (from -1 to 1), not in px",
        "multiplying by half the width and height",
        _in_sizes(0.5),
    ),
    Reading("the flow is at an eighth of the resolution and was not scaled", "multiplying by 8", lambda flow: 8 * flow),
    Reading("the rows are upside down", "turning them over", lambda flow: flow[::-1]),
    Reading("the values are in Fortran order, columns first", "reading them so", _fortran),
    Reading("rows and columns are exchanged", "transposing", _transposed),
    Reading("all of x is written before all of y", "reading the planes one after the other", _planes),
    Reading("the values are KITTI's 16-bit code", "decoding it", lambda flow: (flow - 2**15) / 64),
)
"""The readings that people meet; each is a flow of the same size as the right one."""
