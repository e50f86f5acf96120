"""Any method, its facial flow refined by a few steps down a variational energy: `--refine variational`."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import torch

from ffbench.flow.refinement import variational_refinement
from ffbench.method import Flows, Method

from .base import Options, Wrapper

ALPHA, ITERATIONS = 40.0, 20
"""Weight of smoothness, and steps of the outer fixed point: chosen for `dis_fine` on rendered training people."""


class VariationallyRefined(Wrapper):
    """A method whose facial flow is refined at the size of the image.

    The head flow stays as the method gave it: it is rigid, which the refinement knows nothing of. Expression flow
    remains facial flow - head flow, so what the refinement changes is expression. The method's confidence is left out:
    it is confidence in a flow that is no longer there.
    """

    def __init__(self, wrapped: Method) -> None:
        options: Options = {"refine": "variational", "refine_alpha": ALPHA, "refine_iterations": ITERATIONS}
        super().__init__(wrapped, "variational", "refined", {**options, "opencv": cv2.__version__})

    def forward(self, image1: torch.Tensor, image2: torch.Tensor) -> Flows[torch.Tensor]:
        """Estimate the flow of a batch, and refine it pair by pair on the CPU."""
        flows = self.wrapped.estimate(image1, image2)
        rough = flows.facial.float().permute(0, 2, 3, 1).cpu().numpy()
        refined = [
            variational_refinement(first, second, flow, alpha=ALPHA, iterations=ITERATIONS)
            for first, second, flow in zip(_grey(image1), _grey(image2), rough, strict=True)
        ]
        facial = torch.from_numpy(np.stack(refined)).permute(0, 3, 1, 2).to(flows.facial.device)
        return Flows(facial, flows.head, found=flows.found)


def _grey(images: torch.Tensor) -> list[npt.NDArray[np.uint8]]:
    arrays = images.mul(255).round_().clamp_(0, 255).byte().permute(0, 2, 3, 1).contiguous().cpu().numpy()
    return [np.asarray(cv2.cvtColor(array, cv2.COLOR_RGB2GRAY), np.uint8) for array in arrays]
