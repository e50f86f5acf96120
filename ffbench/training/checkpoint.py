"""The state of a run between two steps: all that is needed to go on as if it had never stopped."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from safetensors import SafetensorError

from ffbench.errors import DataError, UsageError
from ffbench.formats.checkpoint_files import read_checkpoint
from ffbench.io.atomic import atomic_path
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
    with saving(folder / NAME), atomic_path(folder / NAME) as temporary:
        torch.save({"format": _FORMAT, **asdict(checkpoint)}, temporary)


@contextlib.contextmanager
def saving(path: Path) -> Iterator[None]:
    """Turn what PyTorch and safetensors raise when a disk is full into an error that names the file.

    Raises:
        DataError: it cannot be written.
    """
    try:
        yield
    except (RuntimeError, SafetensorError) as error:
        raise DataError(
            path, f"cannot be written ({_line(error)}); make room and run the same command again"
        ) from error


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
        content = read_checkpoint(path)
    except (OSError, ValueError) as error:
        raise DataError(path, f"not a readable checkpoint ({error}); delete it to begin anew") from error
    if not isinstance(content, dict) or content.pop("format", None) != _FORMAT:
        raise DataError(path, f"not a checkpoint of ffbench's trainer; expected {_FORMAT}")
    fault = _fault(content)
    if fault:
        raise DataError(path, f"{fault}, which ffbench's trainer does not write; delete it to begin anew")
    checkpoint = Checkpoint(**content)
    if not _is_of(checkpoint.recipe, recipe):
        raise UsageError(f"{folder}: holds a run of another recipe; name another --out, or the same recipe")
    return checkpoint


def _is_of(text: str, recipe: Recipe) -> bool:
    """Tell whether a stored recipe is this one; fields that it did not know yet have their defaults."""
    try:
        stored = Recipe.model_validate_json(text)
    except ValidationError:
        return False
    # As JSON: a network's settings may hold tuples, which come back as lists.
    return stored.model_dump(mode="json") == recipe.model_dump(mode="json")


@contextlib.contextmanager
def restoring(folder: Path) -> Iterator[None]:
    """Turn whatever an odd checkpoint makes a network or an optimiser raise into an error that names the file.

    Raises:
        DataError: the checkpoint does not fit.
    """
    try:
        yield
    except (RuntimeError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise DataError(
            folder / NAME, f"does not fit this network and recipe ({_line(error)}); delete it to begin anew"
        ) from error


def _fault(content: dict[Any, Any]) -> str | None:
    """Say what is wrong with the fields of a checkpoint, or None."""
    names = {field.name for field in fields(Checkpoint)}
    if content.keys() != names:
        wrong = names ^ content.keys()
        return f"has missing or unknown fields ({', '.join(sorted(map(repr, wrong))[:3])})"
    for name, value in content.items():
        kind: type = {"recipe": str, "stage": int, "step": int}.get(name, dict)
        if type(value) is not kind and not (kind is dict and isinstance(value, dict)):
            return f"has a {type(value).__name__} as {name}"
    if content["stage"] < 0 or content["step"] < 0:
        return "has a stage or step below 0"
    for name in ("network", "average"):
        if not all(isinstance(key, str) and isinstance(value, torch.Tensor) for key, value in content[name].items()):
            return f"has something else than tensors in {name}"
    return None


def _line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
