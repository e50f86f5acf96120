"""One run of a small network, in one process or several: `python -m tests.training.joint_run OUT PROCESSES [CHANGE]`.

Fabric starts the other processes by this very command, so that it must be a module of its own.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import torch
from torch import distributed

from ffbench.methods.decflow.training.build import DecFlowTrainee
from ffbench.synth.pairs.stream import RenderedPairs
from ffbench.training import joint, loop
from ffbench.training.loop import Settings, train
from ffbench.training.recipe import Recipe
from tests.methods.decflow.nets import network
from tests.training.toy import made_sample, recipe

JOINT_BATCH, STEPS = 4, 5
LABELS = (0, 2, 3)
"""Regions of the made pairs: the background and two of a head."""


def uneven_sample(index: int, size: int) -> dict[str, torch.Tensor]:
    """A pair of noise, of which the more pixels are a head that moves, the higher its index is in its batch."""
    made = dict(made_sample(index, size))
    rows = torch.arange(size)[:, None] < size * (1 + index % JOINT_BATCH) // (JOINT_BATCH + 1)
    made["region"] = torch.where(rows, made["region"] + 1, 0)
    made["depth"] = torch.linspace(5, 6, size).expand(size, size) * rows
    made["flow_head"] = torch.where(rows, made["flow_head"], made["flow_facial"])
    return made


def plan(processes: int) -> Recipe:
    """A recipe of a few steps whose loss counts other pixels in each sample."""
    of_toy = recipe().stages[0].model_dump()
    stage = {**of_toy, "name": "all", "trains": "all", "loss": "rigid", "batch": JOINT_BATCH // processes,
             "steps": STEPS, "learning_rate": 2e-3, "average": 0.5, "accumulate": 2}  # fmt: skip
    return recipe(stages=(stage,))


def main(out: Path, processes: int, change: str = "") -> None:
    """Train; with `change` something that ought to be done together is not."""
    torch.set_num_threads(1)
    RenderedPairs.sample = lambda self, index: uneven_sample(index, self.height)  # type: ignore[assignment,method-assign]
    if change == "each divides by its own":
        joint_everywhere("joint_total", lambda count: count)
    if change == "not finite on the last":
        whole = DecFlowTrainee.forward

        def broken(self: DecFlowTrainee, *arguments: Any) -> dict[str, torch.Tensor]:
            found = whole(self, *arguments)
            last = distributed.get_rank() == processes - 1
            return {name: part * (torch.nan if last else 1) for name, part in found.items()}

        DecFlowTrainee.forward = broken  # type: ignore[method-assign]
    trainee = DecFlowTrainee("decflow-c", network("decflow-c-matching").train())
    here = 1 if change == "a machine each" else processes
    train(trainee, plan(processes), Settings(out=out, processes=here, workers=0, log_every=1))


def joint_everywhere(name: str, value: Any) -> None:
    """Replace what losses take from the module `joint`; the mean that is logged stays joint."""
    kept = joint.joint_total
    setattr(joint, name, value)
    vars(loop)["joint_mean"] = lambda values: kept(values) / joint.processes()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])
