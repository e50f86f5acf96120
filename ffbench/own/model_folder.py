"""Folders of a trained model as Hugging Face lays them out: `config.json` and `model.safetensors`.

A folder is data, and may come from anybody: it may name an installed method, and never code.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from ffbench.errors import UsageError
from ffbench.io.hashing import data_sha256
from ffbench.io.json_models import read_model

CONFIG, WEIGHTS = "config.json", "model.safetensors"
_MOST_BYTES = 2**20


class _Named(BaseModel):
    model_config = ConfigDict(extra="forbid")

    method: str = Field(description="an installed method, as `ffbench methods list` names it")


class _Config(BaseModel):
    model_config = ConfigDict(extra="allow")

    ffbench: _Named | None = None


class ModelFolder(NamedTuple):
    """What a model folder holds: weights, configuration, the installed method that it names, if any, and the
    hash of its configuration. `pinned` is the repository of the hub and the commit that it was fetched of, if it was.
    """

    folder: Path
    weights: Path
    config: Mapping[str, Any]
    method: str | None
    config_sha256: str
    pinned: str | None = None


def is_model_folder(place: str | Path) -> bool:
    """Whether a path is a folder with a `config.json` or a `model.safetensors`."""
    return any((Path(place) / name).is_file() for name in (CONFIG, WEIGHTS))


def read_model_folder(folder: str | Path) -> ModelFolder:
    """Read what a model folder says; nothing of it is run.

    Raises:
        DataError: its `config.json` is missing or none, or names something other than a method under `ffbench`.
        UsageError: it holds no `model.safetensors`.
    """
    folder = Path(folder)
    config = read_model(folder / CONFIG, _Config, _MOST_BYTES, kind="a configuration", wrong="is no configuration")
    weights = folder / WEIGHTS
    if not weights.is_file():
        raise UsageError(f"{weights}: no such file; a model folder holds {CONFIG} and {WEIGHTS}")
    method = None if config.ffbench is None else config.ffbench.method
    return ModelFolder(folder, weights, dict(config.model_extra or {}), method, data_sha256(folder / CONFIG))
