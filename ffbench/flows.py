"""The flows of an image pair, as methods give them and protocols score them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import torch

# Who reads flows from files has no need of PyTorch.
FlowArray = TypeVar("FlowArray", "torch.Tensor", npt.NDArray[np.float32])


@dataclass(frozen=True)
class Flows(Generic[FlowArray]):
    """The flow of an image pair, forward (image 1 to image 2), in pixels; channel 0 is x to the right, 1 is y down.

    `facial` is all that moves. `head`, the rigid motion of the head, is there when the method decomposes.
    Tensors are (B, 2, H, W) float32; numpy arrays, which `Method.estimate` gives for numpy images, (H, W, 2).
    `found`, (B,) bool, is false for pairs in which the method found nothing to go by, such as a face, so that their
    flow is zero, or that of the whole image; None: true for all.
    `exact` marks the pixels, (H, W), that were given where the others are filled in between them, as those of a bundle
    of predictions are; None: all.
    `confidence` in the facial flow, 0 (none) to 1 (certain), is 1 / (1 + s) with s the endpoint error, in px, that is
    expected at a pixel (`ffbench.flow.confidence`): a tensor (B, 1, H, W), or an array (H, W); None: not known.
    """

    facial: FlowArray
    head: FlowArray | None = None
    exact: npt.NDArray[np.bool_] | None = None
    found: npt.NDArray[np.bool_] | None = None
    confidence: FlowArray | None = None

    @property
    def expression(self) -> FlowArray | None:
        """What the face does beside moving rigidly: facial - head (paper, section 4.3)."""
        return None if self.head is None else self.facial - self.head


NumpyFlows = Flows[npt.NDArray[np.float32]]
"""Of one pair, (H, W, 2) each."""
