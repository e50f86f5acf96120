"""Convolutional blocks that the networks of the family are built from."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import nn

NormLayer = Callable[[int], nn.Module]


class InstanceNorm(nn.Module):
    """Zero mean and unit variance of every channel of every sample, without trained values."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Normalise (B, C, H, W)."""
        # The same numbers as F.instance_norm; on a CPU the group kernel is three times as fast.
        return F.group_norm(x, self.channels)


def no_norm(channels: int) -> nn.Module:
    """Stand where a normalisation could."""
    return nn.Identity()


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions, each with normalisation and ReLU, beside a shortcut; then ReLU."""

    def __init__(self, inputs: int, outputs: int, stride: int, norm: NormLayer) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1)
        self.norm1 = norm(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.norm2 = norm(outputs)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride), norm(outputs))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (B, outputs, H / stride, W / stride)."""
        branch = F.relu(self.norm1(self.conv1(x)))
        branch = F.relu(self.norm2(self.conv2(branch)))
        return F.relu(self.shortcut(x) + branch)


class FusionBlock(nn.Module):
    """Res of Eq. 5: the context network's features and the face-semantic ones, fused by a residual block.

    With `identity` the block starts as the identity on the context features (up to its last ReLU), so that weights of
    a pretrained context network keep their meaning until training finds a use for the semantic features.
    """

    def __init__(self, context: int, semantic: int, bridge: int, identity: bool = True) -> None:
        super().__init__()
        inputs = context + bridge
        self.bridge = nn.Conv2d(semantic, bridge, 1)
        self.conv1 = nn.Conv2d(inputs, context, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(context)
        self.conv2 = nn.Conv2d(context, context, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(context)
        shortcut = nn.Conv2d(inputs, context, 1, bias=False)
        self.shortcut = nn.Sequential(shortcut, nn.BatchNorm2d(context))
        nn.init.zeros_(self.norm2.weight)
        if identity:
            nn.init.dirac_(shortcut.weight)

    def forward(self, context: torch.Tensor, semantic: torch.Tensor) -> torch.Tensor:
        """Fuse (B, context, h, w) and (B, semantic, h, w) into (B, context, h, w)."""
        x = torch.cat([context, self.bridge(semantic)], dim=1)
        branch = F.relu(self.norm1(self.conv1(x)))
        branch = self.norm2(self.conv2(branch))
        return F.relu(self.shortcut(x) + branch)


def init_encoder(module: nn.Module) -> None:
    """Draw the convolutions of an encoder as RAFT does: He initialisation by fan-out."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")


def convex_upsample(flow: torch.Tensor, weights: torch.Tensor, factor: int) -> torch.Tensor:
    """Upsample a flow by convex combinations of the 3x3 coarse neighbours (RAFT, section 3.3).

    Args:
        flow: (B, 2, h, w), in pixels of the coarse grid.
        weights: (B, 9 * factor * factor, h, w), before the softmax over the nine neighbours.
        factor: how much finer the result is.

    Returns:
        (B, 2, factor * h, factor * w) float32, in pixels of the fine grid.
    """
    batch, _, height, width = flow.shape
    weights = weights.float().view(batch, 9, factor, factor, height, width).softmax(dim=1)
    neighbours = F.unfold(factor * flow.float(), 3, padding=1).view(batch, 2, 9, height, width)
    # A product and a sum, which autocast leaves in float32.
    fine = (weights[:, None] * neighbours[:, :, :, None, None]).sum(dim=2)
    return fine.permute(0, 1, 4, 2, 5, 3).reshape(batch, 2, factor * height, factor * width)


def upsample_aligned(x: torch.Tensor, factor: int) -> torch.Tensor:
    """Upsample bilinearly where cell i of the coarse grid stands at `factor * i` of the fine one.

    That is where odd kernels with stride put it. Beyond the last coarse cell its value is kept.
    """
    height, width = x.shape[2:]
    size = (factor * (height - 1) + 1, factor * (width - 1) + 1)
    fine = F.interpolate(x, size=size, mode="bilinear", align_corners=True)
    return F.pad(fine, (0, factor - 1, 0, factor - 1), mode="replicate")
