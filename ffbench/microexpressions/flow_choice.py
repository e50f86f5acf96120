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
    facial = packed[:FLOW_VALUES].reshape(SIZE, SIZE, 2)
    head = packed[FLOW_VALUES : 2 * FLOW_VALUES].reshape(SIZE, SIZE, 2) if decomposed else None
    flow = one_flow(facial, head, kind, derive)
    return np.concatenate([flow.ravel(), packed[-FACE_VALUES:]]).astype(np.float16)


def one_flow(facial: FlowField, head: FlowField | None, kind: Kind, derive: Derive, cell: int = 1) -> FlowField:
    """Return the flow that is learnt from, (H, W, 2).

    Args:
        facial: (H, W, 2).
        head: the same, of a method that decomposes.
        kind: which flow.
        derive: how a method with one flow gets a head flow.
        cell: of how many of the flow's units the arrays' cells are.

    Raises:
        UsageError: there is no such flow.
    """
    require(kind, derive, decomposed=head is not None)
    if kind == "facial":
        return facial
    if head is None:
        assert derive != "none"
        # The fit takes places and vectors in one unit.
        head = cell * fit_head_flow(facial / cell, np.ones(facial.shape[:2], bool), derive)
    return head if kind == "head" else facial - head


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
