"""What a flow says about the images it was estimated from, without any label."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from ffbench.flow.checks import is_known
from ffbench.typing import FlowField, Mask


def warp_backward(image2: npt.NDArray[Any], flow: FlowField) -> tuple[npt.NDArray[np.float32], Mask]:
    """Bring image 2 back onto image 1: sample it bilinearly at x + flow(x) for each pixel x of image 1.

    Positions and sums are float64, so the result is the bilinear value rounded to float32.

    Args:
        image2: (H, W) or (H, W, C), any numbers.
        flow: (H, W, 2), from image 1 to image 2, in pixels.

    Returns:
        The warped image, float32 in the shape and units of `image2`, and the mask (H, W) of the pixels that
        are valid. Not valid, and NaN, are pixels whose flow is not known or leads out of it.

    Raises:
        ValueError: image and flow are not of one size.
    """
    image2, flow = np.asarray(image2), np.asarray(flow)
    if image2.ndim not in (2, 3) or flow.shape != (*image2.shape[:2], 2):
        raise ValueError(
            f"expected an image (H, W) or (H, W, C) and a flow (H, W, 2), got {image2.shape} and {flow.shape}"
        )
    channels = image2.reshape(*image2.shape[:2], -1)
    warped = np.full(channels.shape, np.nan, np.float32)
    valid = is_known(flow)
    _warp(channels, flow, warped, valid)
    return warped.reshape(image2.shape), valid


def forward_backward_error(forward: FlowField, backward: FlowField) -> tuple[npt.NDArray[np.float32], Mask]:
    """Measure how far a pixel lands from where it began when it follows the flow there and back.

    Args:
        forward: (H, W, 2), from image 1 to image 2, in pixels.
        backward: (H, W, 2), from image 2 to image 1.

    Returns:
        |F(x) + B(x + F(x))| in pixels, (H, W) float32, right to some 1e-7 of the flows' length, and the mask (H, W)
        of the pixels that are valid. Not valid, and NaN, are pixels where a flow is not known or leads out of it.

    Raises:
        ValueError: the flows are not of one size.
    """
    forward, backward = np.asarray(forward), np.asarray(backward)
    if forward.ndim != 3 or forward.shape[2] != 2 or forward.shape != backward.shape:
        raise ValueError(f"expected two flows (H, W, 2) of one size, got {forward.shape} and {backward.shape}")
    back, valid = warp_backward(np.where(is_known(backward)[:, :, None], backward, np.nan), forward)
    error = np.hypot(forward[:, :, 0] + back[:, :, 0], forward[:, :, 1] + back[:, :, 1], dtype=np.float32)
    valid &= ~np.isnan(error)
    return error, valid


@numba.njit(cache=True)
def _warp(image: npt.NDArray[Any], flow: FlowField, warped: npt.NDArray[np.float32], valid: Mask) -> None:
    height, width, channels = image.shape
    for row in range(height):
        for column in range(width):
            x = column + np.float64(flow[row, column, 0])
            y = row + np.float64(flow[row, column, 1])
            if not valid[row, column] or not (0 <= x <= width - 1 and 0 <= y <= height - 1):
                valid[row, column] = False
                continue
            left, top = int(x), int(y)
            right_weight, bottom_weight = x - left, y - top
            # A neighbour without weight may lie outside of the image or be NaN: take the pixel itself.
            right = left + 1 if right_weight > 0 else left
            bottom = top + 1 if bottom_weight > 0 else top
            for channel in range(channels):
                upper = image[top, left, channel] * (1 - right_weight) + image[top, right, channel] * right_weight
                lower = image[bottom, left, channel] * (1 - right_weight) + image[bottom, right, channel] * right_weight
                warped[row, column, channel] = upper * (1 - bottom_weight) + lower * bottom_weight
