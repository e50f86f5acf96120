"""The state of a run between two steps: all that is needed to go on as if it had never stopped."""

from __future__ import annotations

import pickle
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError

from ffbench.atomic import atomic_path
from ffbench.errors import DataError, UsageError
from ffbench.training.recipe import Recipe

NAME = "checkpoint.pt"
_FORMAT = "ffbench-training-1"


@dataclass(frozen=True)
class Checkpoint:
    """After `step` steps of the stage of index `stage`.

    `recipe` is the recipe as JSON: a run goes on with the recipe it was begun with. The optimiser's, schedule's and
    scaler's states are empty between stages.
    """

    recipe: str
    stage: int
    step: int
    network: dict[str, torch.Tensor]
    average: dict[str, torch.Tensor]
    optimiser: dict[str, Any]
    schedule: dict[str, Any]
    scaler: dict[str, Any]


def save_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint, atomically: a killed run leaves the one before.

    Raises:
        DataError: it cannot be written.
    """
    with atomic_path(folder / NAME) as temporary:
        torch.save({"format": _FORMAT, **asdict(checkpoint)}, temporary)


def load_checkpoint(folder: Path, recipe: Recipe) -> Checkpoint | None:
    """Read the checkpoint of a run, or None where there is none yet. No code in it is run.

    Raises:
        DataError: it is damaged or something else.
        UsageError: it is of another recipe.
    """
    path = folder / NAME
    if not path.is_file():
        return None
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError, EOFError, LookupError, pickle.UnpicklingError) as error:
        raise DataError(f"{path}: not a readable checkpoint ({_line(error)}); delete it to begin anew") from error
    if not isinstance(content, dict) or content.pop("format", None) != _FORMAT:
        raise DataError(f"{path}: not a checkpoint of ffbench's trainer; expected {_FORMAT}")
    checkpoint = Checkpoint(**content)
    if not _is_of(checkpoint.recipe, recipe):
        raise UsageError(f"{folder}: holds a run of another recipe; name another --out, or the same recipe")
    return checkpoint


def _is_of(text: str, recipe: Recipe) -> bool:
    """Tell whether a stored recipe is this one; fields that it did not know yet have their defaults."""
    try:
        return Recipe.model_validate_json(text) == recipe
    except ValidationError:
        return False


def _line(error: Exception) -> str:
    if isinstance(error, pickle.UnpicklingError):
        # PyTorch's own message begins with how to load the file all the same.
        return "it is damaged, or holds something else than data"
    return str(error).splitlines()[0] if str(error) else type(error).__name__
