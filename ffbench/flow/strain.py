"""Optical strain: how much a flow stretches and shears the surface, in the two ways that are in use."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from ffbench.typing import FlowField

StrainName = Literal["tensor", "shear_once"]


def optical_strain(flow: FlowField, variant: StrainName = "tensor") -> npt.NDArray[np.float32]:
    """Return the magnitude of the infinitesimal strain of a flow: (H, W) float32, without a unit, 0 or more.

    The strain is e = (grad F + grad F^T) / 2; a translation has none, a rotation by a small angle next to none.
    Derivatives are central differences over 2 px, one-sided over 1 px at the border.

    - `tensor`: sqrt(e_xx^2 + e_yy^2 + 2 e_xy^2), the Frobenius norm: both shear entries count. With e_xy written out it
      is sqrt(u_x^2 + v_y^2 + (u_y + v_x)^2 / 2), as Liong et al. (STSTNet, FG 2019) have it.
    - `shear_once`: sqrt(e_xx^2 + e_yy^2 + e_xy^2), with (u_y + v_x)^2 / 4: found in released code. It depends on how
      the axes lie: a shear along them counts 1 / sqrt(2) of the same one at 45 degrees.

    Args:
        flow: (H, W, 2) in px, H and W at least 2.
        variant: which magnitude.

    Raises:
        ValueError: the flow is too small, or has another shape.

    >>> stretch = np.stack([0.1 * np.mgrid[0:3, 0:3][1], np.zeros((3, 3))], axis=2)
    >>> round(float(optical_strain(stretch)[1, 1]), 6)
    0.1
    >>> shear = np.stack([0.1 * np.mgrid[0:3, 0:3][0], np.zeros((3, 3))], axis=2)
    >>> [round(float(optical_strain(shear, variant)[1, 1]), 4) for variant in ("tensor", "shear_once")]
    [0.0707, 0.05]
    """
    if flow.ndim != 3 or flow.shape[2] != 2 or min(flow.shape[:2]) < 2:
        raise ValueError(f"a flow of shape {flow.shape}, expected (H, W, 2) with H and W at least 2")
    u_y, u_x = np.gradient(flow[..., 0])
    v_y, v_x = np.gradient(flow[..., 1])
    shear = (u_y + v_x) / 2
    weight = 2 if variant == "tensor" else 1
    return np.asarray(np.sqrt(u_x**2 + v_y**2 + weight * shear**2), np.float32)
