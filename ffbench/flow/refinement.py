"""Variational refinement of a flow: a few steps down the energy of Brox et al. (2004), at full resolution."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt


def variational_refinement(
    image1: npt.NDArray[np.uint8],
    image2: npt.NDArray[np.uint8],
    flow: npt.NDArray[np.float32],
    *,
    alpha: float,
    iterations: int,
    delta: float = 5.0,
    gamma: float = 10.0,
) -> npt.NDArray[np.float32]:
    """Return a flow refined so that it fits the images and is smooth; OpenCV's `VariationalRefinement`.

    The energy is that of Brox et al., "High Accuracy Optical Flow Estimation Based on a Theory for Warping" (ECCV
    2004): `delta` weighs the constancy of grey values, `gamma` that of their gradients, `alpha` smoothness; all under
    a robust penalty.

    Args:
        image1, image2: (H, W) uint8 grey images.
        flow: (H, W, 2) in px, forward; left as it is.
        iterations: of the outer fixed point; each linearizes the energy anew.

    Returns:
        (H, W, 2) float32 in px.
    """
    algorithm: Any = cv2.VariationalRefinement.create()
    algorithm.setAlpha(alpha)
    algorithm.setDelta(delta)
    algorithm.setGamma(gamma)
    algorithm.setFixedPointIterations(iterations)
    # OpenCV writes into the array that it is given.
    refined = np.array(flow, np.float32, order="C")
    algorithm.calc(image1, image2, refined)
    return refined
