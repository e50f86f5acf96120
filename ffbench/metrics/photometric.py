"""Measures of a flow in a face that need no reference: colors after warping, and going back and forth.

They reward any match of equal colors, so a flow can be better by them and worse in truth, on skin without
texture most of all. They are shown beside an endpoint error, never in its place.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ffbench.flow.warp import forward_backward_error, warp_backward
from ffbench.scores import Term
from ffbench.typing import Mask


def photometric_term(image1: npt.NDArray[Any], image2: npt.NDArray[Any], flow: npt.NDArray[Any], mask: Mask) -> Term:
    """Sum the mean absolute RGB difference between pixels of image 1 and their matches in image 2.

    Args:
        image1, image2: (H, W, 3) RGB, 0 to 255.
        flow: (H, W, 2) from image 1 to image 2, in px.
        mask: (H, W) the pixels of image 1 that are asked for.

    Returns:
        The sum in grey levels, and the number of pixels of the mask whose match lies inside image 2.

    >>> dark, bright = np.zeros((2, 2, 3), np.uint8), np.full((2, 2, 3), 8, np.uint8)
    >>> photometric_term(dark, bright, np.zeros((2, 2, 2)), np.ones((2, 2), bool))
    Term(sum=32.0, count=4.0)
    """
    warped, valid = warp_backward(image2, flow)
    counted = mask & valid
    difference = np.abs(warped[counted].astype(np.float64) - image1[counted])
    return Term(float(difference.mean(axis=1).sum()), float(counted.sum()))


def consistency_term(forward: npt.NDArray[Any], backward: npt.NDArray[Any], mask: Mask) -> Term:
    """Sum how far pixels are from where they started after going forward and, bilinearly sampled, back again.

    Args:
        forward: (H, W, 2) flow from image 1 to image 2, in px.
        backward: (H, W, 2) flow from image 2 to image 1.
        mask: (H, W) the pixels p of image 1 that are asked for.

    Returns:
        The sum of |f(p) + b(p + f(p))| in px, and the number of pixels of the mask with p + f(p) inside image 2.

    >>> there, back = np.full((1, 4, 2), (1.0, 0.0)), np.full((1, 4, 2), (-0.5, 0.0))
    >>> consistency_term(there, back, np.ones((1, 4), bool))
    Term(sum=1.5, count=3.0)
    """
    error, valid = forward_backward_error(forward, backward)
    counted = mask & valid
    return Term(float(error[counted].sum(dtype=np.float64)), float(counted.sum()))


def hull_mask(points: npt.ArrayLike, size: tuple[int, int]) -> Mask:
    """Return the pixels of an image whose centres lie in the convex hull of some points, its edge included.

    Args:
        points: (N, 2) finite positions (x, y) in px, not all on one line; they may lie outside of the image.
        size: (width, height) of the image.

    Returns:
        (height, width) bool.

    >>> hull_mask([[0, 0], [2, 0], [0, 2]], (4, 3)).astype(int).tolist()
    [[1, 1, 1, 0], [1, 1, 0, 0], [1, 0, 0, 0]]
    """
    from scipy.spatial import ConvexHull

    width, height = size
    positions = np.asarray(points, np.float64)
    mask = np.zeros((height, width), np.bool_)
    x0, y0 = np.maximum(np.ceil(positions.min(axis=0)), 0).astype(int)
    x1, y1 = np.minimum(np.floor(positions.max(axis=0)), (width - 1, height - 1)).astype(int)
    if x0 > x1 or y0 > y1:
        return mask
    y, x = np.mgrid[y0 : y1 + 1, x0 : x1 + 1]
    inside = np.ones(x.shape, np.bool_)
    for a, b, c in ConvexHull(positions).equations:
        # The equations are normalised: this is the distance from the edge, in px, with room for rounding.
        inside &= a * x + b * y + c <= 1e-9
    mask[y0 : y1 + 1, x0 : x1 + 1] = inside
    return mask
