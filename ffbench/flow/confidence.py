"""Confidence in a flow: a number from 0 to 1 for each pixel, on one scale for all methods.

The confidence of a pixel is 1 / (1 + s), with s the endpoint error in px that is expected there. It is 1 where the flow
is certain, 0.5 where it is expected to be off by 1 px, and 0 where nothing is known. It can be turned back into s.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import torch


def confidence_of(expected_error: torch.Tensor) -> torch.Tensor:
    """Return the confidence, 0 to 1, of expected endpoint errors in px, 0 to infinity, of any shape.

    >>> import torch
    >>> confidence_of(torch.tensor([0, 1, 3, torch.inf])).tolist()
    [1.0, 0.5, 0.25, 0.0]
    """
    return 1 / (1 + expected_error)


def expected_error(confidence: torch.Tensor) -> torch.Tensor:
    """Return the expected endpoint error in px of confidences from 0 to 1, of any shape; that of 0 is infinite.

    >>> import torch
    >>> expected_error(torch.tensor([1, 0.5, 0.25])).tolist()
    [0.0, 1.0, 3.0]
    """
    return 1 / confidence - 1


def forward_backward_confidence(
    forward: npt.NDArray[np.float32], backward: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """Return the confidence of a forward flow by its consistency with the backward flow.

    The distance |F(x) + B(x + F(x))| between a pixel and where it ends after going there and back stands for the
    expected error. Where the flow leads out of the image the confidence is 0.

    Args:
        forward, backward: (H, W, 2) in px, from image 1 to image 2 and from image 2 to image 1.

    Returns:
        (H, W) float32.

    Raises:
        ValueError: the flows are not of one size.
    """
    from ffbench.flow.warp import forward_backward_error  # numba is slow to import

    error, valid = forward_backward_error(forward, backward)
    return np.where(valid, 1 / (1 + error), 0).astype(np.float32)
