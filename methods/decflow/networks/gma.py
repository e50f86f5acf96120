"""The paper's network: GMA's encoders and recurrent decoder, a face-semantic encoder, two decoders (section 4).

GMA is Jiang et al., "Learning to Estimate Hidden Motions with Global Motion Aggregation", ICCV 2021, on top
of RAFT (Teed and Deng, ECCV 2020).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from ..blocks.attention import Aggregator, AttentionMap, GlobalAttention
from ..blocks.correlation import Correlation, CorrelationKind, correlate
from ..blocks.gru import GatedUpdate
from ..blocks.layers import FusionBlock, InstanceNorm, NormLayer, ResidualBlock, convex_upsample, init_encoder
from ..config import PaperConfig
from ..semantic import SemanticEncoder, create_semantic_encoder
from .base import FlowNetwork, FlowPredictions

STRIDE = 8
LEVELS = 4
RADIUS = 4
FEATURES = 256
HIDDEN = 128
CONTEXT = 128
MOTION = 128


class DecFlow(FlowNetwork):
    """The paper-size network.

    Args:
        config: what it is made of.
        correlation: `auto` holds all pairs while they fit and computes windows on demand for larger images.
    """

    stride = STRIDE
    smallest = STRIDE * 2 ** (LEVELS - 1)
    config: PaperConfig
    facial_decoder: Decoder
    head_decoder: Decoder

    def __init__(self, config: PaperConfig, correlation: CorrelationKind = "auto") -> None:
        super().__init__()
        self.config = config
        self.steps = config.iterations
        self.correlation: CorrelationKind = correlation
        self.feature_encoder = Encoder(FEATURES, InstanceNorm)
        self.context_encoder = Encoder(HIDDEN + CONTEXT, nn.BatchNorm2d)
        self.semantic: SemanticEncoder | None = create_semantic_encoder(config.semantic, config.semantic_input)
        self.fusion: FusionBlock | None = None
        if self.semantic is not None:
            self.semantic.keeps_statistics = config.semantic_statistics == "kept"
            self.fusion = FusionBlock(HIDDEN + CONTEXT, self.semantic.channels, bridge=256)
        self.attention = GlobalAttention(CONTEXT, CONTEXT)
        self.facial_decoder = Decoder()
        self.head_decoder = Decoder()

    def forward(
        self,
        image1: torch.Tensor,
        image2: torch.Tensor,
        *,
        iterations: int | None = None,
        head: bool = True,
        every_step: bool | None = None,
    ) -> FlowPredictions:
        """See `FlowNetwork.forward`."""
        self.check_size(image1, image2)
        every_step = self.training if every_step is None else every_step
        steps = self.steps if iterations is None else iterations
        decoders = [self.facial_decoder, self.head_decoder] if head else [self.facial_decoder]

        features = self.feature_encoder(2 * torch.cat([image1, image2]) - 1)
        features1, features2 = features.chunk(2)
        correlation = correlate(features1, features2, LEVELS, RADIUS, self.correlation)
        hidden, context = self._context(image1)
        attention = self.attention(context)
        states = [DecoderState(decoder, hidden, context) for decoder in decoders]

        predictions: list[list[torch.Tensor]] = []
        for step in range(steps):
            update(states, correlation, attention)
            if every_step or step == steps - 1:
                predictions.append([state.upsampled() for state in states])
        flows = list(zip(*predictions, strict=True))
        return FlowPredictions(flows[0], flows[1] if head else ())

    def _context(self, image1: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the first hidden state and the context features (Eq. 5)."""
        context = self.context_encoder(2 * image1 - 1)
        if self.semantic is not None and self.fusion is not None:
            context = self.fusion(context, self.semantic(image1))
        hidden, context = context.split([HIDDEN, CONTEXT], dim=1)
        return torch.tanh(hidden), torch.relu(context)


class Encoder(nn.Module):
    """RAFT's encoder: three stages of two residual blocks, to 1/8 of the size."""

    def __init__(self, outputs: int, norm: NormLayer) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 64, 7, stride=2, padding=3)
        self.norm = norm(64)
        widths = [(64, 64, 1), (64, 64, 1), (64, 96, 2), (96, 96, 1), (96, 128, 2), (128, 128, 1)]
        self.blocks = nn.Sequential(*(ResidualBlock(*width, norm) for width in widths))
        self.project = nn.Conv2d(128, outputs, 1)
        init_encoder(self)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Encode (B, 3, H, W) into (B, outputs, H / 8, W / 8)."""
        encoded: torch.Tensor = self.project(self.blocks(F.relu(self.norm(self.stem(x)))))
        return encoded


class MotionEncoder(nn.Module):
    """Motion features from a correlation window and the flow so far; the last two channels are the flow."""

    def __init__(self) -> None:
        super().__init__()
        self.correlation1 = nn.Conv2d(LEVELS * (2 * RADIUS + 1) ** 2, 256, 1)
        self.correlation2 = nn.Conv2d(256, 192, 3, padding=1)
        self.flow1 = nn.Conv2d(2, 128, 7, padding=3)
        self.flow2 = nn.Conv2d(128, 64, 3, padding=1)
        self.merge = nn.Conv2d(192 + 64, MOTION - 2, 3, padding=1)

    def forward(self, correlation: torch.Tensor, flow: torch.Tensor) -> torch.Tensor:
        """Return (B, MOTION, h, w)."""
        seen = F.relu(self.correlation2(F.relu(self.correlation1(correlation))))
        moved = F.relu(self.flow2(F.relu(self.flow1(flow))))
        merged = F.relu(self.merge(torch.cat([seen, moved], dim=1)))
        return torch.cat([merged, flow.to(merged.dtype)], dim=1)


class Decoder(nn.Module):
    """Everything that one of the two flows has of its own: GMA's update block."""

    def __init__(self) -> None:
        super().__init__()
        self.motion = MotionEncoder()
        self.aggregator = Aggregator(MOTION)
        self.horizontal = GatedUpdate(HIDDEN, CONTEXT, 2 * MOTION, (1, 5))
        self.vertical = GatedUpdate(HIDDEN, CONTEXT, 2 * MOTION, (5, 1))
        self.flow_head = _head(2, kernel=3)
        self.mask_head = _head(9 * STRIDE**2, kernel=1)


class DecoderState:
    """One decoder on its way: its flow in cells, (B, 2, h, w) float32, and its hidden state."""

    def __init__(self, decoder: Decoder, hidden: torch.Tensor, context: torch.Tensor) -> None:
        self.decoder = decoder
        self.hidden = hidden
        self.flow = hidden.new_zeros(hidden.shape[0], 2, *hidden.shape[2:], dtype=torch.float32)
        self.horizontal = decoder.horizontal.prepare(context)
        self.vertical = decoder.vertical.prepare(context)

    def step(self, motion: torch.Tensor) -> None:
        """Move the hidden state and the flow."""
        hidden = self.decoder.horizontal(self.hidden, motion, self.horizontal)
        self.hidden = self.decoder.vertical(hidden, motion, self.vertical)
        self.flow = self.flow + self.decoder.flow_head(self.hidden).float()

    def upsampled(self) -> torch.Tensor:
        """Return the flow at full size, in pixels."""
        # RAFT weighs the mask's gradients down.
        return convex_upsample(self.flow, 0.25 * self.decoder.mask_head(self.hidden), STRIDE)


def update(states: list[DecoderState], correlation: Correlation, attention: AttentionMap) -> None:
    """Let every decoder make one step; they look up the correlation and the attention together."""
    for state in states:
        state.flow = state.flow.detach()
    windows = correlation.lookup([state.flow for state in states])
    motions = [state.decoder.motion(window, state.flow) for state, window in zip(states, windows, strict=True)]
    means = attention.aggregate(
        [state.decoder.aggregator.value(motion) for state, motion in zip(states, motions, strict=True)]
    )
    for state, motion, mean in zip(states, motions, means, strict=True):
        state.step(torch.cat([motion, state.decoder.aggregator(motion, mean)], dim=1))


def _head(outputs: int, kernel: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(HIDDEN, 256, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(256, outputs, kernel, padding=kernel // 2),
    )
