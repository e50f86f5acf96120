"""A trainee of two numbers that learns a constant flow, recipes of few steps, and pairs that need no engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import nn

from ffbench.io.atomic import atomic_path
from ffbench.method import Flows, Method, MethodCard
from ffbench.synth.pairs.stream import RenderedPairs, Sample
from ffbench.training.loss import sequence_loss
from ffbench.training.recipe import Recipe, Stage
from ffbench.training.samples import Batch
from ffbench.training.trainee import TrainableNetwork, Training

SIDE = 64


class ShiftTrainee(TrainableNetwork):
    """Predicts one flow for all pixels: a trained vector times a trained scale, beside a running statistic."""

    def __init__(self) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(2))
        self.scale = nn.Parameter(torch.ones(()))
        self.norm = nn.BatchNorm2d(3)
        self.seen: list[int] = []

    def prepare(self, stage: Stage) -> None:
        self.scale.requires_grad_(stage.trains == "all")

    def forward(self, batch: Batch, stage: Stage) -> dict[str, torch.Tensor]:
        self.seen += batch["index"].tolist()
        bias = self.norm(batch["image1"]).mean() * 0
        flow = (self.shift * self.scale)[None, :, None, None].expand_as(batch["facial"]) + bias
        return {"facial": sequence_loss([flow], batch["facial"])}

    def method(self, device: str) -> Method:
        return _Shift(self.shift.detach() * self.scale.detach())

    def save(self, path: Path, training: Training) -> None:
        with atomic_path(path) as temporary:
            safetensors.torch.save_file(
                self.state_dict(), temporary, {key: str(value) for key, value in training.items()}
            )


class _Shift(Method):
    card = MethodCard(id="shift", title="Shift")

    def __init__(self, shift: torch.Tensor) -> None:
        self.shift = shift

    def forward(self, image1: torch.Tensor, image2: torch.Tensor) -> Flows[torch.Tensor]:
        flow = self.shift.view(1, 2, 1, 1).expand(len(image1), 2, *image1.shape[2:])
        return Flows(facial=flow, head=torch.zeros_like(flow))


def recipe(**changed: Any) -> Recipe:
    upright = {"flip_horizontal": 0, "flip_vertical": 0, "scale_probability": 0}
    stage = {
        "loss": "facial", "batch": 2, "crop": (SIDE, SIDE), "render": 96, "data": {"faces": 1.0},
        "augmentation": upright,
    }  # fmt: skip
    first = {**stage, "name": "first", "steps": 6, "learning_rate": 0.1, "average": 0.5}
    second = {**stage, "name": "second", "trains": "shift", "steps": 4, "learning_rate": 0.05}
    whole = {"name": "toy", "summary": "toy", "validation": {"every": 0}, "stages": (first, second), **changed}
    return Recipe.model_validate(whole)


def made_sample(index: int, size: int) -> Sample:
    """A pair of noise whose flow is about (2, -1); a function of the index alone."""
    rng = np.random.default_rng([3, index])
    flow = torch.tensor([2.0, -1.0]).view(2, 1, 1) + 0.1 * torch.from_numpy(
        rng.standard_normal((2, size, size)).astype(np.float32)
    )
    image1, image2 = torch.from_numpy(rng.integers(0, 256, (2, 3, size, size), dtype=np.uint8))
    region = torch.from_numpy(rng.integers(0, 3, (size, size), dtype=np.uint8))
    uv = torch.from_numpy(rng.random((2, size, size), dtype=np.float32)) * (region > 0)
    return {"image1": image1, "image2": image2, "flow_facial": flow, "flow_head": flow / 2, "region": region, "uv": uv}


@pytest.fixture
def made_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take pairs of noise in place of rendered ones."""
    monkeypatch.setattr(RenderedPairs, "sample", lambda self, index: made_sample(index, self.height))
