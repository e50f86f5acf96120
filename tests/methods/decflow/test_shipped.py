"""The weights that ship: what the card says of them is true, and they find motion."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from ffbench.evaluation import evaluate
from ffbench.io.hashing import file_sha256
from ffbench.methods.decflow.adapter import WEIGHTS_FOLDER
from ffbench.methods.decflow.release import MAX_BYTES
from ffbench.methods.decflow.weights import load_weights, weights_architecture
from ffbench.registry import load_method, load_protocol
from ffbench.training.recipe import Recipe

SHIPPED = sorted(WEIGHTS_FOLDER.glob("*.safetensors"))
EACH = pytest.mark.parametrize("weights", SHIPPED, ids=lambda path: path.stem)


def test_decflow_runs_straight_after_installation() -> None:
    assert SHIPPED
    card = load_method("decflow", weights=None, device="cpu").card
    assert card.decomposes
    assert card.weights is not None
    assert not card.weights.random


@EACH
def test_the_card_is_of_these_weights(weights: Path) -> None:
    card = weights.with_suffix(".md").read_text("utf-8")
    assert f"SHA-256 `{file_sha256(weights)}`" in card
    assert weights.stat().st_size <= MAX_BYTES
    network, training = load_weights(weights, weights_architecture(weights))
    parameters = sum(parameter.numel() for parameter in network.parameters())
    assert f"{parameters:,} parameters" in card
    recipe = Recipe.model_validate_json(weights.with_suffix(".recipe.json").read_bytes())
    assert network.config.model_dump() == type(network.config)(**recipe.network).model_dump()
    last = recipe.stages[-1]
    assert (training["recipe"], training["stage"], training["steps"]) == (recipe.name, last.name, last.steps)
    assert re.search(rf"\| {last.name} \| {last.steps:,} \|", card)


@pytest.mark.slow
@EACH
def test_they_find_motion(weights: Path, tmp_path: Path) -> None:
    """On faces of the mini FFN, which training has not seen: a small part of what does not move at all misses."""
    protocol = load_protocol("ffn_motion_scale")
    shipped = load_method(weights.stem, weights=None, device="cpu")
    found = evaluate(shipped, protocol, out=tmp_path, limit=16).primary.value
    still = evaluate(load_method("zero"), protocol, out=tmp_path, limit=16).primary.value
    assert found < 0.4 * still


@pytest.mark.slow
def test_a_compiled_network_still_begins_at_dis(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyTorch's compiler cannot look into OpenCV, nor take arrays back from it."""
    monkeypatch.setattr("ffbench.method.COMPILER", "eager")
    torch.compiler.reset()
    image1 = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8), (0, 0), 2)
    image2 = np.roll(image1, 1, 1)
    plain, compiled = (load_method("decflow-c", device="cpu", compile=which) for which in (False, True))
    for part in ("facial", "head"):
        there, expected = (getattr(method.estimate(image1, image2), part) for method in (compiled, plain))
        assert np.abs(there - expected).max() < 1e-4, part
