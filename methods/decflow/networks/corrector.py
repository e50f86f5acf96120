"""A light network of the same kind that corrects a classical flow instead of matching from nothing.

What it keeps of the paper's: a shared encoder, the face-semantic encoder fused into it (Eq. 5), two decoders,
expression = facial - head. What it changes: the flow starts as that of a classical method, and one U-Net, applied at
half and then at full resolution, adds what that method got wrong. With the decomposition `rigid` the network also says
which pixels are head, trunk and background, how deep they are and whether they deform; rigid motions are fitted to the
flow by that and aligned to the images (`bodies`). Facial flow is pulled towards them where there is only noise between
the two, and a gate tells expression from noise. With the decomposition `learned` head flow is what the head decoder
says, as in the paper.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from ..blocks.bodies import BodyFit, Geometry
from ..blocks.matching import Match, Matcher
from ..blocks.unet import MATCHING_LEVEL, AtStride4, Encoder, Residual, doubled, last_layer, resized
from ..blocks.warping import resized_flow, sample, targets, warped
from ..config import CorrectorConfig
from ..semantic import SemanticEncoder, create_semantic_encoder
from .base import FlowNetwork, FlowPredictions
from .classical_start import BothWays, classical_flows

SCALES = (2, 1)
"""The flow is corrected at 1/2 of the images' size, then at 1/1."""
_INPUTS = 16
_CLOSED = -2.0  # what gates' logits begin at
_FAR = 8.0  # px, the coarser of two units in which decoders see what is left beside a fit
_LEAST_NOISE, _MOST_NOISE = 0.05, 20.0  # px


@dataclass(frozen=True)
class CorrectorPredictions(FlowPredictions):
    """Beside the flows: what they were made of.

    Attributes:
        log_error: log of the expected error of the facial flow, px, (B, 1, H, W), after each step.
        fits: of the bodies' motions, each at its scale; empty when the decomposition is learned.
        gate: (B, 1, H, W) logits, whether what is left beside the fit is expression; None when it is learned.
        matches: of the two images, each at its scale; empty without matching.
    """

    log_error: tuple[torch.Tensor, ...] = ()
    fits: tuple[BodyFit, ...] = ()
    gate: torch.Tensor | None = None
    matches: tuple[Match, ...] = ()


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
        self.encoder = Encoder(_INPUTS, len(SCALES), config.channels, semantic_channels)
        rigid = config.decomposition == "rigid"
        self.geometry = Geometry(config.channels) if rigid else None
        self.facial_decoder = FacialDecoder(config.channels, rigid)
        self.head_decoder = HeadDecoder(config.channels, rigid)
        self.matcher = Matcher(config.channels[MATCHING_LEVEL]) if config.matching else None
        _channels_last(self)

    def forward(
        self,
        image1: torch.Tensor,
        image2: torch.Tensor,
        *,
        iterations: int | None = None,
        head: bool = True,
        every_step: bool | None = None,
        start: tuple[torch.Tensor, torch.Tensor] | None = None,
    ) -> CorrectorPredictions:
        """See `FlowNetwork.forward`; there is one step at each scale, and `iterations` must be None or 2.

        `start` is what is corrected, for who has it already: by default what `find_start` gives.
        """
        self.check_size(image1, image2)
        if iterations not in (None, self.steps):
            raise ValueError(f"this network makes {self.steps} steps, got {iterations}")
        every_step = self.training if every_step is None else every_step
        flow, back = self.find_start(image1, image2) if start is None else start
        semantic = None if self.semantic is None else (self.semantic(image1), self.semantic(image2))
        facial, heads, errors, fits, matches = [], [], [], [], []
        gate: torch.Tensor | None = None
        mixture: torch.Tensor | None = None
        for number, scale in enumerate(SCALES):
            first, second = (_pooled(2 * image - 1, scale) for image in (image1, image2))
            here, there = _pooled(flow, scale) / scale, _pooled(back, scale) / scale
            seen = None if semantic is None else _compared(*semantic, flow, scale)
            beside = None if mixture is None else _pooled(mixture, scale) / scale
            matched = None
            if self.matcher is not None:
                matched, match = self.matcher(first, second, here)
                matches.append(match)
            features = self.encoder(_observe(first, second, here, there, beside), number, seen, matched)
            correction, log_error, last = self.facial_decoder(features)
            flow = flow + scale * resized(correction, flow)
            rest = None
            if self.geometry is not None:
                here = _pooled(flow, scale) / scale
                fit = self.geometry(features, here, first, second)
                rest = here - fit.mixture
                gain = _explained(first, second, here.detach(), fit.mixture.detach())
                noise = self.facial_decoder.noise(last, rest, fit.along_depth.detach(), gain)
                flow, rest = flow - scale * resized(noise, flow), (rest - noise).detach()
                mixture = scale * resized(fit.mixture.detach(), flow)
                fits.append(fit)
            if every_step or scale == SCALES[-1]:
                facial.append(flow)
                errors.append(resized(log_error, flow))
                if head:
                    expression, gate = self.head_decoder(features, rest)
                    heads.append(flow - scale * resized(expression, flow))
            flow = flow.detach()
        return CorrectorPredictions(tuple(facial), tuple(heads), tuple(errors), tuple(fits), gate, tuple(matches))

    def __call__(self, *args: Any, **kwargs: Any) -> CorrectorPredictions:
        """Call `forward`."""
        predictions = super().__call__(*args, **kwargs)
        assert isinstance(predictions, CorrectorPredictions)
        return predictions

    @torch.no_grad()
    def find_start(self, image1: torch.Tensor, image2: torch.Tensor) -> BothWays:
        """Return the flows, there and back, that the network corrects; see `forward` for the images.

        With several levels DIS begins at what this network finds in images of half the size, which in turn begins at
        a quarter: motion that is too large for DIS alone is small there.
        """
        if self.config.start == "none":
            zero = torch.zeros_like(image1[:, :2], dtype=torch.float32)
            return zero, zero
        begin: BothWays | None = None
        for size in reversed(level_sizes(image1.shape[2:], self.config.levels, self.stride, self.smallest)):
            first, second = (F.interpolate(image, size, mode="area") for image in (image1, image2))
            there, back = classical_flows(first, second, None if begin is None else _both_resized(begin, size))
            forward = self(first, second, head=False, every_step=False, start=(there, back)).facial[-1]
            backward = self(second, first, head=False, every_step=False, start=(back, there)).facial[-1]
            begin = forward, backward
        whole = (image1.shape[2], image1.shape[3])
        start: BothWays = classical_flows(image1, image2, None if begin is None else _both_resized(begin, whole))
        return start


def level_sizes(shape: Sequence[int], levels: int, stride: int, smallest: int) -> list[tuple[int, int]]:
    """Return the heights and widths of the coarser levels, from fine to coarse.

    Args:
        shape: height and width of the images, px.
        levels: how many there are with that of the images themselves.
        stride: sides are rounded to multiples of it.
        smallest: a level with a shorter side is left out, and all that are coarser.
    """
    sizes: list[tuple[int, int]] = []
    for level in range(1, levels):
        height, width = (round(side / 2**level / stride) * stride for side in shape)
        if min(height, width) < smallest:
            break
        sizes.append((height, width))
    return sizes


def _both_resized(flows: BothWays, size: tuple[int, int]) -> BothWays:
    there, back = (resized_flow(flow, size) for flow in flows)
    return there, back


def _channels_last(module: nn.Module) -> None:
    for parameter in module.parameters():
        if parameter.dim() == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)


class FacialDecoder(nn.Module):
    """What is added to the flow, the log of the error that is left, and how much beside the bodies' motion is noise."""

    def __init__(self, widths: tuple[int, ...], rigid: bool) -> None:
        super().__init__()
        self.up = nn.ModuleList([nn.Conv2d(b, a, 1) for a, b in pairwise(widths)])
        self.blocks = nn.ModuleList([Residual(width) for width in widths[:-1]])
        self.out = last_layer(widths[0], 4 * 3)
        self.beside = nn.Conv2d(widths[0] + 4 * 5, widths[0], 3, padding=1) if rigid else None
        self.noisy = last_layer(widths[0], 4 * 3) if rigid else None

    def forward(self, features: list[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return (B, 2, h, w) in px, (B, 1, h, w), and the features at stride 2 that `noise` takes."""
        x = features[-1]
        for level in (2, 1, 0):
            x = self.blocks[level](doubled(self.up[level](x)) + features[level])
        out = F.pixel_shuffle(self.out(x).float(), 2)
        return out[:, :2], out[:, 2:].clamp(-6, 6), x

    def noise(self, x: torch.Tensor, rest: torch.Tensor, along: torch.Tensor, gain: torch.Tensor) -> torch.Tensor:
        """Return the part of `rest` (B, 2, h, w) that is noise and not motion.

        What is large beside the noise that is expected there is motion, and stays. Where an error of the depth shows as
        motion, and across that, have shares of their own.

        Args:
            x: features at stride 2.
            rest: facial flow minus the bodies' motion, in px.
            along: (B, 2, h, w), how the bodies' motion changes with depth, px.
            gain: (B, 1, h, w), how much better the bodies' motion explains the images.
        """
        assert self.beside is not None
        assert self.noisy is not None
        seen = torch.cat([torch.tanh(rest), torch.tanh(rest / _FAR), gain], dim=1)
        seen = F.pixel_unshuffle(seen, 2).contiguous(memory_format=torch.channels_last)
        hidden = F.leaky_relu(self.beside(torch.cat([x, seen], dim=1)), 0.1)
        share_along, share_across, size = F.pixel_shuffle(self.noisy(hidden).float(), 2).chunk(3, dim=1)
        expected = size.exp().clamp(_LEAST_NOISE, _MOST_NOISE).square()
        length = rest.detach().square().sum(dim=1, keepdim=True)
        direction = along / (along.square().sum(dim=1, keepdim=True) + _LEAST_NOISE**2).sqrt()
        lengthwise = (rest * direction).sum(dim=1, keepdim=True) * direction
        across = torch.sigmoid(share_across + _CLOSED) * (rest - lengthwise)
        return expected / (expected + length) * (torch.sigmoid(share_along + _CLOSED) * lengthwise + across)


class HeadDecoder(AtStride4):
    """Expression flow: what is left beside the bodies' motion, behind a gate, and a correction of it."""

    def __init__(self, widths: tuple[int, ...], rigid: bool) -> None:
        super().__init__(widths)
        self.left = nn.Conv2d(16 * 2, self.width, 1) if rigid else None
        self.out = last_layer(self.width, 16 * (3 if rigid else 2))

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


def _observe(
    image1: torch.Tensor, image2: torch.Tensor, flow: torch.Tensor, back: torch.Tensor, beside: torch.Tensor | None
) -> torch.Tensor:
    """Return what the encoder sees: (B, inputs, h, w). `beside` is the bodies' motion where it is known already."""
    where, inside = targets(flow)
    moved = sample(image2, where)
    loop = flow + sample(back, where)
    difference = 3 * (image1 - moved).abs().mean(dim=1, keepdim=True)
    length = (flow.square().sum(dim=1, keepdim=True).sqrt().mean(dim=(2, 3), keepdim=True)) + 1
    size = (torch.log(length) / 3).expand_as(difference)
    seen = [image1, moved, difference, torch.tanh(flow / length / 2), torch.tanh(loop / 2), size, inside]
    if beside is None:
        other = torch.zeros_like(image1)
    else:
        explained = 3 * (image1 - warped(image2, beside)).abs().mean(dim=1, keepdim=True)
        other = torch.cat([torch.tanh(flow - beside), explained], dim=1)
    return torch.cat([*seen, other], dim=1)


def _compared(first: torch.Tensor, second: torch.Tensor, flow: torch.Tensor, scale: int) -> torch.Tensor:
    """Return semantic features (B, 2 C, h / 8, w / 8) at a scale: of image 1, and how they change along the flow.

    Features say what part of the face a pixel shows. Where another part comes to lie there, the flow is wrong.
    """
    here, there = _pooled(first, scale), _pooled(second, scale)
    stride = flow.shape[-1] // here.shape[-1]
    change = warped(there.float(), _pooled(flow, stride) / stride) - here
    return torch.cat([here, change.to(here.dtype)], dim=1)


def _explained(image1: torch.Tensor, image2: torch.Tensor, flow: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """Return how much better a second flow brings image 2 onto image 1 than the first: (B, 1, h, w)."""
    by_flow, by_other = ((image1 - warped(image2, field)).abs().mean(dim=1, keepdim=True) for field in (flow, other))
    return torch.tanh(10 * F.avg_pool2d(by_flow - by_other, 5, 1, 2))


def _pooled(x: torch.Tensor, scale: int) -> torch.Tensor:
    return x if scale == 1 else F.avg_pool2d(x, scale)
