"""What is kept of a pair: flows and face at a quarter of the registered face's resolution, since pairs are many."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ffbench.metrics.head_motion import Derive
from ffbench.microexpressions.flow_choice import Kind, one_flow
from ffbench.recogniser import FACE_SIZE, RegisteredFace
from ffbench.typing import FlowField

CELL = 4
"""Px of the registered face that become one."""
SIDE = FACE_SIZE // CELL
Values = npt.NDArray[np.float32]


def packed(facial: FlowField, head: FlowField | None, face: Values) -> Values:
    """Return the means over squares of `CELL` px: (SIDE, SIDE, 5), or 7 with a head flow.

    Args:
        facial: (FACE_SIZE, FACE_SIZE, 2) in px of the registered face.
        head: the same, of a method that decomposes.
        face: (FACE_SIZE, FACE_SIZE, 3), the first frame's face, RGB from 0 to 1.
    """
    parts = [facial, face] if head is None else [facial, head, face]
    cells = np.concatenate(parts, axis=2).reshape(SIDE, CELL, SIDE, CELL, -1)
    return np.asarray(cells.mean(axis=(1, 3), dtype=np.float64), np.float32)


def chosen_flow(values: Values, kind: Kind, derive: Derive) -> tuple[Values, Values]:
    """Return one flow (SIDE, SIDE, 2), in px of the whole registered face, and the face (SIDE, SIDE, 3).

    Args:
        values: of `packed`.
        kind: which flow.
        derive: how a method with one flow gets a head flow: none, or a fit to its facial flow.

    Raises:
        UsageError: there is no such flow.
    """
    head = values[..., 2:4] if values.shape[2] == 7 else None
    return np.asarray(one_flow(values[..., :2], head, kind, derive, CELL), np.float32), values[..., -3:]


def enlarged(flow: Values, face: Values) -> RegisteredFace:
    """Return what a recogniser sees, at its resolution: each cell repeated."""
    wide = (part.repeat(CELL, axis=0).repeat(CELL, axis=1) for part in (flow, face))
    return RegisteredFace(*wide)
