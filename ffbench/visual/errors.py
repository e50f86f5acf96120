"""What is wrong with a flow, pixel by pixel: against the true flow, or else against the images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ffbench.flow.checks import is_known
from ffbench.flow.warp import warp_backward
from ffbench.typing import FlowField, Mask
from ffbench.visual.picture import Picture


@dataclass(frozen=True)
class FlowError:
    """Endpoint error in pixels, or else photometric error in grey levels; (H, W), of worth where `valid`."""

    values: npt.NDArray[np.float32]
    valid: Mask
    is_endpoint: bool

    @property
    def mean(self) -> float | None:
        """Mean over the valid pixels; None when there are none."""
        return float(self.values[self.valid].mean()) if self.valid.any() else None


def flow_error(flow: FlowField, image1: Picture, image2: Picture, truth: FlowField | None) -> FlowError:
    """Measure the error of a flow at every pixel.

    Args:
        flow: (H, W, 2), from image 1 to image 2, in pixels.
        image1, image2: (H, W, 3) uint8 RGB.
        truth: (H, W, 2), the true flow.

    Returns:
        The endpoint error against `truth`; without it, the photometric error: the mean absolute RGB difference
        between image 1 and image 2 brought back by the flow.
    """
    if truth is not None:
        return FlowError(np.linalg.norm(flow - truth, axis=2), is_known(truth) & is_known(flow), True)
    warped, valid = warp_backward(image2, flow)
    return FlowError(np.abs(warped - image1).mean(axis=2), valid, False)
