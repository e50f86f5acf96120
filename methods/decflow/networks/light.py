"""A network of the same kind that a CPU can train and run: coarse to fine instead of all pairs.

What it keeps of the paper's: shared encoders, the face-semantic encoder fused into the context (Eq. 5),
shared attention and initial states, two parallel decoders, expression = facial - head. What it changes: the
recurrent update runs at strides 32, 16, 8 and 4 with one set of weights, looks at the correlation in a
local window, and upsamples the last flow convexly by 4. Motion is aggregated globally at strides 32 and 16.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from ..blocks.attention import Aggregator, AttentionMap, GlobalAttention
from ..blocks.correlation import Correlation, CorrelationKind, correlate
from ..blocks.gru import GatedUpdate
from ..blocks.layers import (
    FusionBlock,
    InstanceNorm,
    NormLayer,
    ResidualBlock,
    convex_upsample,
    no_norm,
    upsample_aligned,
)
from ..config import LightConfig
from ..semantic import SemanticEncoder, create_semantic_encoder
from .base import FlowNetwork, FlowPredictions

STRIDES = (32, 16, 8, 4)
FINEST = 4
RADIUS = 4
ATTENTION_DIMENSION = 32
AGGREGATED = (32, 16)


class DecFlowLight(FlowNetwork):
    """The light network.

    Args:
        config: its widths and what it is made of.
        correlation: by default windows are computed on demand on a CPU, and on other devices all pairs of a
            stride are held while they fit.
    """

    stride = 32
    smallest = 64
    config: LightConfig
    facial_decoder: LightDecoder
    head_decoder: LightDecoder

    def __init__(self, config: LightConfig, correlation: CorrelationKind | None = None) -> None:
        super().__init__()
        self.config = config
        self.steps = sum(config.iterations)
        self.correlation = correlation
        self.semantic: SemanticEncoder | None = create_semantic_encoder(config.semantic, config.semantic_input)
        widths = config.channels
        self.feature_encoder = FeaturePyramid(widths, config.features)
        semantic_channels = 0 if self.semantic is None else self.semantic.channels
        self.context_encoder = ContextPyramid(widths, semantic_channels, 2 * config.hidden)
        self.attention = GlobalAttention(config.hidden, ATTENTION_DIMENSION)
        self.facial_decoder = LightDecoder(config)
        self.head_decoder = LightDecoder(config)

    def forward(
        self,
        image1: torch.Tensor,
        image2: torch.Tensor,
        *,
        iterations: int | None = None,
        head: bool = True,
        every_step: bool | None = None,
    ) -> FlowPredictions:
        """See `FlowNetwork.forward`; `iterations` counts the steps at each of the four strides."""
        self.check_size(image1, image2)
        every_step = self.training if every_step is None else every_step
        decoders = [self.facial_decoder, self.head_decoder] if head else [self.facial_decoder]
        counts = self.config.iterations if iterations is None else (iterations,) * len(STRIDES)
        kind = self.correlation or ("on_demand" if image1.device.type == "cpu" else "auto")

        pyramid = self.feature_encoder(2 * torch.cat([image1, image2]) - 1)
        semantic = None if self.semantic is None else self.semantic(image1)
        contexts = self.context_encoder(2 * image1 - 1, semantic)
        states = [LightState(decoder) for decoder in decoders]
        predictions: list[list[torch.Tensor]] = []
        for stride, features, context, count in zip(STRIDES, pyramid, contexts, counts, strict=True):
            features1, features2 = features.chunk(2)
            correlation = correlate(features1, features2, 1, RADIUS, kind)
            hidden, context = context.chunk(2, dim=1)
            context = torch.relu(context)
            attention = self.attention(context) if stride in AGGREGATED else None
            for state in states:
                state.enter(hidden, context)
            for step in range(count):
                _update(states, correlation, attention)
                last = stride == FINEST and step == count - 1
                if every_step or last:
                    predictions.append([state.upsampled(stride) for state in states])
        flows = list(zip(*predictions, strict=True))
        return FlowPredictions(flows[0], flows[1] if head else ())


class _Trunk(nn.Module):
    """Residual blocks down to stride 32.

    The convolutions keep PyTorch's own small initial values. He initialisation, which RAFT's encoders have, makes
    correlations and states here so large that the first steps kill units of the flow head faster than it learns.
    """

    def __init__(self, widths: tuple[int, ...], norm: NormLayer) -> None:
        super().__init__()
        w2, w4, w8, w16, w32 = widths
        self.stem = nn.Sequential(nn.Conv2d(3, w2, 7, stride=2, padding=3), norm(w2), nn.ReLU())
        self.down4 = nn.Sequential(ResidualBlock(w2, w4, 2, norm), ResidualBlock(w4, w4, 1, norm))
        self.down8 = nn.Sequential(ResidualBlock(w4, w8, 2, norm), ResidualBlock(w8, w8, 1, norm))
        self.down16 = ResidualBlock(w8, w16, 2, norm)
        self.down32 = ResidualBlock(w16, w32, 2, norm)


class FeaturePyramid(_Trunk):
    """Features to be matched, at strides 32, 16, 8 and 4."""

    def __init__(self, widths: tuple[int, ...], outputs: int) -> None:
        super().__init__(widths, InstanceNorm)
        self.projections = nn.ModuleList([nn.Conv2d(width, outputs, 1) for width in reversed(widths[1:])])

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Encode (B, 3, H, W) into four maps, coarse to fine."""
        at4 = self.down4(self.stem(x))
        at8 = self.down8(at4)
        at16 = self.down16(at8)
        maps = [self.down32(at16), at16, at8, at4]
        return [project(level) for project, level in zip(self.projections, maps, strict=True)]


class ContextPyramid(_Trunk):
    """Context at strides 32, 16, 8 and 4: each adds to what the coarser one says; semantics come in at 8."""

    def __init__(self, widths: tuple[int, ...], semantic: int, outputs: int) -> None:
        super().__init__(widths, no_norm)
        self.projections = nn.ModuleList([nn.Conv2d(width, outputs, 1) for width in reversed(widths[1:])])
        self.fusion = FusionBlock(widths[2], semantic, bridge=widths[2], identity=False) if semantic else None

    def forward(self, x: torch.Tensor, semantic: torch.Tensor | None) -> list[torch.Tensor]:
        """Encode (B, 3, H, W), with (B, semantic, H / 8, W / 8), into four maps, coarse to fine."""
        at4 = self.down4(self.stem(x))
        at8 = self.down8(at4)
        if self.fusion is not None and semantic is not None:
            at8 = self.fusion(at8, semantic)
        at16 = self.down16(at8)
        maps = [self.down32(at16), at16, at8, at4]
        contexts: list[torch.Tensor] = []
        for project, level in zip(self.projections, maps, strict=True):
            context = project(level)
            if contexts:
                context = context + upsample_aligned(contexts[-1], 2)
            contexts.append(context)
        return contexts


class LightDecoder(nn.Module):
    """Everything that one of the two flows has of its own; the same weights at every stride."""

    def __init__(self, config: LightConfig) -> None:
        super().__init__()
        hidden, motion = config.hidden, config.motion
        self.correlation1 = nn.Conv2d((2 * RADIUS + 1) ** 2, 64, 1)
        self.correlation2 = nn.Conv2d(64, 48, 3, padding=1)
        self.flow1 = nn.Conv2d(2, 16, 7, padding=3)
        self.flow2 = nn.Conv2d(16, 16, 3, padding=1)
        self.merge = nn.Conv2d(48 + 16, motion - 2, 3, padding=1)
        self.aggregator = Aggregator(motion)
        self.update = GatedUpdate(hidden, hidden, motion, (3, 3))
        # Not ReLU: nearly every unit of one dies in the first steps, when all that lowers the loss is to say that
        # nothing moves.
        self.flow_head = nn.Sequential(
            nn.Conv2d(hidden, 64, 3, padding=1), nn.LeakyReLU(0.1), nn.Conv2d(64, 2, 3, padding=1)
        )
        self.mask_head = nn.Sequential(nn.Conv2d(hidden, 64, 3, padding=1), nn.ReLU(), nn.Conv2d(64, 9 * FINEST**2, 1))

    def motion(self, window: torch.Tensor, flow: torch.Tensor) -> torch.Tensor:
        """Return motion features from a correlation window and the flow so far; the last two channels are the flow."""
        seen = F.relu(self.correlation2(F.relu(self.correlation1(window))))
        moved = F.relu(self.flow2(F.relu(self.flow1(flow))))
        merged = F.relu(self.merge(torch.cat([seen, moved], dim=1)))
        return torch.cat([merged, flow.to(merged.dtype)], dim=1)


class LightState:
    """One decoder on its way: its flow in cells of the stride at work, and its hidden state."""

    def __init__(self, decoder: LightDecoder) -> None:
        self.decoder = decoder
        self.hidden: torch.Tensor | None = None

    def enter(self, hidden: torch.Tensor, context: torch.Tensor) -> None:
        """Go to the next stride, with what was found at the one before."""
        if self.hidden is None:
            self.flow = hidden.new_zeros(hidden.shape[0], 2, *hidden.shape[2:], dtype=torch.float32)
        else:
            hidden = hidden + upsample_aligned(self.hidden, 2)
            self.flow = upsample_aligned(2 * self.flow, 2)
        self.hidden = torch.tanh(hidden)
        self.share = self.decoder.update.prepare(context)

    def step(self, motion: torch.Tensor) -> None:
        """Move the hidden state and the flow."""
        self.hidden = self.decoder.update(self.hidden, motion, self.share)
        self.flow = self.flow + self.decoder.flow_head(self.hidden).float()

    def upsampled(self, stride: int) -> torch.Tensor:
        """Return the flow at full size, in pixels: convexly from stride 4, bilinearly from coarser ones."""
        if stride == FINEST:
            return convex_upsample(self.flow, 0.25 * self.decoder.mask_head(self.hidden), FINEST)
        return upsample_aligned(stride * self.flow, stride)


def _update(states: list[LightState], correlation: Correlation, attention: AttentionMap | None) -> None:
    """Let every decoder make one step; they look up the correlation and the attention together."""
    for state in states:
        state.flow = state.flow.detach()
    windows = correlation.lookup([state.flow for state in states])
    motions = [state.decoder.motion(window, state.flow) for state, window in zip(states, windows, strict=True)]
    if attention is not None:
        aggregators = [state.decoder.aggregator for state in states]
        values = [aggregator.value(motion) for aggregator, motion in zip(aggregators, motions, strict=True)]
        means = attention.aggregate(values)
        motions = [
            aggregator(motion, mean) for aggregator, motion, mean in zip(aggregators, motions, means, strict=True)
        ]
    for state, motion in zip(states, motions, strict=True):
        state.step(motion)
