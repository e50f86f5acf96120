"""ptlflow's networks under the same trainer."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ffbench.errors import UsageError
from ffbench.registry import load_method
from ffbench.training.loop import Settings, train
from ffbench.training.recipe import Recipe, read_recipe
from ffbench.training.trainee import TrainableNetwork, TrainRequest, train_entry
from tests.training.toy import made_pairs

__all__ = ["made_pairs"]

pytestmark = pytest.mark.slow


def small(**changed: object) -> Recipe:
    recipe = read_recipe(train_entry("ptlflow").recipes["finetune"])
    stage = {"steps": 2, "batch": 1, "crop": (128, 128), "render": 128, **changed}
    stages = (recipe.stages[0].model_copy(update=stage),)
    validation = recipe.validation.model_copy(update={"every": 0})
    return recipe.model_copy(update={"stages": stages, "precision": "fp32", "validation": validation})


def trainee(recipe: Recipe) -> TrainableNetwork:
    return train_entry("ptlflow").build(TrainRequest("ptlflow/raft_small", recipe, "random"))


@pytest.mark.usefixtures("made_pairs")
def test_a_network_of_ptlflow_is_trained_and_its_weights_are_taken_back(tmp_path: Path) -> None:
    recipe = small()
    made = trainee(recipe)
    before = {key: value.clone() for key, value in made.state_dict().items()}
    outcome = train(made, recipe, Settings(out=tmp_path, workers=0))
    assert outcome.weights == tmp_path / "facial.ckpt"
    assert sum(not torch.equal(before[key], value) for key, value in made.state_dict().items()) > 20
    method = load_method("ptlflow/raft_small", weights=outcome.weights, device="cpu")
    images = torch.rand(2, 1, 3, 128, 128)
    expected = made.method("cpu").estimate(*images).facial
    assert torch.allclose(method.estimate(*images).facial, expected, atol=1e-4)


def test_what_it_cannot_do_is_refused() -> None:
    for recipe, said in ((small(loss="joint"), "loss 'joint'"), (small(iterations=3), "iterations")):
        with pytest.raises(UsageError, match=said):
            trainee(recipe).prepare(recipe.stages[0])
    with pytest.raises(UsageError, match="describes another network"):
        trainee(small().model_copy(update={"network": {"semantic": "none"}}))
