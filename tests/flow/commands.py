"""Running the command line inside a test, with methods whose flows are known."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ffbench import registry
from ffbench.method import Flows, Method, MethodCard, MethodEntry

FACIAL, HEAD = (3.0, 1.0), (1.0, -1.0)


class Shift(Method):
    """Says that everything moves by FACIAL, and the head by HEAD if it decomposes."""

    def __init__(self, name: str, decomposes: bool) -> None:
        self.card = MethodCard(id=name, title="Shift", decomposes=decomposes)

    def forward(self, image1: torch.Tensor, image2: torch.Tensor) -> Flows[torch.Tensor]:
        facial, head = (
            torch.tensor(flow)[None, :, None, None].expand(len(image1), 2, *image1.shape[2:]) for flow in (FACIAL, HEAD)
        )
        return Flows(facial, head if self.card.decomposes else None)


plain = MethodEntry("facial flow only", lambda request: Shift(request.name, decomposes=False))
decomposing = MethodEntry("three flows", lambda request: Shift(request.name, decomposes=True))


def install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make `plain` and `decomposing` the methods that there are."""
    points = [
        EntryPoint(name, f"tests.flow.commands:{name}", registry.METHOD_GROUP) for name in ("plain", "decomposing")
    ]
    monkeypatch.setattr(registry, "entry_points", lambda group: points)


def save_image(path: Path, seed: int, size: tuple[int, int] = (24, 32)) -> np.ndarray:
    """Write a random image of (H, W) and give its pixels."""
    pixels = np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return pixels
