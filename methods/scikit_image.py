"""Classical optical flow from scikit-image: TV-L1 (Zach et al. 2007) and iterative Lucas-Kanade (2005)."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from types import ModuleType
from typing import Any

import numpy as np

from ffbench.errors import MethodError
from ffbench.method import Method, MethodCard, MethodEntry, MethodRequest

from .classical import CHOSEN_ON, GreyEstimator, GreyFlow
from .options import refuse_network_options
from .presence import needs

TVL1_DEFAULTS: dict[str, Any] = {
    "attachment": 15.0, "tightness": 0.3, "num_warp": 5, "num_iter": 10, "prefilter": False,
}  # fmt: skip
ILK_DEFAULTS: dict[str, Any] = {"radius": 7, "num_warp": 10, "gaussian": False, "prefilter": False}
"""What scikit-image takes where nothing is said; cards name every value."""
TVL1: dict[str, Any] = {**TVL1_DEFAULTS, "attachment": 40.0}
ILK: dict[str, Any] = {**ILK_DEFAULTS, "radius": 12}
"""What `tvl1` and `ilk` run with: docs/baselines.md says how it was chosen."""


def tvl1_estimator(parameters: dict[str, Any]) -> GreyEstimator:
    """Return TV-L1 with these parameters.

    Raises:
        MethodError: scikit-image is not installed.
    """
    return _forward(_registration().optical_flow_tvl1, parameters)


def ilk_estimator(parameters: dict[str, Any]) -> GreyEstimator:
    """Return iterative Lucas-Kanade with these parameters.

    Raises:
        MethodError: scikit-image is not installed.
    """
    return _forward(_registration().optical_flow_ilk, parameters)


def _forward(function: Callable[..., Any], parameters: dict[str, Any]) -> GreyEstimator:
    # Both say where each pixel of their first image, the reference, lies in the second; rows come before columns.
    return lambda first, second: np.stack(function(first, second, **parameters)[::-1], axis=2).astype(np.float32)


def _registration() -> ModuleType:
    try:
        import skimage.registration
    except ImportError as error:
        raise MethodError(
            f"scikit-image cannot be imported ({error}); install it with pip install 'ffbench[scikit-image]'"
        ) from error
    registration: ModuleType = skimage.registration
    return registration


def _load_tvl1(request: MethodRequest) -> Method:
    paper = "Zach, Pock and Bischof, A Duality Based Approach for Realtime TV-L1 Optical Flow, DAGM 2007"
    return _load(request, "TV-L1", paper, TVL1, tvl1_estimator)


def _load_ilk(request: MethodRequest) -> Method:
    paper = "Le Besnerais and Champagnat, Dense Optical Flow by Iterative Local Window Registration, ICIP 2005"
    return _load(request, "Iterative Lucas-Kanade", paper, ILK, ilk_estimator)


def _load(
    request: MethodRequest,
    title: str,
    paper: str,
    parameters: dict[str, Any],
    estimator: Callable[[dict[str, Any]], GreyEstimator],
) -> Method:
    refuse_network_options(request)
    estimate = estimator(parameters)
    options = {**parameters, "chosen_on": CHOSEN_ON, "scikit-image": version("scikit-image")}
    card = MethodCard(id=request.name, title=title, paper=paper, licence="BSD-3-Clause", options=options)
    return GreyFlow(card, estimate)


_MISSING = needs(package="skimage")
tvl1 = MethodEntry("TV-L1, tuned on rendered people (scikit-image)", _load_tvl1, title="TV-L1", missing=_MISSING)
ilk = MethodEntry(
    "iterative Lucas-Kanade, tuned on rendered people (scikit-image)",
    _load_ilk,
    title="Iterative Lucas-Kanade",
    missing=_MISSING,
)
