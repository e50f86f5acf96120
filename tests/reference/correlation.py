"""The correlation operator, one product at a time (Dosovitskiy et al., FlowNet, ICCV 2015, Eq. 1)."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def correlation(
    first: Array,
    second: Array,
    kernel_size: int,
    max_displacement: int,
    stride: int,
    padding: int,
    dilation: int,
    dilation_patch: int,
) -> Array:
    """Correlate (N, C, H, W) maps; a position outside of either map contributes nothing."""
    batch, channels, height, width = first.shape
    window = dilation * (kernel_size - 1) + 1
    out_height = (height + 2 * padding - window) // stride + 1
    out_width = (width + 2 * padding - window) // stride + 1
    side = 2 * max_displacement + 1
    result = np.zeros((batch, side, side, out_height, out_width))
    for n, p, q, y, x in itertools.product(*map(range, result.shape)):
        for c, i, j in itertools.product(range(channels), range(kernel_size), range(kernel_size)):
            y1 = y * stride - padding + i * dilation
            x1 = x * stride - padding + j * dilation
            y2 = y1 + (p - max_displacement) * dilation_patch
            x2 = x1 + (q - max_displacement) * dilation_patch
            if 0 <= y1 < height and 0 <= x1 < width and 0 <= y2 < height and 0 <= x2 < width:
                result[n, p, q, y, x] += first[n, c, y1, x1] * second[n, c, y2, x2]
    return result
