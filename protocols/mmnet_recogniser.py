"""MMNet as a recogniser: its inputs, its training by a recipe, and augmentation that keeps flows true."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import nn

from .mmnet import FIVE, MAIN_BRANCH, THREE, TOKENS, MMNet, Shape
from .recognisers import Features, Labels, Predictions, RecipeName, Recogniser, split
from .recognition_faces import SIZE, THUMBNAIL

# Mean and spread of ImageNet's colours, by which the released code normalises faces.
_MEAN, _SPREAD = np.array([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]], np.float32)


@dataclass(frozen=True)
class Recipe:
    """How the network is made, fed and trained."""

    shape: Shape
    epochs: int
    batch: int
    learning_rate: float
    weight_decay: float
    rotation: float
    """Largest turn of a training face, degrees."""
    padding: float
    """Largest shift of a training face, px of `SIZE`."""
    cosine: bool = False
    """The learning rate goes down to 0 by a cosine, not by 1.3 % in each of the first 50 epochs."""
    shrink: int = 1
    """The flow is averaged over squares of so many px."""
    fresh: bool = False
    """Predictions normalise batches by the means of their epoch, not by running means that begin with 0 and 1."""

    def rate(self, epoch: int) -> float:
        """Give the learning rate of an epoch."""
        if self.cosine:
            return self.learning_rate * (1 + math.cos(math.pi * epoch / self.epochs)) / 2
        return self.learning_rate * 0.987 ** min(epoch, 50)


RELEASED_FIVE = Recipe(FIVE, 74, 32, 8e-4, 0.6, rotation=3, padding=15)
RELEASED_THREE = Recipe(THREE, 99, 24, 8e-4, 0.7, rotation=4, padding=4)


def main_branch(released: Recipe) -> Recipe:
    """Make a recipe that a CPU can do and that learns from a hundred clips (docs/protocols/recognition.md)."""
    return replace(
        released, shape=MAIN_BRANCH, epochs=8, batch=16, learning_rate=5e-4, cosine=True, shrink=4, fresh=True
    )


class MMNetRecogniser(Recogniser):
    """MMNet, trained anew for each fold: AdamW, cross-entropy, bfloat16 where autocast has it."""

    def __init__(
        self, classes: int, epochs: int | None = None, recipe: RecipeName = "released", device: str = "auto"
    ) -> None:
        """Choose what to train.

        Args:
            classes: 5 or 3; of what the released code has for either.
            epochs: None for the recipe's own number.
            recipe: `released`, that of the released code, or `main_branch`, without positions.
            device: to train on; `auto` is a GPU if there is one.
        """
        chosen = RELEASED_FIVE if classes == 5 else RELEASED_THREE
        if recipe == "main_branch":
            chosen = main_branch(chosen)
        self.recipe = replace(chosen, epochs=epochs or chosen.epochs)
        self.epochs = self.recipe.epochs
        self.device = device if device != "auto" else ("cuda" if torch.cuda.is_available() else "cpu")

    def features(self, descriptor: npt.NDArray[np.float16]) -> Features:
        """Give the channels u, v and length, and the onset face by ImageNet's colours, flat.

        They are 3 x H x H with H = 224 / shrink, in px of the whole face, and 3 x 14 x 14.
        """
        flow, onset = split(descriptor)
        side, shrink = SIZE // self.recipe.shrink, self.recipe.shrink
        flow = flow.reshape(side, shrink, side, shrink, 2).mean(axis=(1, 3))
        channels = np.concatenate([flow, np.linalg.norm(flow, axis=2, keepdims=True)], axis=2)
        parts = (channels, (onset - _MEAN) / _SPREAD)
        return np.asarray(np.concatenate([part.transpose(2, 0, 1).ravel() for part in parts]), np.float32)

    def fit_predict(self, features: Features, labels: Labels, others: Features, classes: int, seed: int) -> Predictions:
        """Train and predict."""
        recipe, device = self.recipe, torch.device(self.device)
        draw = torch.Generator().manual_seed(seed)
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            torch.manual_seed(seed)
            network = MMNet(classes, recipe.shape, recipe.shrink)
            network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
            optimiser = torch.optim.AdamW(network.parameters(), weight_decay=recipe.weight_decay)
            predicted = np.empty((self.epochs, len(others)), np.int8)
            truth = torch.from_numpy(labels)
            for epoch in range(self.epochs):
                for group in optimiser.param_groups:
                    group["lr"] = recipe.rate(epoch)
                network.train()
                if recipe.fresh:
                    _forget_statistics(network)
                for batch in _batches(len(features), recipe.batch, draw):
                    flow, onset = augment(*_inputs(features[batch.numpy()]), recipe, draw)
                    loss = F.cross_entropy(_scores(network, flow, onset, device), truth[batch].to(device))
                    optimiser.zero_grad(set_to_none=True)
                    loss.backward()  # type: ignore[no-untyped-call]
                    optimiser.step()
                predicted[epoch] = self._predict(network.eval(), others, device)
        return predicted

    def _predict(self, network: nn.Module, others: Features, device: torch.device) -> npt.NDArray[np.int8]:
        found = []
        with torch.inference_mode():
            for start in range(0, len(others), self.recipe.batch):
                inputs = _inputs(others[start : start + self.recipe.batch])
                found.append(_scores(network, *inputs, device).argmax(1).cpu().numpy())
        return np.concatenate(found).astype(np.int8)


def _scores(network: nn.Module, flow: torch.Tensor, onset: torch.Tensor, device: torch.device) -> torch.Tensor:
    """Run the network in bfloat16: float32 scores (B, classes)."""
    flow = flow.to(device, memory_format=torch.channels_last)
    with torch.autocast(device.type, torch.bfloat16):
        scores: torch.Tensor = network(flow, onset.to(device))
    return scores.float()


def _forget_statistics(network: nn.Module) -> None:
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()
            module.momentum = None  # the plain mean over all batches from now on


def augment(
    flow: torch.Tensor, onset: torch.Tensor, recipe: Recipe, draw: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Turn, shift and mirror training faces. Vectors turn with the face, and a mirrored u changes its sign.

    Args:
        flow: (B, 3, H, W): u, v and length.
        onset: (B, 3, h, w); mirrored, but neither turned nor shifted: a shift is a fraction of one of its pixels.
        recipe: how much.
        draw: source of chance.
    """
    count = len(flow)
    turn = (2 * torch.rand(count, generator=draw) - 1) * np.deg2rad(recipe.rotation)
    shift = (2 * torch.rand(count, 2, generator=draw) - 1) * 2 * recipe.padding / SIZE
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
    flow, onset = np.split(np.ascontiguousarray(features), [-3 * TOKENS], axis=1)
    side = math.isqrt(flow.shape[1] // 3)
    flows, onsets = torch.from_numpy(flow), torch.from_numpy(onset)
    return flows.reshape(-1, 3, side, side), onsets.reshape(-1, 3, THUMBNAIL, THUMBNAIL)
