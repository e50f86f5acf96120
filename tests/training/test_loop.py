"""The loop: it learns, is interrupted at any step, and goes on to the same curve and the same bytes."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from ffbench.errors import DataError, MethodError, UsageError
from ffbench.training import loop
from ffbench.training.checkpoint import NAME
from ffbench.training.logs import TrainingLog
from ffbench.training.loop import Outcome, Settings, train
from ffbench.training.recipe import Recipe
from tests.toys import Stripes
from tests.training.toy import ShiftTrainee, recipe

pytestmark = pytest.mark.usefixtures("made_pairs")


def run(out: Path, plan: Recipe | None = None, trainee: ShiftTrainee | None = None, **settings: Any) -> Outcome:
    quick = {"workers": 0, "log_every": 1, "save_every": 2, **settings}
    progress = quick.pop("progress", None)
    return train(trainee or ShiftTrainee(), plan or recipe(), Settings(out=out, **quick), progress)


def curve(out: Path) -> list[tuple[str, ...]]:
    """All that was logged but for the clock."""
    return [tuple(row.values()) for row in TrainingLog.rows(out) if row["name"] != "seconds"]


def assert_same_weights(one: Path, other: Path) -> None:
    """Hold values bit by bit; the file's header has its metadata in no fixed order."""
    first, second = safetensors.torch.load_file(one), safetensors.torch.load_file(other)
    assert first.keys() == second.keys()
    assert all(torch.equal(first[key], second[key]) for key in first)


class After:
    """Does something after so many steps of the whole run."""

    def __init__(self, steps: int, what: Callable[[], None]) -> None:
        self.left, self.what = steps, what

    def __call__(self, stage: str, done: int, total: int, loss: float) -> None:
        self.left -= 1
        if self.left == 0:
            self.what()


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def fail() -> None:
    raise MemoryError


def test_it_learns_and_says_what_it_did(tmp_path: Path) -> None:
    long = recipe()
    stages = (long.stages[0].model_copy(update={"steps": 60}), long.stages[1])
    trainee = ShiftTrainee()
    outcome = run(tmp_path, long.model_copy(update={"stages": stages}), trainee)
    assert outcome.done
    assert outcome.weights == tmp_path / "second.safetensors"
    learnt = trainee.shift.detach() * trainee.scale.detach()
    assert torch.allclose(learnt, torch.tensor([2.0, -1.0]), atol=0.3)
    losses = [float(row["value"]) for row in TrainingLog.rows(tmp_path) if row["name"] == "loss"]
    assert len(losses) == 64
    assert losses[-1] < 0.2 * losses[0]
    assert json.loads((tmp_path / "recipe.json").read_text())["name"] == "toy"
    assert list((tmp_path / "tensorboard").iterdir())
    with safetensors.safe_open(str(outcome.weights), "pt") as file:
        assert file.metadata()["steps"] == "4"
        assert file.metadata()["recipe"] == "toy"


@pytest.mark.parametrize("steps", range(1, 11))
def test_interrupted_at_any_step_it_goes_on_to_the_same_weights(tmp_path: Path, steps: int) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    run(whole)
    with pytest.raises(KeyboardInterrupt):
        run(parts, progress=After(steps, interrupt))
    outcome = run(parts)
    assert outcome.done
    assert curve(parts) == curve(whole)
    assert_same_weights(parts / "first.safetensors", whole / "first.safetensors")
    assert_same_weights(parts / "second.safetensors", whole / "second.safetensors")


def test_killed_between_checkpoints_it_repeats_what_was_lost(tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    run(whole)
    with pytest.raises(MemoryError):
        run(parts, progress=After(5, fail))
    with (parts / "log.csv").open("a") as log:
        log.write("first,6,lo")  # a line that was being written
    assert run(parts).done
    assert curve(parts) == curve(whole)


def test_a_time_limit_stops_it_and_the_same_call_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter(range(10_000))
    monkeypatch.setattr("ffbench.training.loop.time.monotonic", lambda: float(next(seconds)))
    outcome = run(tmp_path, minutes=0.1)
    assert not outcome.done
    assert 0 < outcome.step < 6
    assert outcome.weights is None
    while not outcome.done:
        outcome = run(tmp_path, minutes=0.1)
    run(tmp_path / "whole")
    assert_same_weights(tmp_path / "second.safetensors", tmp_path / "whole/second.safetensors")


def test_one_stage_can_be_trained_before_the_next(tmp_path: Path) -> None:
    first = run(tmp_path, stop_after="first")
    assert first.done
    assert first.weights == tmp_path / "first.safetensors"
    assert not (tmp_path / "second.safetensors").exists()
    assert run(tmp_path).weights == tmp_path / "second.safetensors"
    again = run(tmp_path)
    assert again.done
    assert again.step == 4


def test_parts_that_a_stage_does_not_train_stay(tmp_path: Path) -> None:
    trainee = ShiftTrainee()
    run(tmp_path, trainee=trainee, stop_after="first")
    scale = trainee.scale.detach().clone()
    later = ShiftTrainee()
    run(tmp_path, trainee=later)
    assert torch.equal(later.scale, scale)


def test_every_sample_is_seen_once(tmp_path: Path) -> None:
    trainee = ShiftTrainee()
    plan = recipe()
    stages = (plan.stages[0].model_copy(update={"accumulate": 2}),)
    run(tmp_path, plan.model_copy(update={"stages": stages}), trainee)
    assert trainee.seen == list(range(6 * 2 * 2))


def test_a_loss_that_is_not_finite_stops_it_and_names_the_samples(tmp_path: Path) -> None:
    class Broken(ShiftTrainee):
        def forward(self, batch: Any, stage: Any) -> dict[str, torch.Tensor]:
            losses = super().forward(batch, stage)
            return {name: loss * (float("nan") if 6 in batch["index"] else 1) for name, loss in losses.items()}

    with pytest.raises(MethodError, match=r"step 4 of stage 'first'.*failed\.json"):
        run(tmp_path, trainee=Broken())
    assert json.loads((tmp_path / "failed.json").read_text()) == {
        "stage": "first", "step": 4, "seed": 0, "samples": [6, 7]
    }  # fmt: skip
    # The network of the last checkpoint is whole: the cause mended, the run goes on.
    assert run(tmp_path).done


def test_a_run_that_knew_fewer_fields_goes_on(tmp_path: Path) -> None:
    """A recipe that was stored before a field was there is the same recipe where that field has its default."""
    run(tmp_path, stop_after="first")
    content = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    stored = json.loads(content["recipe"])
    for stage in stored["stages"]:
        del stage["augmentation"]["margin"], stage["augmentation"]["color_first"]
    torch.save({**content, "recipe": json.dumps(stored)}, tmp_path / "checkpoint.pt")
    assert run(tmp_path).done
    torch.save({**content, "recipe": "{}"}, tmp_path / "checkpoint.pt")
    with pytest.raises(UsageError, match="another recipe"):
        run(tmp_path)


def test_a_run_keeps_its_recipe(tmp_path: Path) -> None:
    run(tmp_path, stop_after="first")
    with pytest.raises(UsageError, match="another recipe"):
        run(tmp_path, recipe(seed=1))


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", None])
def test_damaged_checkpoints_are_refused(tmp_path: Path, content: bytes | None) -> None:
    run(tmp_path, stop_after="first")
    path = tmp_path / NAME
    path.write_bytes(path.read_bytes()[:-100] if content is None else content)
    with pytest.raises(DataError, match=NAME):
        run(tmp_path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda content: [content], "expected ffbench-training-1"),
        (lambda content: {**content, "format": None}, "expected ffbench-training-1"),
        (lambda content: {key: value for key, value in content.items() if key != "scaler"}, "'scaler'"),
        (lambda content: {**content, "more": 1}, "'more'"),
        (lambda content: {**content, 3: 1}, "unknown fields"),
        (lambda content: {**content, "step": "2"}, "a str as step"),
        (lambda content: {**content, "step": True}, "a bool as step"),
        (lambda content: {**content, "stage": -1}, "below 0"),
        (lambda content: {**content, "stage": 9}, "stage 10 of 2"),
        (lambda content: {**content, "network": {"shift": 1}}, "something else than tensors"),
        (lambda content: {**content, "network": {"shift": torch.zeros(3)}}, "does not fit this network"),
        (lambda content: {**content, "optimiser": {}}, "does not fit this network"),
        (lambda content: {**content, "optimiser": {"state": 0, "param_groups": [{}]}}, "does not fit this network"),
        (lambda content: {**content, "average": {}}, "does not fit this network"),
    ],
)
def test_odd_checkpoints_are_one_line(tmp_path: Path, change: Callable[[Any], Any], said: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, progress=After(3, interrupt))
    torch.save(change(torch.load(tmp_path / NAME, weights_only=True)), tmp_path / NAME)
    with pytest.raises(DataError, match=NAME) as caught:
        run(tmp_path)
    assert said in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_checkpoints_run_no_code(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "owned",))

    torch.save({"format": "ffbench-training-1", "network": Evil()}, tmp_path / NAME)
    with pytest.raises(DataError, match="not a readable checkpoint"):
        run(tmp_path)
    assert not (tmp_path / "owned").exists()


def test_validation_is_by_the_protocols(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "validation_protocols", lambda names, data: [Stripes()])
    plan = recipe(validation={"every": 3, "pairs": 2})
    outcome = run(tmp_path, plan, stop_after="first")
    (name,) = outcome.validation
    assert name.startswith("val/")
    validated = [(row["step"], row["name"]) for row in TrainingLog.rows(tmp_path) if row["name"].startswith("val/")]
    assert validated == [("3", name), ("6", name)]
    with safetensors.safe_open(str(tmp_path / "first.safetensors"), "pt") as file:
        assert float(file.metadata()[name]) == pytest.approx(outcome.validation[name], abs=1e-4)
    # It leaves training as it is.
    plain = tmp_path / "plain"
    run(plain, stop_after="first")
    numbers = [row for row in curve(tmp_path) if not row[2].startswith("val/")]
    assert numbers == curve(plain)
