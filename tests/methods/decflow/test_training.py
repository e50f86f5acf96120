"""DecFlow under the trainer: what each stage trains, what stays as it was, and where training starts from."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest
import torch

from ffbench.errors import MethodError, UsageError
from ffbench.methods import decflow
from ffbench.methods.decflow.training.build import DecFlowTrainee, build
from ffbench.methods.decflow.weights import load_weights, save_weights
from ffbench.training.loop import Settings, train
from ffbench.training.recipe import Recipe, read_recipe
from ffbench.training.trainee import TrainRequest
from tests.methods.decflow.nets import TINY, network, pair
from tests.methods.decflow.test_official import drawn, gma, semantic
from tests.training.toy import made_pairs

__all__ = ["made_pairs"]

SMALL = {"architecture": "decflow-s", "channels": (8, 12, 16, 16, 16), "features": 16, "hidden": 16, "motion": 16}


def recipe(*stages: dict[str, Any], semantic: str = "none", **changed: Any) -> Recipe:
    plain = {"steps": 2, "batch": 1, "crop": (64, 64), "render": 64, "data": {"faces": 1.0}, "learning_rate": 1e-3}
    made = [{**plain, "name": f"stage{number}", **stage} for number, stage in enumerate(stages)]
    whole = {"name": "small", "summary": "", "network": {**SMALL, "semantic": semantic}, "validation": {"every": 0}}
    return Recipe.model_validate({**whole, "stages": made, **changed})


def trained(plan: Recipe, out: Path) -> tuple[DecFlowTrainee, dict[str, torch.Tensor]]:
    """Train by a recipe; give the trainee and the values that it started with."""
    trainee = build(TrainRequest("decflow-s", plan))
    assert isinstance(trainee, DecFlowTrainee)
    before = {key: value.clone() for key, value in trainee.network.state_dict().items()}
    train(trainee, plan, Settings(out=out, workers=0))
    return trainee, before


def changed(trainee: DecFlowTrainee, before: dict[str, torch.Tensor]) -> set[str]:
    """Name the parts of the network in which a value differs."""
    now = trainee.network.state_dict()
    return {key.partition(".")[0] for key in before if not torch.equal(now[key], before[key])}


@pytest.mark.usefixtures("made_pairs")
def test_after_the_second_stage_facial_flow_is_the_same_to_the_last_bit(tmp_path: Path) -> None:
    """Paper, section 4.3; with an encoder, whose fusion block has BatchNorm."""
    first, second = {"loss": "facial", "trains": "facial"}, {"loss": "decomposition", "trains": "head"}
    plan = recipe(first, second, semantic="synthetic")
    trainee = build(TrainRequest("decflow-s", plan))
    train(trainee, plan, Settings(out=tmp_path, workers=0, stop_after="stage0"))
    after_first, _ = load_weights(tmp_path / "stage0.safetensors", "decflow-s")
    trainee = build(TrainRequest("decflow-s", plan))
    train(trainee, plan, Settings(out=tmp_path, workers=0))
    after_second, training = load_weights(tmp_path / "stage1.safetensors", "decflow-s")
    images = pair(64, 96)
    with torch.inference_mode():
        one, two = after_first(*images, every_step=False), after_second(*images, every_step=False)
    assert torch.equal(one.facial[-1], two.facial[-1])
    assert not torch.equal(one.head[-1], two.head[-1])
    assert (training["recipe"], training["stage"], training["steps"]) == ("small", "stage1", 2)


@pytest.mark.usefixtures("made_pairs")
@pytest.mark.parametrize(
    ("stage", "parts"),
    [
        ({"loss": "facial", "trains": "facial"}, {"feature_encoder", "context_encoder", "attention", "facial_decoder"}),
        ({"loss": "decomposition", "trains": "head"}, {"head_decoder"}),
        ({"loss": "semantic", "trains": "semantic"}, {"semantic"}),
    ],
)
def test_a_stage_trains_its_part_alone(tmp_path: Path, stage: dict[str, Any], parts: set[str]) -> None:
    assert changed(*trained(recipe(stage, semantic="synthetic"), tmp_path)) == parts


@pytest.mark.usefixtures("made_pairs")
@pytest.mark.parametrize("loss", ["joint", "official", "decomposition"])
def test_the_semantic_encoder_stays_frozen(tmp_path: Path, loss: str) -> None:
    """Also when it was trained in the stage before (Eq. 5)."""
    trainee, before = trained(recipe({"loss": loss}, semantic="synthetic"), tmp_path)
    found = changed(trainee, before)
    assert "semantic" not in found
    assert {"feature_encoder", "head_decoder", "facial_decoder"} <= found


@pytest.mark.usefixtures("made_pairs")
def test_semantics_first_then_flow(tmp_path: Path) -> None:
    plan = recipe({"loss": "semantic", "trains": "semantic"}, {"loss": "joint"}, semantic="synthetic")
    trained(plan, tmp_path)
    first, second = (load_weights(tmp_path / f"stage{n}.safetensors", "decflow-s")[0] for n in (0, 1))
    of_first, of_second = first.state_dict(), second.state_dict()
    semantic = [key for key in of_first if key.startswith("semantic.")]
    assert semantic
    assert all(torch.equal(of_first[key], of_second[key]) for key in semantic)


@pytest.mark.usefixtures("made_pairs")
def test_weights_of_the_joint_loss() -> None:
    plan = recipe({"loss": "joint"}, {"loss": "joint", "weights": {"head": 0.5, "expression": 0.0}})
    trainee = build(TrainRequest("decflow-s", plan))
    trainee.prepare(plan.stages[0])
    image1, image2 = pair(64, 64)
    flow = torch.full((1, 2, 64, 64), 1.5)
    batch = {"image1": image1, "image2": image2, "facial": flow, "head": flow / 2}
    known = {**batch, "head_valid": torch.ones(1, 64, 64, dtype=torch.bool)}
    plain, weighed = (trainee(known, stage) for stage in plan.stages)
    assert weighed["head"].item() == pytest.approx(0.5 * plain["head"].item(), rel=1e-5)
    assert weighed["expression"].item() == 0
    assert plain["facial"].item() == pytest.approx(weighed["facial"].item(), rel=1e-5)
    unknown = trainee({**batch, "head_valid": torch.zeros(1, 64, 64, dtype=torch.bool)}, plan.stages[0])
    assert unknown["head"].item() == unknown["expression"].item() == 0
    assert unknown["facial"].item() > 0


@pytest.mark.usefixtures("made_pairs")
def test_the_head_decoder_can_start_as_a_copy_of_the_facial_one(tmp_path: Path) -> None:
    """Once, at the start of the stage that says so, and not again when the stage is taken up after a stop."""
    first = {"loss": "facial", "trains": "facial"}
    plan = recipe(first, {"loss": "decomposition", "trains": "head", "copies": {"head": "facial"}, "steps": 3})
    trainee, _ = trained(plan, tmp_path / "whole")
    for name, value in trainee.network.facial_decoder.state_dict().items():
        step = (trainee.network.head_decoder.state_dict()[name] - value).abs().max()
        assert step < 4 * plan.stages[1].learning_rate, f"{name} is not where three steps lead from the copy"
    before_second = build(TrainRequest("decflow-s", plan))
    train(before_second, plan, Settings(out=tmp_path / "stopped", workers=0, stop_after="stage0"))
    _stop_after_steps(plan, tmp_path / "stopped", 1)
    again = build(TrainRequest("decflow-s", plan))
    train(again, plan, Settings(out=tmp_path / "stopped", workers=0))
    for key, value in trainee.state_dict().items():
        assert torch.equal(again.state_dict()[key], value), key


def _stop_after_steps(plan: Recipe, out: Path, steps: int) -> None:
    """Run on until a stage's step is made, as Ctrl-C would stop it there."""

    def stop(stage: str, done: int, of: int, loss: float) -> None:
        if done == steps:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train(build(TrainRequest("decflow-s", plan)), plan, Settings(out=out, workers=0), stop)


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        (recipe({"loss": "fascial"}), "loss 'fascial'"),
        (recipe({"loss": "facial", "trains": "nose"}), "of 'nose'"),
        (recipe({"loss": "semantic", "trains": "semantic"}), "not 'synthetic'"),
        (recipe({"loss": "semantic"}), "goes with the part"),
        (recipe({"loss": "joint", "trains": "facial"}), "only the loss 'facial'"),
    ],
)
def test_stages_that_make_no_sense_are_refused(plan: Recipe, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        build(TrainRequest("decflow-s", plan)).prepare(plan.stages[0])


def test_other_copies_are_refused() -> None:
    plan = recipe({"loss": "joint", "copies": {"facial": "head"}})
    with pytest.raises(UsageError, match="'facial' of 'head'"):
        build(TrainRequest("decflow-s", plan)).begin(plan.stages[0])


def test_where_training_starts_from(tmp_path: Path) -> None:
    plan = recipe({"loss": "joint"})
    start = network("decflow-s", seed=3)
    save_weights(tmp_path / "start.safetensors", start, {})
    trainee = build(TrainRequest("decflow-s", plan, tmp_path / "start.safetensors"))
    assert isinstance(trainee, DecFlowTrainee)
    assert torch.equal(trainee.network.state_dict()["facial_decoder.merge.weight"], start.facial_decoder.merge.weight)
    one, two = (build(TrainRequest("decflow-s", recipe({"loss": "joint"}, seed=seed))) for seed in (0, 1))
    again = build(TrainRequest("decflow-s", plan))
    key = "network.feature_encoder.stem.0.weight"
    assert torch.equal(one.state_dict()[key], again.state_dict()[key])
    assert not torch.equal(one.state_dict()[key], two.state_dict()[key])


@pytest.mark.parametrize(
    ("name", "changes", "error", "said"),
    [
        ("decflow", {}, UsageError, "of decflow-s, not of decflow"),
        ("decflow-s", {"network": {**SMALL, "hiden": 3}}, UsageError, "hiden"),
        ("decflow-s", {"initial": "raft"}, UsageError, "may be gma or gma-facial"),
        ("decflow-s", {"initial": "gma"}, UsageError, "only decflow"),
        ("decflow", {"initial": "gma", "network": {"semantic": "none"}}, UsageError, "gma-sintel"),
        ("decflow", {"network": {"semantic": "dad3d"}}, UsageError, "dad_3dheads"),
        ("decflow", {"network": {"semantic": "pytorchcv"}}, UsageError, "network.semantic=imagenet"),
    ],
)
def test_recipes_that_do_not_fit_the_network(name: str, changes: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        build(TrainRequest(name, recipe({"loss": "joint"}, **changes)))


@pytest.mark.slow
def test_the_official_recipe_starts_as_the_released_code_does(tmp_path: Path) -> None:
    """GMA's weights but for the head decoder, pytorchcv's encoder in training mode in the first stage alone."""
    drawn_gma, encoder = drawn(gma()), drawn(semantic("features"), seed=1)
    names = {"0.": "init_block.", "1.": "stage1.", "2.": "stage2.", "3.": "stage3."}
    stored = {f"features.{names[key[9:11]]}{key[11:]}": value for key, value in encoder.items()}
    torch.save(drawn_gma, tmp_path / "gma.ckpt")
    torch.save(stored, tmp_path / "resnet50.pth")
    plan = read_recipe(Path(decflow.__file__).parent / "recipes" / "decflow-official.toml")
    trainee = build(TrainRequest("decflow", plan, tmp_path / "gma.ckpt", tmp_path / "resnet50.pth"))
    assert isinstance(trainee, DecFlowTrainee)
    network = trainee.network
    start = drawn_gma["update_block.flow_head.conv1.weight"]
    assert torch.equal(network.state_dict()["facial_decoder.flow_head.0.weight"], start)
    assert not torch.equal(network.state_dict()["head_decoder.flow_head.0.weight"], start)
    assert torch.equal(network.state_dict()["semantic.stem.weight"], encoder["features.0.conv.conv.weight"])
    first, second = plan.stages
    assert first.augmentation == second.augmentation
    assert (first.augmentation.color_first, first.augmentation.margin) == (True, 8)
    trainee.train()
    trainee.prepare(first)
    assert network.get_submodule("semantic.norm").training
    trainee.prepare(second)
    assert not network.get_submodule("semantic.norm").training
    assert network.head_decoder.training


def test_weights_of_other_widths_are_refused(tmp_path: Path) -> None:
    save_weights(tmp_path / "start.safetensors", network("decflow-s"), {})
    wide = recipe({"loss": "joint"}, network={**SMALL, "semantic": "none", "hidden": 24})
    with pytest.raises(MethodError, match="other widths"):
        build(TrainRequest("decflow-s", wide, tmp_path / "start.safetensors"))
    assert TINY.hidden == 16
