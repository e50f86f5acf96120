"""A light network of the same kind that corrects a classical flow instead of matching from nothing.

What it keeps of the paper's: a shared encoder, the face-semantic encoder fused into it (Eq. 5), two decoders,
expression = facial - head. What it changes: the flow starts as that of a classical method, and one U-Net, applied at
half and then at full resolution, adds what that method got wrong. With the decomposition `rigid` the network also says
how deep a pixel is and whether it moves with the head; the motion of a rigid body is fitted to the flow by that
(`rigid`). Facial flow is pulled towards the fit where there is only noise between them, and a gate tells expression
from noise. With the decomposition `learned` head flow is what the head decoder says, as in the paper.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import nn

from .classical_start import classical_flows
from .config import CorrectorConfig
from .network import FlowNetwork, FlowPredictions
from .rigid import fit_head_flow
from .semantic import SemanticEncoder, create_semantic_encoder

SCALES = (2, 1)
"""The flow is corrected at 1/2 of the images' size, then at 1/1."""
_SEMANTIC_LEVEL = 2  # of the encoder, at stride 8
_INPUTS = 13
_SMALL = 1e-3
_CLOSED = -2.0  # what gates' logits begin at


@dataclass(frozen=True)
class RigidFit:
    """The motion of a rigid head that fits a facial flow, at one scale.

    Attributes:
        weight: (B, 1, h, w) logits, whether a pixel moves rigidly with the head.
        depth: (B, 1, h, w), relative.
        flow: (B, 2, h, w), the fit, in px of that scale.
        rest: (B, 2, h, w), facial flow before it is pulled towards the fit, minus the fit.
    """

    weight: torch.Tensor
    depth: torch.Tensor
    flow: torch.Tensor
    rest: torch.Tensor


@dataclass(frozen=True)
class CorrectorPredictions(FlowPredictions):
    """Beside the flows: what they were made of.

    Attributes:
        log_error: log of the expected error of the facial flow, px, (B, 1, H, W), after each step.
        fit: the last rigid fit, or None when the decomposition is learned.
        gate: (B, 1, H, W) logits, whether what is left beside the fit is expression; or None likewise.
    """

    log_error: tuple[torch.Tensor, ...] = ()
    fit: RigidFit | None = None
    gate: torch.Tensor | None = None


class DecFlowCorrector(FlowNetwork):
    """The network; `config` has its widths and what it is made of."""

    stride = 32
    smallest = 64
    steps = len(SCALES)
    config: CorrectorConfig
    facial_decoder: FacialDecoder
    head_decoder: HeadDecoder

    def __init__(self, config: CorrectorConfig) -> None:
        super().__init__()
        self.config = config
        self.semantic: SemanticEncoder | None = create_semantic_encoder(config.semantic, config.semantic_input)
        semantic_channels = 0 if self.semantic is None else self.semantic.channels
        self.encoder = Encoder(config.channels, semantic_channels)
        rigid = config.decomposition == "rigid"
        self.geometry = Geometry(config.channels) if rigid else None
        self.facial_decoder = FacialDecoder(config.channels, rigid)
        self.head_decoder = HeadDecoder(config.channels, rigid)
        _channels_last(self)

    def forward(
        self,
        image1: torch.Tensor,
        image2: torch.Tensor,
        *,
        iterations: int | None = None,
        head: bool = True,
        every_step: bool | None = None,
    ) -> CorrectorPredictions:
        """See `FlowNetwork.forward`; there is one step at each scale, and `iterations` must be None or 2."""
        self.check_size(image1, image2)
        if iterations not in (None, self.steps):
            raise ValueError(f"this network makes {self.steps} steps, got {iterations}")
        every_step = self.training if every_step is None else every_step
        flow, back = self._start(image1, image2)
        semantic = None if self.semantic is None else self.semantic(image1)
        facial, heads, errors = [], [], []
        fit = gate = None
        for number, scale in enumerate(SCALES):
            first, second = (_pooled(2 * image - 1, scale) for image in (image1, image2))
            here, there = _pooled(flow, scale) / scale, _pooled(back, scale) / scale
            seen = None if semantic is None else _pooled(semantic, scale)
            features = self.encoder(_observe(first, second, here, there), number, seen)
            correction, log_error, last = self.facial_decoder(features)
            flow = flow + scale * _resized(correction, flow)
            if self.geometry is not None:
                fit = self.geometry(features, _pooled(flow, scale) / scale)
                flow = flow - scale * _resized(self.facial_decoder.pull(last, fit.rest), flow)
            if every_step or scale == SCALES[-1]:
                facial.append(flow)
                errors.append(_resized(log_error, flow))
                if head:
                    expression, gate = self.head_decoder(features, None if fit is None else fit.rest.detach())
                    heads.append(flow - scale * _resized(expression, flow))
            flow = flow.detach()
        return CorrectorPredictions(tuple(facial), tuple(heads), tuple(errors), fit, gate)

    def _start(self, image1: torch.Tensor, image2: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        if self.config.start == "dis":
            return classical_flows(image1, image2)
        zero = torch.zeros_like(image1[:, :2], dtype=torch.float32)
        return zero, zero


def _channels_last(module: nn.Module) -> None:
    for parameter in module.parameters():
        if parameter.dim() == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)


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
        tokens = tokens + self.attention(normed, normed, normed, need_weights=False)[0]
        tokens = tokens + self.layer(self.norm2(tokens))
        result: torch.Tensor = tokens.transpose(1, 2).unflatten(2, x.shape[2:])
        return result.contiguous(memory_format=torch.channels_last)


class Encoder(nn.Module):
    """Down to stride 16: features at strides 2, 4, 8 and 16, the last with self-attention, semantics fused at 8."""

    def __init__(self, widths: tuple[int, ...], semantic: int) -> None:
        super().__init__()
        # The two scales see different errors; all but the first layer is shared.
        self.stems = nn.ModuleList([nn.Conv2d(4 * _INPUTS, widths[0], 3, padding=1) for _ in SCALES])
        self.blocks = nn.ModuleList(
            [nn.Sequential(*(Residual(width) for _ in range(1 + (width != widths[0])))) for width in widths]
        )
        self.down = nn.ModuleList([nn.Conv2d(a, b, 4, 2, 1) for a, b in pairwise(widths)])
        self.attention = nn.Sequential(SelfAttention(widths[-1]), SelfAttention(widths[-1]))
        self.fusion = nn.Conv2d(semantic, widths[_SEMANTIC_LEVEL], 1) if semantic else None
        if self.fusion is not None:
            nn.init.zeros_(self.fusion.weight)

    def forward(self, x: torch.Tensor, number: int, semantic: torch.Tensor | None) -> list[torch.Tensor]:
        """Encode (B, inputs, h, w) at the scale of that number, with (B, semantic, h / 8, w / 8)."""
        x = self.stems[number](F.pixel_unshuffle(x, 2).contiguous(memory_format=torch.channels_last))
        features = []
        for level, block in enumerate(self.blocks):
            if level:
                x = self.down[level - 1](x)
            if level == _SEMANTIC_LEVEL and self.fusion is not None and semantic is not None:
                x = x + self.fusion(semantic)
            x = block(x)
            features.append(x)
        features[-1] = self.attention(x)
        return features


class FacialDecoder(nn.Module):
    """What is added to the flow, the log of the error that is left, and how far to pull the flow to a rigid fit."""

    def __init__(self, widths: tuple[int, ...], rigid: bool) -> None:
        super().__init__()
        self.up = nn.ModuleList([nn.Conv2d(b, a, 1) for a, b in pairwise(widths)])
        self.blocks = nn.ModuleList([Residual(width) for width in widths[:-1]])
        self.out = _last_layer(widths[0], 4 * 3)
        self.pulled = _last_layer(widths[0] + 4 * 2, 4) if rigid else None

    def forward(self, features: list[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return (B, 2, h, w) in px, (B, 1, h, w), and the features at stride 2 that `pull` takes."""
        x = features[-1]
        for level in (2, 1, 0):
            x = self.blocks[level](_doubled(self.up[level](x)) + features[level])
        out = F.pixel_shuffle(self.out(x).float(), 2)
        return out[:, :2], out[:, 2:].clamp(-6, 6), x

    def pull(self, x: torch.Tensor, rest: torch.Tensor) -> torch.Tensor:
        """Return the part of `rest` (B, 2, h, w) that is noise and not motion."""
        assert self.pulled is not None
        seen = torch.cat([x, F.pixel_unshuffle(torch.tanh(rest), 2)], dim=1)
        share = F.pixel_shuffle(self.pulled(seen.contiguous(memory_format=torch.channels_last)).float(), 2)
        return torch.sigmoid(share + _CLOSED) * rest


class _AtStride4(nn.Module):
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
        x = self.block8(_doubled(self.enter8(features[3])) + self.side8(features[2]))
        x = _doubled(self.enter4(x)) + self.side4(features[1])
        result: torch.Tensor = self.block4(x if further is None else x + further)
        return result


class Geometry(_AtStride4):
    """Depth, and what moves with the head: all that a rigid fit needs beside the flow."""

    def __init__(self, widths: tuple[int, ...]) -> None:
        super().__init__(widths)
        self.out = _last_layer(self.width, 2)

    def forward(self, features: list[torch.Tensor], flow: torch.Tensor) -> RigidFit:
        """Fit the motion of the head to a flow (B, 2, h, w), which gets no gradient by way of the fit."""
        weight, depth = _resized(self.out(self.decode(features)).float(), flow).chunk(2, dim=1)
        with torch.autocast(flow.device.type, enabled=False):
            fitted, _ = fit_head_flow(flow.detach(), depth, torch.sigmoid(weight).square())
        return RigidFit(weight, depth, fitted, flow - fitted)


class HeadDecoder(_AtStride4):
    """Expression flow: what is left beside the rigid fit, behind a gate, and a correction of it."""

    def __init__(self, widths: tuple[int, ...], rigid: bool) -> None:
        super().__init__(widths)
        self.left = nn.Conv2d(16 * 2, self.width, 1) if rigid else None
        self.out = _last_layer(self.width, 16 * (3 if rigid else 2))

    def forward(
        self, features: list[torch.Tensor], rest: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return expression flow (B, 2, h, w) and the gate's logits (B, 1, h, w), from what is left beside the fit."""
        if self.left is None or rest is None:
            return F.pixel_shuffle(self.out(self.decode(features)).float(), 4), None
        further = self.left(F.pixel_unshuffle(torch.tanh(rest), 4).contiguous(memory_format=torch.channels_last))
        out = F.pixel_shuffle(self.out(self.decode(features, further)).float(), 4)
        gate = out[:, 2:] + _CLOSED
        return torch.sigmoid(gate) * rest + out[:, :2], gate


def _last_layer(inputs: int, outputs: int) -> nn.Conv2d:
    """Return a layer that adds nearly nothing at first."""
    layer = nn.Conv2d(inputs, outputs, 3, padding=1)
    nn.init.normal_(layer.weight, std=_SMALL)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def _observe(image1: torch.Tensor, image2: torch.Tensor, flow: torch.Tensor, back: torch.Tensor) -> torch.Tensor:
    """Return what the encoder sees: (B, inputs, h, w)."""
    where, inside = _targets(flow)
    warped = F.grid_sample(image2, where, padding_mode="border", align_corners=True)
    loop = flow + F.grid_sample(back, where, padding_mode="border", align_corners=True)
    difference = 3 * (image1 - warped).abs().mean(dim=1, keepdim=True)
    length = (flow.square().sum(dim=1, keepdim=True).sqrt().mean(dim=(2, 3), keepdim=True)) + 1
    size = (torch.log(length) / 3).expand_as(difference)
    moved = [torch.tanh(flow / length / 2), torch.tanh(loop / 2)]
    return torch.cat([image1, warped, difference, *moved, size, inside], dim=1)


def _targets(flow: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return where each pixel goes, in `grid_sample`'s coordinates (B, h, w, 2), and whether that is in the image."""
    height, width = flow.shape[2:]
    y, x = torch.meshgrid(
        torch.arange(height, device=flow.device), torch.arange(width, device=flow.device), indexing="ij"
    )
    where = torch.stack([(x + flow[:, 0]) * (2 / (width - 1)) - 1, (y + flow[:, 1]) * (2 / (height - 1)) - 1], dim=3)
    inside = (where.abs() <= 1).all(dim=3)[:, None].to(flow.dtype)
    return where, inside


def _pooled(x: torch.Tensor, scale: int) -> torch.Tensor:
    return x if scale == 1 else F.avg_pool2d(x, scale)


def _resized(x: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    if x.shape[2:] == like.shape[2:]:
        return x
    return F.interpolate(x, size=like.shape[2:], mode="bilinear", align_corners=False)


def _doubled(x: torch.Tensor) -> torch.Tensor:
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
