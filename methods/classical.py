"""Classical optical flow from OpenCV: Dense Inverse Search (Kroeger et al. 2016) and Farneback (2003)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch

from ffbench.method import Flows, Method, MethodCard, MethodEntry, MethodRequest

from .options import refuse_network_options

_Grey = npt.NDArray[Any]  # uint8, (H, W)
_Estimator = Callable[[_Grey, _Grey], npt.NDArray[np.float32]]
_DIS_PAPER = "Kroeger et al., Fast Optical Flow using Dense Inverse Search, ECCV 2016"
# DIS builds a pyramid down to 1/8 (MEDIUM) or 1/32 of patches of 8 px and fails on images that it cannot fill.
_SMALLEST_SIDE = 64
_FARNEBACK: dict[str, Any] = {
    "pyr_scale": 0.5,
    "levels": 5,
    "winsize": 15,
    "iterations": 3,
    "poly_n": 7,
    "poly_sigma": 1.5,
}


class OpenCvFlow(Method):
    """One of OpenCV's estimators on grey images; they run on the CPU and take one pair at a time."""

    def __init__(self, card: MethodCard, estimator: _Estimator) -> None:
        self.card = card
        self._estimator = estimator

    def forward(self, image1: torch.Tensor, image2: torch.Tensor) -> Flows[torch.Tensor]:
        """Estimate pair by pair."""
        height, width = image1.shape[2:]
        first, second = _grey(image1), _grey(image2)
        flows = [self._estimator(a, b)[:height, :width] for a, b in zip(first, second, strict=True)]
        return Flows(torch.from_numpy(np.stack(flows)).permute(0, 3, 1, 2))


def _grey(images: torch.Tensor) -> list[_Grey]:
    """Give uint8 grey images, padded at the right and bottom to the smallest side that DIS can work on."""
    arrays = images.mul(255).round_().clamp_(0, 255).byte().permute(0, 2, 3, 1).cpu().numpy()
    height, width = arrays.shape[1:3]
    bottom, right = max(_SMALLEST_SIDE - height, 0), max(_SMALLEST_SIDE - width, 0)
    greys = [cv2.cvtColor(np.ascontiguousarray(array), cv2.COLOR_RGB2GRAY) for array in arrays]
    return [cv2.copyMakeBorder(grey, 0, bottom, 0, right, cv2.BORDER_REPLICATE) for grey in greys]


def _load_dis(preset: str) -> Callable[[MethodRequest], Method]:
    def load(request: MethodRequest) -> Method:
        refuse_network_options(request)
        # Looked up by name, so that the card states exactly the preset that runs.
        algorithm: Any = cv2.DISOpticalFlow.create(getattr(cv2, f"DISOPTICAL_FLOW_PRESET_{preset}"))
        card = MethodCard(
            id=request.name,
            title=f"DIS ({preset})",
            paper=_DIS_PAPER,
            licence="Apache-2.0",
            options={"preset": preset, "opencv": cv2.__version__},
        )
        return OpenCvFlow(card, lambda first, second: algorithm.calc(first, second, None))

    return load


def _load_farneback(request: MethodRequest) -> Method:
    refuse_network_options(request)
    card = MethodCard(
        id=request.name,
        title="Farneback",
        paper="Farneback, Two-Frame Motion Estimation Based on Polynomial Expansion, SCIA 2003",
        licence="Apache-2.0",
        options={**_FARNEBACK, "opencv": cv2.__version__},
    )

    def estimate(first: _Grey, second: _Grey) -> npt.NDArray[np.float32]:
        flow: Any = None
        return np.asarray(cv2.calcOpticalFlowFarneback(first, second, flow, flags=0, **_FARNEBACK), np.float32)

    return OpenCvFlow(card, estimate)


dis = MethodEntry("Dense Inverse Search, preset MEDIUM (OpenCV)", _load_dis("MEDIUM"), quick=True)
dis_fast = MethodEntry("Dense Inverse Search, preset FAST (OpenCV)", _load_dis("FAST"), quick=True)
dis_ultrafast = MethodEntry("Dense Inverse Search, preset ULTRAFAST (OpenCV)", _load_dis("ULTRAFAST"), quick=True)
farneback = MethodEntry("Farneback's polynomial expansion (OpenCV)", _load_farneback, quick=True)
