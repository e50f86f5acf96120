"""Matching features of the two images around where a flow points.

A network that sees only image 2 warped by the flow can tell that the flow is wrong, but not where the right place is.
The correlation of learned features in a window (as in PWC-Net and RAFT) shows it: at stride 4 within 4 cells, and
within 4 cells of twice the size.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from ffbench.training.joint import joint_ratio

from .local_correlation import local_correlation
from .rigid import local_contrast
from .unet import Residual

STRIDE = 4
RADIUS = 4  # cells, on either side
_LEVELS = 2  # the second map at stride 4, and at 8
_WIDTH, _FEATURES = 32, 32
_SHARPNESS = 10.0  # of the softmax over cosines


@dataclass(frozen=True)
class Match:
    """How well places around a flow's end match, at one scale.

    Attributes:
        logits: (B, h / 4, w / 4, 81), of the places within `RADIUS` cells of `flow`, the offset in y running fastest.
        flow: (B, 2, h / 4, w / 4), in cells of `STRIDE` px of that scale.
    """

    logits: torch.Tensor
    flow: torch.Tensor


class Matcher(nn.Module):
    """Features at stride 4, and what their correlation adds to the encoder's there; nothing at first."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.enter = nn.Conv2d((3 + 1) * 4, _WIDTH, 3, padding=1)
        self.down = nn.Conv2d(_WIDTH, _FEATURES, 4, 2, 1)
        self.block = Residual(_FEATURES)
        self.out = nn.Conv2d(_FEATURES, _FEATURES, 1)
        self.compare = nn.Conv2d(_LEVELS * (2 * RADIUS + 1) ** 2, width, 1)
        self.join = nn.Conv2d(width, width, 3, padding=1)
        nn.init.zeros_(self.join.weight)
        if self.join.bias is not None:
            nn.init.zeros_(self.join.bias)

    def forward(self, image1: torch.Tensor, image2: torch.Tensor, flow: torch.Tensor) -> tuple[torch.Tensor, Match]:
        """Match around where the flow points; the flow gets no gradient.

        Args:
            image1, image2: (B, 3, h, w) RGB in [-1, 1].
            flow: (B, 2, h, w) in px.

        Returns:
            What is to be added to features (B, width, h / 4, w / 4), and the match itself.
        """
        first, second = (self.features(image) for image in (image1, image2))
        cells = F.avg_pool2d(flow.detach().float(), STRIDE) / STRIDE
        volumes = []
        for level in range(_LEVELS):
            # Cells of the coarser map are centred on corners of the finer: hence the half.
            centers = (_positions(cells) + 0.5) / 2**level - 0.5
            other = second if level == 0 else F.avg_pool2d(second, 2**level)
            # Of unit features, so that the values are cosines.
            volumes.append(_FEATURES**0.5 * local_correlation(_last(first), _last(other), centers, RADIUS))
        seen = torch.cat(volumes, dim=3).permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)
        added = self.join(F.leaky_relu(self.compare(seen), 0.1))
        return added, Match(_SHARPNESS * volumes[0], cells)

    def features(self, image: torch.Tensor) -> torch.Tensor:
        """Return features (B, 32, h / 4, w / 4) of unit length, float32, of an image (B, 3, h, w), RGB in [-1, 1]."""
        seen = torch.cat([image, local_contrast(image).to(image.dtype)], dim=1)
        x = F.pixel_unshuffle(seen, 2).contiguous(memory_format=torch.channels_last)
        x = F.leaky_relu(self.down(F.leaky_relu(self.enter(x), 0.1)), 0.1)
        return F.normalize(self.out(self.block(x)).float(), dim=1)


def matching_loss(match: Match, flow: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
    """Return the mean cross-entropy of the match with where pixels really go.

    Args:
        match: of one scale.
        flow: (B, 2, H, W), the true one, px.
        valid: (B, H, W), where it is known.
    """
    step = flow.shape[-1] // match.flow.shape[-1]
    known = F.avg_pool2d(valid[:, None].float(), step)[:, 0] == 1
    rest = F.avg_pool2d(torch.where(valid[:, None], flow, 0.0), step) / step - match.flow
    known = known & (rest.abs() < RADIUS).all(dim=1)
    rest = rest.clamp(-RADIUS, RADIUS - 1e-3)
    corner = rest.floor()
    fx, fy = (rest - corner).unbind(dim=1)
    x, y = (corner.long() + RADIUS).unbind(dim=1)
    side = 2 * RADIUS + 1
    said = match.logits.log_softmax(dim=3)
    loss = torch.zeros_like(fx)
    for dx, along_x in ((0, 1 - fx), (1, fx)):
        for dy, along_y in ((0, 1 - fy), (1, fy)):
            place = ((x + dx) * side + y + dy)[..., None]
            loss = loss - along_x * along_y * said.gather(3, place)[..., 0]
    return joint_ratio(torch.where(known, loss, 0.0).sum(), known.sum())


def _positions(cells: torch.Tensor) -> torch.Tensor:
    """Return where each cell goes, (B, h, w, 2), in cells."""
    height, width = cells.shape[2:]
    y, x = torch.meshgrid(
        torch.arange(height, device=cells.device), torch.arange(width, device=cells.device), indexing="ij"
    )
    return cells.permute(0, 2, 3, 1) + torch.stack([x, y], dim=2)


def _last(features: torch.Tensor) -> torch.Tensor:
    return features.permute(0, 2, 3, 1).contiguous()
