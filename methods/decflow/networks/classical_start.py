"""The flow that the light network corrects: OpenCV's DIS at full resolution, in both directions."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch

# Part of the network's definition, since its weights are trained on what these give.
SETTINGS: dict[str, Any] = {"preset": "MEDIUM", "finest scale": 0, "alpha": 40.0, "refinement iterations": 10}


BothWays = tuple[torch.Tensor, torch.Tensor]
"""The flow from image 1 to image 2 and the one back, each (B, 2, H, W) float32 in px."""


@torch.compiler.disable  # type: ignore[untyped-decorator]
def classical_flows(image1: torch.Tensor, image2: torch.Tensor, begin: BothWays | None = None) -> BothWays:
    """Return DIS's flows from `image1` to `image2` and back, without gradient.

    Args:
        image1, image2: (B, 3, H, W), RGB in [0, 1]; H and W at least 64, below which DIS fails.
        begin: the flows that DIS begins at instead of zero.
    """
    pairs = list(zip(_grey(image1), _grey(image2), strict=True))
    there, back = ([None] * len(pairs), [None] * len(pairs)) if begin is None else map(_arrays, begin)
    dis = _create_dis()
    forward = [dis.calc(first, second, flow) for (first, second), flow in zip(pairs, there, strict=True)]
    backward = [dis.calc(second, first, flow) for (first, second), flow in zip(pairs, back, strict=True)]
    return _tensor(forward, image1.device), _tensor(backward, image1.device)


def add_classical_flows(sample: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return a training sample with `start` and `start_back`: what `classical_flows` gives for its uint8 images."""
    image1, image2 = (sample[name][None].float() / 255 for name in ("image1", "image2"))
    forward, backward = classical_flows(image1, image2)
    return {**sample, "start": forward[0], "start_back": backward[0]}


def _create_dis() -> Any:
    dis = cv2.DISOpticalFlow.create(getattr(cv2, f"DISOPTICAL_FLOW_PRESET_{SETTINGS['preset']}"))
    dis.setFinestScale(SETTINGS["finest scale"])
    dis.setVariationalRefinementAlpha(SETTINGS["alpha"])
    dis.setVariationalRefinementIterations(SETTINGS["refinement iterations"])
    return dis


def _grey(images: torch.Tensor) -> list[npt.NDArray[np.uint8]]:
    arrays = images.detach().float().mul(255).round().clamp(0, 255).byte().permute(0, 2, 3, 1).cpu().numpy()
    return [np.asarray(cv2.cvtColor(np.ascontiguousarray(array), cv2.COLOR_RGB2GRAY)) for array in arrays]


def _arrays(flows: torch.Tensor) -> list[npt.NDArray[np.float32]]:
    # Copies, since DIS writes into what it is given.
    return [np.array(flow, np.float32, order="C") for flow in flows.detach().float().permute(0, 2, 3, 1).cpu().numpy()]


def _tensor(flows: list[npt.NDArray[np.float32]], device: torch.device) -> torch.Tensor:
    return torch.from_numpy(np.stack(flows).transpose(0, 3, 1, 2).copy()).to(device)
