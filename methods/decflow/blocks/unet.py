"""Parts of the network that corrects a classical flow: an encoder to stride 16, and a decoder back to stride 4."""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import nn

MATCHING_LEVEL, SEMANTIC_LEVEL = 1, 2  # of the encoder, at strides 4 and 8
_SMALL = 1e-3


class Residual(nn.Module):
    """Two 3x3 convolutions beside the identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (B, channels, h, w)."""
        branch = F.leaky_relu(self.conv1(F.leaky_relu(x, 0.1)), 0.1, inplace=True)
        result: torch.Tensor = x + self.conv2(branch)
        return result


class SelfAttention(nn.Module):
    """Every cell looks at every other, by what is there and not by where it is; then a layer for each cell."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(channels), nn.LayerNorm(channels)
        self.attention = nn.MultiheadAttention(channels, 4, batch_first=True)
        self.layer = nn.Sequential(
            nn.Linear(channels, 2 * channels), nn.LeakyReLU(0.1), nn.Linear(2 * channels, channels)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (B, channels, h, w)."""
        tokens = x.flatten(2).transpose(1, 2)
        normed = self.norm1(tokens)
        tokens = tokens + self._attended(normed)
        tokens = tokens + self.layer(self.norm2(tokens))
        result: torch.Tensor = tokens.transpose(1, 2).reshape(x.shape)
        return result.contiguous(memory_format=torch.channels_last)

    def _attended(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return (B, n, channels), what each of the tokens takes from all."""
        if not torch.onnx.is_in_onnx_export():
            result: torch.Tensor = self.attention(tokens, tokens, tokens, need_weights=False)[0]
            return result
        # PyTorch's own takes the number of tokens for a constant when it is traced.
        heads = self.attention.num_heads
        joint = F.linear(tokens, self.attention.in_proj_weight, self.attention.in_proj_bias)
        query, key, value = (part.reshape(*part.shape[:2], heads, -1).transpose(1, 2) for part in joint.chunk(3, dim=2))
        scores = query @ key.transpose(2, 3) / (tokens.shape[2] // heads) ** 0.5
        mixed: torch.Tensor = self.attention.out_proj((scores.softmax(dim=3) @ value).transpose(1, 2).flatten(2))
        return mixed


class Encoder(nn.Module):
    """Down to stride 16: features at strides 2, 4, 8 and 16, the last with self-attention, semantics fused at 8."""

    def __init__(self, inputs: int, scales: int, widths: tuple[int, ...], semantic: int) -> None:
        super().__init__()
        # The scales see different errors; all but the first layer is shared.
        self.stems = nn.ModuleList([nn.Conv2d(4 * inputs, widths[0], 3, padding=1) for _ in range(scales)])
        self.blocks = nn.ModuleList(
            [nn.Sequential(*(Residual(width) for _ in range(1 + (width != widths[0])))) for width in widths]
        )
        self.down = nn.ModuleList([nn.Conv2d(a, b, 4, 2, 1) for a, b in pairwise(widths)])
        self.attention = nn.Sequential(SelfAttention(widths[-1]), SelfAttention(widths[-1]))
        self.fusion = nn.Conv2d(2 * semantic, widths[SEMANTIC_LEVEL], 1) if semantic else None
        if self.fusion is not None:
            nn.init.zeros_(self.fusion.weight)

    def forward(
        self, x: torch.Tensor, number: int, semantic: torch.Tensor | None, matched: torch.Tensor | None = None
    ) -> list[torch.Tensor]:
        """Encode (B, inputs, h, w) at the scale of that number.

        Added to the features are (B, 2 semantic, h / 8, w / 8) through a layer, and `matched` (B, width, h / 4, w / 4).
        """
        x = self.stems[number](F.pixel_unshuffle(x, 2).contiguous(memory_format=torch.channels_last))
        features = []
        for level, block in enumerate(self.blocks):
            if level:
                x = self.down[level - 1](x)
            if level == MATCHING_LEVEL and matched is not None:
                x = x + matched
            if level == SEMANTIC_LEVEL and self.fusion is not None and semantic is not None:
                x = x + self.fusion(semantic)
            x = block(x)
            features.append(x)
        features[-1] = self.attention(x)
        return features


class AtStride4(nn.Module):
    """From the encoder's features down to stride 4 only: head motion and expressions are smooth."""

    def __init__(self, widths: tuple[int, ...]) -> None:
        super().__init__()
        _, width4, width8, width16 = widths
        inner8, self.width = width8 * 2 // 3, width4 * 3 // 4
        self.enter8, self.side8 = nn.Conv2d(width16, inner8, 1), nn.Conv2d(width8, inner8, 1)
        self.block8 = Residual(inner8)
        self.enter4, self.side4 = nn.Conv2d(inner8, self.width, 1), nn.Conv2d(width4, self.width, 1)
        self.block4 = Residual(self.width)

    def decode(self, features: list[torch.Tensor], further: torch.Tensor | None = None) -> torch.Tensor:
        """Return (B, width, h / 4, w / 4); `further` features are added before the last block."""
        x = self.block8(doubled(self.enter8(features[3])) + self.side8(features[2]))
        x = doubled(self.enter4(x)) + self.side4(features[1])
        result: torch.Tensor = self.block4(x if further is None else x + further)
        return result


def last_layer(inputs: int, outputs: int) -> nn.Conv2d:
    """Return a layer that adds nearly nothing at first."""
    layer = nn.Conv2d(inputs, outputs, 3, padding=1)
    nn.init.normal_(layer.weight, std=_SMALL)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def doubled(x: torch.Tensor) -> torch.Tensor:
    """Return the features at twice the size."""
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def resized(x: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """Return `x` at the size of `like`."""
    if x.shape[2:] == like.shape[2:]:
        return x
    return F.interpolate(x, size=like.shape[2:], mode="bilinear", align_corners=False)
