"""Backward warping: what an image shows where a flow points."""

from __future__ import annotations

import torch
import torch.nn.functional as F


def targets(flow: torch.Tensor, step: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    """Return where pixels go, in `grid_sample`'s coordinates (B, h, w, 2), and whether that is in the image.

    Args:
        flow: (B, 2, h, w) in px.
        step: the flow is of every `step`-th pixel of an image of `step` times its size.
    """
    height, width = (side * step for side in flow.shape[2:])
    y, x = torch.meshgrid(
        torch.arange(0, height, step, device=flow.device),
        torch.arange(0, width, step, device=flow.device),
        indexing="ij",
    )
    where = torch.stack([(x + flow[:, 0]) * (2 / (width - 1)) - 1, (y + flow[:, 1]) * (2 / (height - 1)) - 1], dim=3)
    inside = (where.abs() <= 1).all(dim=3)[:, None].to(flow.dtype)
    return where, inside


def sample(image: torch.Tensor, where: torch.Tensor) -> torch.Tensor:
    """Return (B, C, h, w): the image (B, C, H, W) at positions of `targets`, the border repeated beyond it."""
    return F.grid_sample(image, where, padding_mode="border", align_corners=True)


def warped(image: torch.Tensor, flow: torch.Tensor) -> torch.Tensor:
    """Return (B, C, H, W): the image where the flow (B, 2, H, W) points."""
    return sample(image, targets(flow)[0])


def resized_flow(flow: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Return a flow (B, 2, H, W) for images of another height and width, in their pixels."""
    height, width = flow.shape[2:]
    factors = flow.new_tensor([size[1] / width, size[0] / height]).view(2, 1, 1)
    return F.interpolate(flow, size=size, mode="bilinear", align_corners=False) * factors
