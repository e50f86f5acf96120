"""How the networks of the family are trained: the recipes that ship, and what builds the network for one."""

from __future__ import annotations

from pathlib import Path

from ffbench.training.trainee import TrainEntry

from .training.build import build

_RECIPES = Path(__file__).parent / "recipes"


def _entry(method: str, *recipes: str) -> TrainEntry:
    return TrainEntry({name: _RECIPES / f"{method}-{name}.toml" for name in recipes}, build)


decflow = _entry("decflow", "ffbench", "paper", "official")
decflow_s = _entry("decflow-s", "ffbench")
decflow_c = _entry("decflow-c", "ffbench")
