"""MMNet (Li et al., ACM MM 2022), the network: motion features of a flow, and positions from the onset face.

Written anew from the paper and from the shapes and the initialisation of its released code. The FacialFlowNet paper
(section 5.5) does not say how it gives a flow to a branch of three channels; here they are u, v and the length of
(u, v).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

CHANNELS = 512
THUMBNAIL = 14
"""Height and width of the onset face that positions are read from."""
TOKENS = THUMBNAIL * THUMBNAIL
STRIDES = {1: (1, 2, 2, 2), 4: (1, 2, 1, 1)}
"""Strides of the four blocks by how many times smaller the flow is; they end at 14 x 14."""


@dataclass(frozen=True)
class Shape:
    """What differs between the released networks of five and of three classes, and the main branch alone."""

    depth: int
    """Layers of the transformer; 0 for no positions."""
    widening: int
    """Hidden width of the transformer's two-layer networks, in tokens' widths."""
    drop_path: float
    """Chance of dropping a branch of the last layer; it rises to that evenly from 0 in the first."""


FIVE = Shape(depth=2, widening=4, drop_path=0.0)
THREE = Shape(depth=3, widening=2, drop_path=0.3)
MAIN_BRANCH = Shape(depth=0, widening=0, drop_path=0.0)


class AttentionBlock(nn.Module):
    """Continuous attention: residual features, weighted by where something moves, here and in the block before."""

    def __init__(self, channels_in: int, channels_out: int, stride: int) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(channels_in, channels_out, 3, stride, 1, bias=False),
            nn.BatchNorm2d(channels_out),
            nn.ReLU(),
            nn.Conv2d(channels_out, channels_out, 1, bias=False),
            nn.BatchNorm2d(channels_out),
        )
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or channels_in != channels_out:
            self.shortcut = nn.Sequential(
                nn.Conv2d(channels_in, channels_out, 1, stride, bias=False), nn.BatchNorm2d(channels_out)
            )
        self.attention = nn.Sequential(nn.Conv2d(2, 1, 1, bias=False), nn.BatchNorm2d(1), nn.Sigmoid())
        self.stride = stride

    def forward(self, x: torch.Tensor, before: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
        """Return features (B, C, H, W) and their attention (B, 1, H, W); `before` is the last block's."""
        features = torch.relu(self.features(x) + self.shortcut(x))
        pooled = torch.cat([features.mean(1, keepdim=True), features.max(1, keepdim=True).values], 1)
        attention: torch.Tensor = self.attention(pooled)
        if before is not None:
            attention = attention * (before if self.stride == 1 else F.max_pool2d(before, 3, self.stride, 1))
        return features * attention, attention


class PositionLayer(nn.Module):
    """One layer of a vision transformer; in training, whole branches of single faces are dropped at random."""

    def __init__(self, width: int, heads: int, widening: int, drop_path: float) -> None:
        super().__init__()
        self.before_attention, self.before_mixing = nn.LayerNorm(width, 1e-6), nn.LayerNorm(width, 1e-6)
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.mixing = nn.Sequential(nn.Linear(width, widening * width), nn.GELU(), nn.Linear(widening * width, width))
        self.drop_path = drop_path

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return tokens (B, N, C) of the same shape."""
        normal = self.before_attention(tokens)
        tokens = tokens + self._kept(self.attention(normal, normal, normal, need_weights=False)[0])
        return tokens + self._kept(self.mixing(self.before_mixing(tokens)))

    def _kept(self, branch: torch.Tensor) -> torch.Tensor:
        if not self.training or not self.drop_path:
            return branch
        keep = 1 - self.drop_path
        return branch * torch.bernoulli(torch.full((len(branch), 1, 1), keep, device=branch.device)) / keep


class MMNet(nn.Module):
    """Motion features of a flow (B, 3, H, H), plus positions from the onset face (B, 3, h, h): class scores."""

    def __init__(self, classes: int, shape: Shape, shrink: int = 1) -> None:
        """Draw the weights.

        Args:
            classes: how many.
            shape: of the transformer.
            shrink: H = 224 / shrink, a key of `STRIDES`.
        """
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, 180, 3, 2, 1, bias=False), nn.BatchNorm2d(180), nn.ReLU(),
            nn.Conv2d(180, 128, 3, 1, 1, bias=False), nn.BatchNorm2d(128), nn.ReLU(),
        )  # fmt: skip
        widths, strides = (128, 128, 128, 256, CHANNELS), STRIDES[shrink]
        self.blocks = nn.ModuleList(AttentionBlock(widths[i], widths[i + 1], strides[i]) for i in range(4))
        _draw_convolutions(self.stem[3], *self.blocks)
        self.calibration = Positions(shape) if shape.depth else None
        self.classifier = nn.Linear(CHANNELS * TOKENS, classes)

    def forward(self, flow: torch.Tensor, onset: torch.Tensor | None = None) -> torch.Tensor:
        """Return scores (B, classes); the onset face is looked at, and needed, where the shape has positions."""
        x, attention = self.stem(flow), None
        for block in self.blocks:
            x, attention = block(x, attention)
        if self.calibration is not None:
            assert onset is not None
            x = x + self.calibration(onset)
        scores: torch.Tensor = self.classifier(x.flatten(1))
        return scores


class Positions(nn.Module):
    """Position calibration: a vision transformer over the pixels of the onset face."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.embedding = nn.Linear(3, CHANNELS)
        self.places = nn.Parameter(torch.empty(1, TOKENS, CHANNELS))
        rates = torch.linspace(0, shape.drop_path, shape.depth).tolist()
        self.layers = nn.Sequential(
            *(PositionLayer(CHANNELS, 4, shape.widening, rate) for rate in rates), nn.LayerNorm(CHANNELS, 1e-6)
        )
        nn.init.trunc_normal_(self.places, std=0.02)
        for module in self.layers.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)
            elif isinstance(module, nn.MultiheadAttention):
                nn.init.trunc_normal_(module.in_proj_weight, std=0.02)
                nn.init.zeros_(module.in_proj_bias)

    def forward(self, onset: torch.Tensor) -> torch.Tensor:
        """Return what is added to the motion features, (B, 512, 14, 14).

        The face (B, 3, h, h) is resized as torchvision did when the code was released: bilinear, with no smoothing.
        """
        onset = F.interpolate(onset, (THUMBNAIL, THUMBNAIL), mode="bilinear", align_corners=False)
        tokens: torch.Tensor = self.layers(self.embedding(onset.flatten(2).transpose(1, 2)) + self.places)
        return tokens.transpose(1, 2).reshape(-1, CHANNELS, THUMBNAIL, THUMBNAIL)


def _draw_convolutions(*parts: nn.Module) -> None:
    """Initialise convolutions by He's rule on outputs, as the released code does."""
    for module in (module for part in parts for module in part.modules()):
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
