"""How ptlflow's networks are trained: the recipe that ships, and what builds the network for it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ffbench.training.trainee import TrainEntry

if TYPE_CHECKING:
    from ffbench.training.trainee import TrainableNetwork, TrainRequest


def _entry(model: str | None = None) -> TrainEntry:
    def build(request: TrainRequest) -> TrainableNetwork:
        from .training import build

        return build(request, model or request.name.partition("/")[2])

    return TrainEntry({"finetune": Path(__file__).parent / "recipes" / "finetune.toml"}, build)


any_model = _entry()
raft = _entry("raft")
gma = _entry("gma")
skflow = _entry("skflow")
flowformer = _entry("flowformer")
gmflow = _entry("gmflow_refine")
