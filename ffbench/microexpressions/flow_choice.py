"""Which flow is learnt from: facial, head or expression flow of the registered face, and what is kept of a pair."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from ffbench.errors import UsageError
from ffbench.metrics.head_motion import Derive, fit_head_flow
from ffbench.recogniser import RegisteredFace
from ffbench.typing import FlowField

from .registration import SIZE

Kind = Literal["facial", "head", "expression"]
Values = npt.NDArray[np.float32]

FLOW_VALUES = SIZE * SIZE * 2
FACE_VALUES = SIZE * SIZE * 3


def pack(facial: FlowField, head: FlowField | None, onset: FlowField) -> Values:
    """Put what is kept of a pair in one flat array.

    Args:
        facial: (SIZE, SIZE, 2) in px of the face.
        head: the same, of a method that decomposes.
        onset: (SIZE, SIZE, 3), the onset face in [0, 1].
    """
    flows = [facial] if head is None else [facial, head]
    return np.concatenate([part.ravel() for part in (*flows, onset)], dtype=np.float32)


def choose(packed: Values, kind: Kind, derive: Derive) -> npt.NDArray[np.float16]:
    """Return the descriptor that recognisers read: one flow (SIZE, SIZE, 2), then the onset face, flat.

    Args:
        packed: of `pack`.
        kind: which flow.
        derive: how a method with one flow gets a head flow: none, or a fit to its facial flow.

    Raises:
        UsageError: there is no such flow.
    """
    decomposed = len(packed) == 2 * FLOW_VALUES + FACE_VALUES
    require(kind, derive, decomposed=decomposed)
    onset = packed[-FACE_VALUES:]
    flow = facial = packed[:FLOW_VALUES].reshape(SIZE, SIZE, 2)
    if kind != "facial":
        if decomposed:
            head = packed[FLOW_VALUES : 2 * FLOW_VALUES].reshape(SIZE, SIZE, 2)
        else:
            assert derive != "none"
            head = fit_head_flow(facial, np.ones((SIZE, SIZE), bool), derive)
        flow = head if kind == "head" else facial - head
    return np.concatenate([flow.ravel(), onset]).astype(np.float16)


def require(kind: Kind, derive: Derive, *, decomposed: bool) -> None:
    """Check that a method gives a flow, or that it can be derived.

    Raises:
        UsageError: it cannot.
    """
    if kind != "facial" and not decomposed and derive == "none":
        raise UsageError(
            f"flow={kind} needs a method that decomposes, or -o derive_head=rigid (or homography), which fits a head "
            "flow to the facial flow"
        )


def split(descriptor: npt.NDArray[np.float16]) -> RegisteredFace:
    """Return the flow (SIZE, SIZE, 2) and the onset face (SIZE, SIZE, 3) of a descriptor."""
    values = descriptor.astype(np.float32)
    return RegisteredFace(values[:FLOW_VALUES].reshape(SIZE, SIZE, 2), values[FLOW_VALUES:].reshape(SIZE, SIZE, 3))
