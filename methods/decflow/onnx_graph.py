"""What of `decflow-c` goes into an ONNX file: the network without DIS, which it takes the flows of as inputs."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from ffbench.errors import UsageError
from ffbench.flow.confidence import confidence_of
from ffbench.method import ExportableNetwork

from .blocks.warping import warped
from .networks.classical_start import SETTINGS
from .networks.corrector import DecFlowCorrector

_TRACED, _CHECKED = (64, 96), (512, 512)
"""Heights and widths: of the images that the graph is traced with, and of those that it is compared on."""


class CorrectorGraph(nn.Module):
    """The network as a function of two images and of the flows that it corrects."""

    def __init__(self, network: DecFlowCorrector) -> None:
        super().__init__()
        self.network = network

    def forward(
        self, image1: torch.Tensor, image2: torch.Tensor, start: torch.Tensor, start_back: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return facial flow and head flow (B, 2, H, W) in px, and confidence (B, 1, H, W) from 0 to 1.

        Args:
            image1, image2: (B, 3, H, W), RGB in [0, 1]; H and W multiples of the network's stride.
            start, start_back: (B, 2, H, W) in px, from `image1` to `image2` and back.
        """
        made = self.network(image1, image2, start=(start, start_back), every_step=False)
        return made.facial[-1], made.head[-1], confidence_of(made.log_error[-1].float().exp())


def exportable_corrector(network: nn.Module, name: str) -> ExportableNetwork:
    """Return what is exported of a network.

    Raises:
        UsageError: it is none that corrects a classical flow, or one that runs on mirror images too.
    """
    if not isinstance(network, DecFlowCorrector) or network.config.mirrored:
        raise UsageError(f"method '{name}' cannot be exported: only decflow-c can, without mirror images")
    config = network.config
    start = "zero flow" if config.start == "none" else ", ".join(f"{key} {value}" for key, value in SETTINGS.items())
    return ExportableNetwork(
        CorrectorGraph(network),
        inputs=_example(*_TRACED),
        outputs=("facial", "head", "confidence"),
        check=_example(*_CHECKED),
        metadata={
            "images": "RGB in [0, 1]; height and width multiples of stride, at least smallest",
            "flows": "px, x to the right and y down, from image 1 to image 2",
            "stride": str(network.stride),
            "smallest": str(network.smallest),
            "levels": str(config.levels),
            "start": f"OpenCV's DIS: {start}" if config.start == "dis" else start,
        },
    )


def _example(height: int, width: int) -> dict[str, torch.Tensor]:
    """Make a textured pair that moves by several px, and flows that are wrong by a part of that."""
    rng = np.random.default_rng(3)

    def noise(channels: int, cells: int) -> torch.Tensor:
        values = torch.from_numpy(rng.random((1, channels, height // cells, width // cells), np.float32))
        return F.interpolate(values, (height, width), mode="bicubic", align_corners=False)

    image = noise(3, 4).clamp(0, 1)
    flow = 8 * (noise(2, 32) - 0.5)
    start, back = (sign * flow + 0.3 * (noise(2, 8) - 0.5) for sign in (1, -1))
    return {"image1": image, "image2": warped(image, -flow), "start": start, "start_back": back}
