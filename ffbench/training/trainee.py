"""What a method gives the trainer: a network, the losses of a recipe's stages, and how to use and save it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from ffbench.errors import MethodError, UsageError
from ffbench.method import Method
from ffbench.packages.entry_points import entry_names, load_entry
from ffbench.registry import method_entry

if TYPE_CHECKING:
    from ffbench.training.recipe import Recipe, Stage
    from ffbench.training.samples import Batch

TRAINER_GROUP = "ffbench.trainers"
Training = Mapping[str, str | int | float | bool]
"""How weights came about, for the model card: recipe, steps, seed, scores, commit, ..."""


class TrainableNetwork(nn.Module, ABC):
    """A network under training, with its losses inside `forward`, so that several processes can share the work.

    The trainer calls `prepare` at the start of each stage and then optimises the parameters that take a gradient.
    """

    suffix: str = ".safetensors"
    """Of the file that `save` writes."""

    @abstractmethod
    def prepare(self, stage: Stage) -> None:
        """Set for a stage which parameters take a gradient, and modes.

        Raises:
            UsageError: the stage names a part or a loss that this network does not have.
        """

    def begin(self, stage: Stage) -> None:
        """Make the copies that a stage starts with; called once, before its first step.

        Raises:
            UsageError: the stage names a part that this network does not have.
        """
        if stage.copies:
            raise UsageError(f"stage '{stage.name}': copies: this network has no parts to be copied")

    def dense_labels(self, stage: Stage) -> frozenset[str]:
        """Return which of `samples.DENSE_LABELS` a stage's losses need."""
        return frozenset()

    def completion(self, stage: Stage) -> Callable[[Batch], Batch] | None:
        """Return what adds to a sample of `TrainingPairs` what the network needs beside it, made by the workers.

        It must be a function of a module, since it goes to other processes.
        """
        return None

    def trains_flow(self, stage: Stage) -> bool:
        """Return whether a stage trains what makes flow, so that it can be validated."""
        return True

    @abstractmethod
    def forward(self, batch: Batch, stage: Stage) -> dict[str, torch.Tensor]:
        """Return the parts of the loss, weighted: their sum is minimised.

        Args:
            batch: see `TrainingPairs`; images are (B, 3, H, W) float in [0, 1] by now.
            stage: what is trained.
        """

    @abstractmethod
    def method(self, device: str) -> Method:
        """Return the network as it is now as a method, for validation. It shares the parameters."""

    @abstractmethod
    def save(self, path: Path, training: Training) -> None:
        """Write the weights so that `--weights PATH` takes them.

        Raises:
            DataError: the file cannot be written.
        """

    def __call__(self, *args: Any, **kwargs: Any) -> dict[str, torch.Tensor]:
        """Call `forward`."""
        losses: dict[str, torch.Tensor] = super().__call__(*args, **kwargs)
        return losses


@dataclass(frozen=True)
class TrainRequest:
    """What is to be trained: a method, `family[/variant]`, by a recipe.

    `weights` is a checkpoint to start from, `random`, or None for what recipe and method start from by themselves;
    `semantic_weights` fills a face-semantic encoder that is somebody else's.
    """

    name: str
    recipe: Recipe
    weights: str | Path | None = None
    semantic_weights: Path | None = None


@dataclass(frozen=True)
class TrainEntry:
    """What an entry point of `ffbench.trainers` gives. `recipes` are files by name; the first is the default."""

    recipes: Mapping[str, Path]
    build: Callable[[TrainRequest], TrainableNetwork]


def train_entry(family: str) -> TrainEntry:
    """Return how a method family is trained: its entry in the group `ffbench.trainers`, under the family's name.

    Raises:
        UsageError: there is no such method, or it cannot be trained.
        MethodError: the package behind the entry cannot be imported, or the entry is no `TrainEntry`.
    """
    points = entry_points(group=TRAINER_GROUP)
    if family not in entry_names(points):
        method_entry(family)
        raise UsageError(f"method '{family}' cannot be trained: it has no recipe")
    found = load_entry(points, family, "trainer")
    if not isinstance(found, TrainEntry):
        raise MethodError(
            f"method '{family}': its entry in {TRAINER_GROUP} is {type(found).__name__}, expected a TrainEntry of "
            "ffbench.training.trainee; tell the method's authors"
        )
    return found
