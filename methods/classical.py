"""Classical flow on grey images; OpenCV's Dense Inverse Search (Kroeger et al. 2016) and Farneback (2003)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch

from ffbench.flow.refinement import variational_refinement
from ffbench.method import Flows, Method, MethodCard, MethodEntry, MethodRequest

from .options import refuse_network_options

GreyImage = npt.NDArray[np.uint8]
GreyEstimator = Callable[[GreyImage, GreyImage], npt.NDArray[np.float32]]
"""Takes two (H, W) images of one size and returns the flow (H, W, 2) in px, forward."""
CHOSEN_ON = "rendered training people"
"""What parameters were chosen on where a card says `chosen_on`: docs/baselines.md."""
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


@dataclass(frozen=True)
class DisParameters:
    """Parameters of DIS, by default those of its preset MEDIUM, and of a refinement that may follow it.

    `alpha`, `delta`, `gamma` and `iterations` are those of the variational refinement inside DIS, at every scale. With
    `refine_iterations` above 0 another one at full resolution follows.
    """

    finest_scale: int = 1
    patch_size: int = 8
    patch_stride: int = 3
    gradient_steps: int = 25
    alpha: float = 20.0
    delta: float = 5.0
    gamma: float = 10.0
    iterations: int = 5
    refine_alpha: float = 20.0
    refine_iterations: int = 0


DIS_MEDIUM = DisParameters()
DIS_FINE = DisParameters(
    finest_scale=0, patch_size=12, alpha=80.0, iterations=20, refine_alpha=40.0, refine_iterations=20
)
"""What `dis_fine` runs with: docs/baselines.md says how it was chosen."""


class GreyFlow(Method):
    """An estimator of the flow between two grey images; it runs on the CPU and takes one pair at a time."""

    def __init__(self, card: MethodCard, estimator: GreyEstimator) -> None:
        self.card = card
        self._estimator = estimator

    def forward(self, image1: torch.Tensor, image2: torch.Tensor) -> Flows[torch.Tensor]:
        """Estimate pair by pair."""
        height, width = image1.shape[2:]
        first, second = _grey(image1), _grey(image2)
        flows = [self._estimator(a, b)[:height, :width] for a, b in zip(first, second, strict=True)]
        return Flows(torch.from_numpy(np.stack(flows)).permute(0, 3, 1, 2))


def _grey(images: torch.Tensor) -> list[GreyImage]:
    """Return uint8 grey images, padded at the right and bottom to the smallest side that DIS can work on."""
    arrays = images.mul(255).round_().clamp_(0, 255).byte().permute(0, 2, 3, 1).cpu().numpy()
    height, width = arrays.shape[1:3]
    bottom, right = max(_SMALLEST_SIDE - height, 0), max(_SMALLEST_SIDE - width, 0)
    greys = [cv2.cvtColor(np.ascontiguousarray(array), cv2.COLOR_RGB2GRAY) for array in arrays]
    bordered = (cv2.copyMakeBorder(grey, 0, bottom, 0, right, cv2.BORDER_REPLICATE) for grey in greys)
    return [np.asarray(grey, np.uint8) for grey in bordered]


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
        return GreyFlow(card, lambda first, second: algorithm.calc(first, second, None))

    return load


def dis_estimator(parameters: DisParameters) -> GreyEstimator:
    """Return DIS with these parameters."""
    algorithm: Any = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    algorithm.setFinestScale(parameters.finest_scale)
    algorithm.setPatchSize(parameters.patch_size)
    algorithm.setPatchStride(parameters.patch_stride)
    algorithm.setGradientDescentIterations(parameters.gradient_steps)
    algorithm.setVariationalRefinementAlpha(parameters.alpha)
    algorithm.setVariationalRefinementDelta(parameters.delta)
    algorithm.setVariationalRefinementGamma(parameters.gamma)
    algorithm.setVariationalRefinementIterations(parameters.iterations)

    def estimate(first: GreyImage, second: GreyImage) -> npt.NDArray[np.float32]:
        flow = np.asarray(algorithm.calc(first, second, None), np.float32)
        if not parameters.refine_iterations:
            return flow
        return variational_refinement(
            first, second, flow, alpha=parameters.refine_alpha, iterations=parameters.refine_iterations
        )

    return estimate


def _load_dis_fine(request: MethodRequest) -> Method:
    refuse_network_options(request)
    card = MethodCard(
        id=request.name,
        title="DIS at full resolution",
        paper=_DIS_PAPER,
        licence="Apache-2.0",
        options={**asdict(DIS_FINE), "chosen_on": CHOSEN_ON, "opencv": cv2.__version__},
    )
    return GreyFlow(card, dis_estimator(DIS_FINE))


def _load_farneback(request: MethodRequest) -> Method:
    refuse_network_options(request)
    card = MethodCard(
        id=request.name,
        title="Farneback",
        paper="Farneback, Two-Frame Motion Estimation Based on Polynomial Expansion, SCIA 2003",
        licence="Apache-2.0",
        options={**_FARNEBACK, "opencv": cv2.__version__},
    )

    def estimate(first: GreyImage, second: GreyImage) -> npt.NDArray[np.float32]:
        flow: Any = None
        return np.asarray(cv2.calcOpticalFlowFarneback(first, second, flow, flags=0, **_FARNEBACK), np.float32)

    return GreyFlow(card, estimate)


dis = MethodEntry("Dense Inverse Search, preset MEDIUM (OpenCV)", _load_dis("MEDIUM"), quick=True, title="DIS (MEDIUM)")
dis_fast = MethodEntry("Dense Inverse Search, preset FAST (OpenCV)", _load_dis("FAST"), quick=True, title="DIS (FAST)")
dis_ultrafast = MethodEntry(
    "Dense Inverse Search, preset ULTRAFAST (OpenCV)", _load_dis("ULTRAFAST"), quick=True, title="DIS (ULTRAFAST)"
)
dis_fine = MethodEntry(
    "Dense Inverse Search at full resolution, tuned on rendered people (OpenCV)",
    _load_dis_fine,
    quick=True,
    title="DIS at full resolution",
)
farneback = MethodEntry("Farneback's polynomial expansion (OpenCV)", _load_farneback, quick=True, title="Farneback")
