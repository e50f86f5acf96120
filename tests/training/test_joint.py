"""Several processes train as one does with their joint batch: the same samples, losses and weights."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch

from ffbench.synth.pairs.stream import worker_indices
from ffbench.training.joint import joint_mean, joint_ratio, joint_total
from ffbench.training.logs import TrainingLog
from tests.training.joint_run import JOINT_BATCH, STEPS

ROOT = Path(__file__).parents[2]


def run(out: Path, processes: int, *change: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.training.joint_run", str(out), str(processes), *change]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900)


def run_on_machines(out: Path) -> list[int]:
    """Run as `fabric run` does on two machines with a process each; both are this one. Return the exit codes."""
    # PyTorch's and torchvision's builds may not fit here, which ffbench's own commands see to.
    fabric = "from ffbench.packages.torchvision_ops import make_importable as m; m(); import lightning.fabric.cli as c"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    flags = ["--accelerator=cpu", "--strategy=ddp", "--devices=1", "--num-nodes=2", f"--main-port={port}"]
    script = [str(ROOT / "tests" / "training" / "joint_run.py"), str(out), "2", "a machine each"]
    machines = [
        subprocess.Popen(
            [sys.executable, "-c", f"{fabric}; c._main()", "run", *flags, f"--node-rank={rank}", *script],
            cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        for rank in range(2)
    ]  # fmt: skip
    return [machine.wait(900) for machine in machines]


def curves(out: Path) -> dict[str, np.ndarray]:
    """All that was logged but the clock, by name, a number a step."""
    found: dict[str, list[float]] = {}
    for row in TrainingLog.rows(out):
        if row["name"] != "seconds":
            found.setdefault(row["name"], []).append(float(row["value"]))
    return {name: np.array(values) for name, values in found.items()}


def weights(out: Path) -> torch.Tensor:
    """All trained weights of a run, one after the other."""
    found = safetensors.torch.load_file(out / "all.safetensors")
    return torch.cat([found[key].flatten().float() for key in sorted(found)])


def furthest(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> float:
    """Return the largest relative difference of two runs' curves, against the largest value of each curve."""
    assert one.keys() == other.keys()
    assert all(len(values) == STEPS for values in one.values())
    return max(float(np.abs(one[name] - other[name]).max() / np.abs(one[name]).max()) for name in one)


@pytest.mark.slow
def test_two_processes_give_the_curve_of_one_with_the_joint_batch(tmp_path: Path) -> None:
    """With a loss whose means are over other pixels in each sample, which is where two batches are not one."""
    for name, processes, *change in (("one", 1), ("two", 2), ("apart", 2, "each divides by its own")):
        done = run(tmp_path / name, int(processes), *map(str, change))
        assert done.returncode == 0, done.stderr
    assert run_on_machines(tmp_path / "machines") == [0, 0]
    one, two, apart = (curves(tmp_path / name) for name in ("one", "two", "apart"))
    assert np.ptp(one["loss"]) > 0.1 * one["loss"].max()
    assert furthest(one, two) < 1e-5
    assert furthest(one, curves(tmp_path / "machines")) < 1e-5
    # The control: where each process divides by its own count, the curve is another one.
    assert furthest(one, apart) > 1e-2
    # As a whole: where a gradient is nothing but rounding, AdamW takes a step by its sign.
    whole, joint, alone = (weights(tmp_path / name) for name in ("one", "two", "apart"))
    assert (joint - whole).norm() < 1e-4 * whole.norm()
    assert (alone - whole).norm() > 1e-3 * whole.norm()


@pytest.mark.slow
def test_a_loss_that_is_not_finite_on_one_ends_all(tmp_path: Path) -> None:
    done = run(tmp_path / "run", 2, "not finite on the last")
    assert done.returncode != 0
    assert "the loss is not a finite number at step 1" in done.stderr
    failed = json.loads((tmp_path / "run" / "failed.json").read_text())
    # The second process's half of the first joint batch.
    assert failed["samples"] == list(range(JOINT_BATCH // 2, JOINT_BATCH))


@pytest.mark.parametrize("processes", [1, 2, 4])
def test_the_joint_batches_are_those_of_one_process(processes: int) -> None:
    batch = 8 // processes
    shares = [worker_indices(16, 16 + 32, batch, (rank, processes)) for rank in range(processes)]
    streams = [list(share) for share in shares]
    for step in range(4):
        joint = [index for stream in streams for index in stream[step * batch : (step + 1) * batch]]
        assert sorted(joint) == list(range(16 + 8 * step, 16 + 8 * (step + 1)))


def test_alone_nothing_is_exchanged() -> None:
    assert joint_total(torch.tensor(3)) == 3
    assert joint_mean(torch.tensor([1.0, 2.0])).tolist() == [1.0, 2.0]
    total = torch.tensor(6.0, requires_grad=True)
    ratio = joint_ratio(total, torch.tensor(4))
    ratio.backward()
    assert (float(ratio.detach()), float(total.grad)) == (1.5, 0.25)
    assert joint_ratio(torch.tensor(0.0), torch.tensor(0)) == 0
    assert joint_ratio(torch.tensor(1.0), torch.tensor(2), torch.tensor(5.0)) == pytest.approx(0.2)
