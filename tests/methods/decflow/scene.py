"""One pair that a network can learn by heart."""

from __future__ import annotations

import torch
import torch.nn.functional as F

SIZE = 64


def scene() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """A texture that turns by a few pixels as a whole, with a soft bump of another motion in it."""
    generator = torch.Generator().manual_seed(0)
    y, x = torch.meshgrid(torch.arange(SIZE), torch.arange(SIZE), indexing="ij")
    dx, dy = x - SIZE / 2, y - SIZE / 2
    head = torch.stack([3 - 0.1 * dy, 0.1 * dx - 2])[None]
    bump = 4 * torch.exp(-((dx - 8).square() + dy.square()) / 200)
    facial = head + torch.stack([-bump, bump])[None]
    coarse = torch.rand(1, 3, SIZE // 4, SIZE // 4, generator=generator)
    image2 = F.interpolate(coarse, size=(SIZE, SIZE), mode="bicubic").clamp(0, 1)
    points = torch.stack([x + facial[0, 0], y + facial[0, 1]], dim=-1) * 2 / (SIZE - 1) - 1
    image1 = F.grid_sample(image2, points[None], align_corners=True, padding_mode="border")
    return image1, image2, facial, head
