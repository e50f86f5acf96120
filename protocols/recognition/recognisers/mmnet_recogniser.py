"""MMNet as a recogniser: its inputs, its training by a recipe, and augmentation that keeps flows true."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeGuard, get_args

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import nn

from ffbench.recogniser import FACE_SIZE as SIZE
from ffbench.recogniser import Features, Labels, Predictions, Recogniser, RegisteredFace

from .mmnet import FIVE, MAIN_BRANCH, THREE, MMNet, Shape

RecipeName = Literal["released", "main_branch"]
_FACE_VALUES = SIZE * SIZE * 3

# Mean and spread of ImageNet's colors, by which the released code normalises faces.
_MEAN, _SPREAD = np.array([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]], np.float32)


def is_recipe(name: str) -> TypeGuard[RecipeName]:
    """Whether MMNet has a recipe of this name."""
    return name in get_args(RecipeName)


@dataclass(frozen=True)
class MMNetRecipe:
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
    precision: Literal["fp32", "bf16"] = "fp32"
    """What the network computes in; bf16 by autocast."""

    def rate(self, epoch: int) -> float:
        """Return the learning rate of an epoch."""
        if self.cosine:
            return self.learning_rate * (1 + math.cos(math.pi * epoch / self.epochs)) / 2
        return self.learning_rate * 0.987 ** min(epoch, 50)


RELEASED_FIVE = MMNetRecipe(FIVE, 74, 32, 8e-4, 0.6, rotation=3, padding=15)
RELEASED_THREE = MMNetRecipe(THREE, 99, 24, 8e-4, 0.7, rotation=4, padding=4)


def main_branch(released: MMNetRecipe) -> MMNetRecipe:
    """Make a recipe that a CPU can do and that learns from a hundred clips (docs/protocols/recognition.md)."""
    return replace(
        released,
        shape=MAIN_BRANCH,
        epochs=8,
        batch=16,
        learning_rate=5e-4,
        cosine=True,
        shrink=4,
        fresh=True,
        precision="bf16",
    )


class MMNetRecogniser(Recogniser):
    """MMNet, trained anew for each fold: AdamW, cross-entropy."""

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
        self.recipe_name, self.epochs = recipe, self.recipe.epochs
        self.device = device if device != "auto" else ("cuda" if torch.cuda.is_available() else "cpu")

    def features(self, face: RegisteredFace) -> Features:
        """Return the channels u, v and length, and where positions are read the onset face by ImageNet's colors, flat.

        They are 3 x H x H with H = 224 / shrink, in px of the whole face, and 3 x 224 x 224.
        """
        flow, onset = face.flow, face.onset
        side, shrink = SIZE // self.recipe.shrink, self.recipe.shrink
        flow = flow.reshape(side, shrink, side, shrink, 2).mean(axis=(1, 3))
        channels = np.concatenate([flow, np.linalg.norm(flow, axis=2, keepdims=True)], axis=2)
        parts = [channels, (onset - _MEAN) / _SPREAD] if self.recipe.shape.depth else [channels]
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
                for batch in _batches(len(features), recipe, draw):
                    flow, onset = augment(*self._inputs(features[batch.numpy()]), recipe, draw)
                    loss = F.cross_entropy(self._scores(network, flow, onset, device), truth[batch].to(device))
                    optimiser.zero_grad(set_to_none=True)
                    loss.backward()  # type: ignore[no-untyped-call]
                    optimiser.step()
                predicted[epoch] = self._predict(network.eval(), others, device)
        return predicted

    def _predict(self, network: nn.Module, others: Features, device: torch.device) -> npt.NDArray[np.int8]:
        found = []
        with torch.inference_mode():
            for start in range(0, len(others), self.recipe.batch):
                inputs = self._inputs(others[start : start + self.recipe.batch])
                found.append(self._scores(network, *inputs, device).argmax(1).cpu().numpy())
        return np.concatenate(found).astype(np.int8)

    def _inputs(self, features: Features) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return flows (B, 3, H, H) and onset faces (B, 3, 224, 224), None where no positions are read."""
        values = torch.from_numpy(np.ascontiguousarray(features))
        side = SIZE // self.recipe.shrink
        flow = values[:, : 3 * side * side].reshape(-1, 3, side, side)
        if not self.recipe.shape.depth:
            return flow, None
        return flow, values[:, -_FACE_VALUES:].reshape(-1, 3, SIZE, SIZE)

    def _scores(
        self, network: nn.Module, flow: torch.Tensor, onset: torch.Tensor | None, device: torch.device
    ) -> torch.Tensor:
        """Run the network: float32 scores (B, classes)."""
        flow = flow.to(device, memory_format=torch.channels_last)
        with torch.autocast(device.type, torch.bfloat16, enabled=self.recipe.precision == "bf16"):
            scores: torch.Tensor = network(flow, None if onset is None else onset.to(device))
        return scores.float()


def _forget_statistics(network: nn.Module) -> None:
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()
            module.momentum = None  # the plain mean over all batches from now on


def augment(
    flow: torch.Tensor, onset: torch.Tensor | None, recipe: MMNetRecipe, draw: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Turn, shift and mirror training faces, flow and onset alike.

    Vectors turn with the face, and a mirrored u changes its sign. What comes in from outside does not move, and is of
    the mean color.

    Args:
        flow: (B, 3, H, W): u, v and length.
        onset: (B, 3, h, w), normalised, or None.
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
    flow = _resampled(flow, rows)
    u, v, length = flow.unbind(1)
    c, s = cosine[:, None, None], sine[:, None, None]
    flow = torch.stack([c * u - s * v, s * u + c * v, length], 1)
    signs = torch.tensor([-1.0, 1.0, 1.0])[:, None, None]
    mirrored = mirrored[:, None, None, None]
    flow = torch.where(mirrored, flow.flip(3) * signs, flow)
    if onset is None:
        return flow, None
    onset = _resampled(onset, rows)
    return flow, torch.where(mirrored, onset.flip(3), onset)


def _resampled(images: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    grid = F.affine_grid(rows, list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, align_corners=False, padding_mode="zeros")


def _batches(count: int, recipe: MMNetRecipe, draw: torch.Generator) -> Sequence[torch.Tensor]:
    """Shuffle; where the statistics of all batches count alike, a last batch of one joins the one before."""
    order = torch.randperm(count, generator=draw)
    parts = list(torch.split(order, recipe.batch))
    if recipe.fresh and len(parts) > 1 and len(parts[-1]) == 1:
        parts[-2:] = [torch.cat(parts[-2:])]
    return parts
