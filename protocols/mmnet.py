"""MMNet (Li et al., ACM MM 2022) with a flow in the place of the difference of frames (paper, section 5.5).

Written anew from the paper and from the shapes of its released code. The FacialFlowNet paper does not say how it gives
a flow to a branch of three channels; here they are u, v and the length of (u, v).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import nn

from .recognisers import Features, Labels, Predictions, Recogniser, split
from .recognition_faces import SIZE, THUMBNAIL

CHANNELS = 512
TOKENS = THUMBNAIL * THUMBNAIL
_LEARNING_RATE, _DECAY, _DECAY_EPOCHS = 8e-4, 0.987, 50


@dataclass(frozen=True)
class Settings:
    """What differs between the tasks of five and of three classes in the released code."""

    epochs: int
    batch: int
    weight_decay: float
    rotation: float
    """Largest turn of a training face, degrees."""
    padding: int
    """Largest shift of a training face, px."""
    depth: int
    widening: int
    """Hidden width of the transformer's two-layer networks, in tokens' widths."""
    drop_path: float


FIVE = Settings(74, 32, 0.6, 3, 15, depth=2, widening=4, drop_path=0.0)
THREE = Settings(99, 24, 0.7, 4, 4, depth=3, widening=2, drop_path=0.3)


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
        """Give features (B, C, H, W) and their attention (B, 1, H, W); `before` is the last block's."""
        features = torch.relu(self.features(x) + self.shortcut(x))
        pooled = torch.cat([features.mean(1, keepdim=True), features.amax(1, keepdim=True)], 1)
        attention: torch.Tensor = self.attention(pooled)
        if before is not None:
            attention = attention * F.max_pool2d(before, self.stride, self.stride)
        return features * attention, attention


class PositionLayer(nn.Module):
    """One layer of a vision transformer; in training, whole branches of single faces are dropped at random."""

    def __init__(self, width: int, heads: int, widening: int, drop_path: float) -> None:
        super().__init__()
        self.before_attention, self.before_mixing = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.mixing = nn.Sequential(nn.Linear(width, widening * width), nn.GELU(), nn.Linear(widening * width, width))
        self.drop_path = drop_path

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Give tokens (B, N, C) of the same shape."""
        normal = self.before_attention(tokens)
        tokens = tokens + self._kept(self.attention(normal, normal, normal, need_weights=False)[0])
        return tokens + self._kept(self.mixing(self.before_mixing(tokens)))

    def _kept(self, branch: torch.Tensor) -> torch.Tensor:
        if not self.training or not self.drop_path:
            return branch
        keep = 1 - self.drop_path
        return branch * torch.bernoulli(torch.full((len(branch), 1, 1), keep, device=branch.device)) / keep


class MMNet(nn.Module):
    """Motion features of a flow (B, 3, 224, 224), plus positions from the onset face (B, 3, 14, 14): class scores."""

    def __init__(self, classes: int, settings: Settings) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, 180, 3, 2, 1, bias=False), nn.BatchNorm2d(180), nn.ReLU(),
            nn.Conv2d(180, 128, 1, bias=False), nn.BatchNorm2d(128), nn.ReLU(),
        )  # fmt: skip
        widths, strides = (128, 128, 128, 256, CHANNELS), (1, 2, 2, 2)
        self.blocks = nn.ModuleList(AttentionBlock(widths[i], widths[i + 1], strides[i]) for i in range(4))
        self.embedding = nn.Linear(3, CHANNELS)
        self.places = nn.Parameter(torch.randn(1, TOKENS, CHANNELS) * 0.02)
        self.layers = nn.Sequential(
            *(PositionLayer(CHANNELS, 4, settings.widening, settings.drop_path) for _ in range(settings.depth)),
            nn.LayerNorm(CHANNELS),
        )
        self.classifier = nn.Linear(CHANNELS * TOKENS, classes)

    def forward(self, flow: torch.Tensor, onset: torch.Tensor) -> torch.Tensor:
        """Give scores (B, classes)."""
        x, attention = self.stem(flow), None
        for block in self.blocks:
            x, attention = block(x, attention)
        tokens = self.layers(self.embedding(onset.flatten(2).transpose(1, 2)) + self.places)
        x = x + tokens.transpose(1, 2).reshape(len(x), CHANNELS, THUMBNAIL, THUMBNAIL)
        scores: torch.Tensor = self.classifier(x.flatten(1))
        return scores


class MMNetRecogniser(Recogniser):
    """MMNet, trained anew for each fold as its authors do: AdamW, cross-entropy, light augmentation."""

    def __init__(self, classes: int, epochs: int | None = None, device: str = "auto") -> None:
        self.settings = FIVE if classes == 5 else THREE
        self.epochs = epochs or self.settings.epochs
        self.device = device if device != "auto" else ("cuda" if torch.cuda.is_available() else "cpu")

    def features(self, descriptor: npt.NDArray[np.float16]) -> Features:
        """Give the channels u, v and length, and the onset face, flat: 3 x 224 x 224, then 3 x 14 x 14."""
        flow, onset = split(descriptor)
        channels = np.concatenate([flow, np.linalg.norm(flow, axis=2, keepdims=True)], axis=2)
        parts = (part.transpose(2, 0, 1).ravel() for part in (channels, onset))
        return np.asarray(np.concatenate(list(parts)), np.float32)

    def fit_predict(self, features: Features, labels: Labels, others: Features, classes: int, seed: int) -> Predictions:
        """Train and predict."""
        settings, device = self.settings, torch.device(self.device)
        draw = torch.Generator().manual_seed(seed)
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            torch.manual_seed(seed)
            network = MMNet(classes, settings).to(device)
            optimiser = torch.optim.AdamW(network.parameters(), _LEARNING_RATE, weight_decay=settings.weight_decay)
            predicted = np.empty((self.epochs, len(others)), np.int8)
            truth = torch.from_numpy(labels)
            for epoch in range(self.epochs):
                network.train()
                for batch in _batches(len(features), settings.batch, draw):
                    flow, onset = _inputs(features[batch.numpy()])
                    flow, onset = augment(flow, onset, settings, draw)
                    scores = network(flow.to(device), onset.to(device))
                    loss = F.cross_entropy(scores, truth[batch].to(device))
                    optimiser.zero_grad(set_to_none=True)
                    loss.backward()  # type: ignore[no-untyped-call]
                    optimiser.step()
                if epoch < _DECAY_EPOCHS:
                    for group in optimiser.param_groups:
                        group["lr"] *= _DECAY
                predicted[epoch] = self._predict(network.eval(), others, device)
        return predicted

    def _predict(self, network: nn.Module, others: Features, device: torch.device) -> npt.NDArray[np.int8]:
        found = []
        with torch.inference_mode():
            for start in range(0, len(others), self.settings.batch):
                flow, onset = _inputs(others[start : start + self.settings.batch])
                found.append(network(flow.to(device), onset.to(device)).argmax(1).cpu().numpy())
        return np.concatenate(found).astype(np.int8)


def augment(
    flow: torch.Tensor, onset: torch.Tensor, settings: Settings, draw: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Turn, shift and mirror training faces. Vectors turn with the face, and a mirrored u changes its sign.

    Args:
        flow: (B, 3, H, W): u, v and length.
        onset: (B, 3, h, w); mirrored, but neither turned nor shifted: a shift is a fraction of one of its pixels.
        settings: how much.
        draw: source of chance.
    """
    count = len(flow)
    turn = (2 * torch.rand(count, generator=draw) - 1) * np.deg2rad(settings.rotation)
    shift = (2 * torch.rand(count, 2, generator=draw) - 1) * 2 * settings.padding / SIZE
    mirrored = torch.rand(count, generator=draw) < 0.5
    cosine, sine = torch.cos(turn), torch.sin(turn)
    # Sampling a grid that is turned backwards turns the picture forwards.
    rows = torch.stack([torch.stack([cosine, sine, shift[:, 0]], 1), torch.stack([-sine, cosine, shift[:, 1]], 1)], 1)
    grid = F.affine_grid(rows, list(flow.shape), align_corners=False)
    flow = F.grid_sample(flow, grid, align_corners=False, padding_mode="zeros")
    u, v, length = flow.unbind(1)
    c, s = cosine[:, None, None], sine[:, None, None]
    flow = torch.stack([c * u - s * v, s * u + c * v, length], 1)
    signs = torch.tensor([-1.0, 1.0, 1.0])[:, None, None]
    flow = torch.where(mirrored[:, None, None, None], flow.flip(3) * signs, flow)
    return flow, torch.where(mirrored[:, None, None, None], onset.flip(3), onset)


def _batches(count: int, size: int, draw: torch.Generator) -> Sequence[torch.Tensor]:
    """Shuffle; a last batch of one joins the one before, since batch normalisation needs two."""
    order = torch.randperm(count, generator=draw)
    parts = list(torch.split(order, size))
    if len(parts) > 1 and len(parts[-1]) == 1:
        parts[-2:] = [torch.cat(parts[-2:])]
    return parts


def _inputs(features: Features) -> tuple[torch.Tensor, torch.Tensor]:
    values = torch.from_numpy(np.ascontiguousarray(features))
    flow, onset = torch.split(values, [3 * SIZE * SIZE, 3 * TOKENS], 1)
    return flow.reshape(-1, 3, SIZE, SIZE), onset.reshape(-1, 3, THUMBNAIL, THUMBNAIL)
