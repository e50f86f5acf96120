"""The training loop, on Lightning Fabric: one process or several, resumable at any step to the same curve."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader

from ffbench.errors import MethodError, writing
from ffbench.io.atomic import write_text
from ffbench.io.locks import writing_alone
from ffbench.packages.torchvision_ops import make_importable
from ffbench.training.average import RunningAverage
from ffbench.training.checkpoint import Checkpoint, load_checkpoint, restoring, save_checkpoint, saving
from ffbench.training.joint import joint_mean
from ffbench.training.logs import TrainingLog
from ffbench.training.recipe import Recipe, Stage
from ffbench.training.samples import Batch, TrainingPairs
from ffbench.training.trainee import TrainableNetwork
from ffbench.training.validation import validate, validation_protocols

Progress = Callable[[str, int, int, float], None]
"""Called after each step with the stage's name, its steps done and in all, and the loss."""

# Total steps of the schedule beyond those that are made, as the released code has it: the rate never reaches zero.
_SPARE_STEPS = 100
_FABRIC_PRECISION = {"fp32": "32-true", "bf16": "bf16-mixed", "fp16": "16-mixed"}
# A stage's stream of samples has a seed of its own.
_SEEDS_A_RECIPE = 1000


@dataclass(frozen=True)
class Settings:
    """How a run is carried out; none of it changes the numbers, but for the device's own arithmetic.

    Attributes:
        out: folder of the run.
        data: FFN or a dataset in its layout; None trains on what the face engine renders.
        photos: photographs for layered pairs; None takes the asset.
        device: `cpu`, `cuda`, ...
        processes: how many take part on this machine, with a batch each (DDP); together they are one joint batch.
        workers: processes that make samples, each.
        minutes: stop after this long, so that the same command goes on later; None runs to the end.
        stop_after: name of the last stage to train; None for all.
        save_every: steps between two checkpoints.
        log_every: steps between two lines of the log.
    """

    out: Path
    data: Path | None = None
    photos: Path | None = None
    device: str = "cpu"
    processes: int = 1
    workers: int = 1
    minutes: float | None = None
    stop_after: str | None = None
    save_every: int = 200
    log_every: int = 10


@dataclass(frozen=True)
class Outcome:
    """Where a run stands: `done` when all stages that were asked for are trained; `weights` is the last file."""

    done: bool
    stage: str
    step: int
    weights: Path | None
    validation: dict[str, float]


def train(trainee: TrainableNetwork, recipe: Recipe, settings: Settings, progress: Progress | None = None) -> Outcome:
    """Train a network by a recipe; go on where an interrupted run in `settings.out` stopped.

    Written there: `checkpoint.pt`, `log.csv`, `tensorboard/`, `recipe.json`, and after each stage its weights,
    `STAGE.safetensors` (or `.ckpt`).

    Raises:
        UsageError: the folder holds a run of another recipe, another process is training in it, or the recipe does
            not fit the network.
        DataError: training data cannot be read, or a file cannot be written.
        MethodError: the loss is not a finite number; `failed.json` names the samples.
    """
    make_importable()
    from lightning.fabric import Fabric

    kind, _, index = settings.device.partition(":")
    devices: Any = [int(index)] if index else settings.processes
    fabric = Fabric(
        accelerator="gpu" if kind == "cuda" else kind,
        devices=devices,
        strategy="ddp" if settings.processes > 1 else "auto",
        precision=_FABRIC_PRECISION[recipe.precision],  # type: ignore[arg-type]
    )
    # `fabric run`, of one machine or several, has started the processes already.
    if os.environ.get("LT_CLI_USED", "0") == "0":
        fabric.launch()
    return _Run(fabric, trainee, recipe, settings, progress).go()


class _Run:
    """One process of one run."""

    def __init__(
        self, fabric: Any, trainee: TrainableNetwork, recipe: Recipe, settings: Settings, progress: Progress | None
    ) -> None:
        self._fabric, self._trainee, self._recipe, self._settings = fabric, trainee, recipe, settings
        self._progress = progress
        self._text = recipe.model_dump_json(indent=2)
        self._started = time.monotonic()
        self._validation: dict[str, float] = {}
        self._weights: Path | None = None
        self._stopping = False
        if recipe.validation.every:
            self._protocols = validation_protocols(recipe.validation.protocols, settings.data)

    def go(self) -> Outcome:
        """Train what is left of the stages."""
        # Of several processes the first alone writes.
        out = self._settings.out
        alone = writing_alone(out) if self._fabric.is_global_zero else contextlib.nullcontext()
        with alone, writing(out, more="; the same command goes on from there"):  # the logs
            return self._train()

    def _train(self) -> Outcome:
        out, stages = self._settings.out, self._recipe.stages
        found = load_checkpoint(out, self._recipe)
        start, step = (0, 0) if found is None else (found.stage, found.step)
        if found is None:
            if self._fabric.is_global_zero:
                write_text(out / "recipe.json", self._text + "\n")
        else:
            with restoring(out):
                if start >= len(stages):
                    raise LookupError(f"it is in stage {start + 1} of {len(stages)}")
                self._trainee.load_state_dict(found.network)
        with contextlib.ExitStack() as stack:
            stack.enter_context(self._finishing_steps())
            lengths = {stage.name: stage.steps for stage in stages}
            self._log = None
            if self._fabric.is_global_zero:
                self._log = stack.enter_context(TrainingLog(out, lengths, start, step))
            for number in range(start, len(stages)):
                stage = stages[number]
                reached = self._train_stage(number, stage, found if number == start else None)
                if reached < stage.steps:
                    return Outcome(False, stage.name, reached, self._weights, self._validation)
                if stage.name == self._settings.stop_after:
                    break
        return Outcome(True, stage.name, reached, self._weights, self._validation)

    def _train_stage(self, number: int, stage: Stage, found: Checkpoint | None) -> int:
        """Train one stage from where it stands; give the number of steps that it has made by the end."""
        fabric, trainee = self._fabric, self._trainee
        if found is not None and found.step >= stage.steps:
            return found.step
        if found is None:
            trainee.begin(stage)
        trainee.train()
        trainee.prepare(stage)
        trained = [value for value in trainee.parameters() if value.requires_grad]
        optimiser: Any = torch.optim.AdamW(
            trained, lr=stage.learning_rate, weight_decay=stage.weight_decay, eps=stage.epsilon
        )
        network, optimiser = fabric.setup(trainee, optimiser)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser,
            max_lr=stage.learning_rate,
            total_steps=stage.steps + _SPARE_STEPS,
            pct_start=stage.warm_up,
            cycle_momentum=False,
            anneal_strategy="linear",
        )
        average = RunningAverage(trainee, stage.average)
        done = 0
        if found is not None:
            done = found.step
            with restoring(self._settings.out):
                optimiser.load_state_dict(found.optimiser)
                schedule.load_state_dict(found.schedule)
                fabric.strategy.precision.load_state_dict(found.scaler)
                average.load(found.average)

        def save() -> None:
            if fabric.is_global_zero:
                last = done >= stage.steps
                save_checkpoint(
                    self._settings.out,
                    Checkpoint(
                        recipe=self._text,
                        stage=number,
                        step=done,
                        network=_on_cpu(trainee.state_dict()),
                        average={} if last else average.state(),
                        optimiser={} if last else _on_cpu(optimiser.state_dict()),
                        schedule={} if last else schedule.state_dict(),
                        scaler={} if last else fabric.strategy.precision.state_dict(),
                    ),
                )

        batches = self._batches(stage, done)
        while done < stage.steps and not self._out_of_time():
            numbers = self._step(network, optimiser, schedule, stage, batches, done + 1)
            average.update()
            done += 1
            if self._log is not None and (done % self._settings.log_every == 0 or done in (1, stage.steps)):
                self._log.write(stage.name, done, numbers)
            if self._progress is not None and fabric.is_global_zero:
                self._progress(stage.name, done, stage.steps, numbers["loss"])
            # A face-semantic encoder makes no flow to be validated.
            every = self._recipe.validation.every if trainee.trains_flow(stage) else 0
            if every and (done % every == 0 or done == stage.steps):
                self._validate(stage, done, average)
            if self._stopping:
                break
            if done < stage.steps and done % self._settings.save_every == 0:
                save()
        if done >= stage.steps:
            # What goes on to the next stage, and what is shipped, is the running mean.
            average.apply()
            if fabric.is_global_zero:
                self._weights = self._settings.out / f"{stage.name}{trainee.suffix}"
                with saving(self._weights):
                    trainee.save(self._weights, self._training(stage, done))
        save()
        if self._stopping:
            raise KeyboardInterrupt
        return done

    @contextlib.contextmanager
    def _finishing_steps(self) -> Iterator[None]:
        """Let Ctrl-C wait for the end of a step, when what is saved is of one moment; a second one does not wait."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def stop(number: int, frame: object) -> None:
            if self._stopping:
                raise KeyboardInterrupt
            self._stopping = True

        before = signal.signal(signal.SIGINT, stop)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def _step(
        self, network: nn.Module, optimiser: Any, schedule: Any, stage: Stage, batches: Iterator[Batch], step: int
    ) -> dict[str, float]:
        """Make one step; give the numbers to be logged."""
        clock = time.monotonic()
        optimiser.zero_grad(set_to_none=True)
        parts: dict[str, float] = {}
        for turn in range(stage.accumulate):
            batch = next(batches)
            last = turn == stage.accumulate - 1
            with self._fabric.no_backward_sync(network, enabled=not last), self._fabric.autocast():
                losses = network(_as_floats(batch), stage)
                loss = torch.stack(list(losses.values())).sum() / stage.accumulate
            # Of the joint batch, so that all processes log the same and give up at the same step.
            joint = joint_mean(torch.stack([value.detach() for value in losses.values()]))
            if not torch.isfinite(joint).all():
                self._give_up(stage, step, batch, own=not torch.isfinite(loss))
            self._fabric.backward(loss)
            for name, value in zip(losses, joint.tolist(), strict=True):
                parts[name] = parts.get(name, 0.0) + value / stage.accumulate
        norm = self._fabric.clip_gradients(network, optimiser, max_norm=stage.clip, error_if_nonfinite=False)
        rate = schedule.get_last_lr()[0]
        optimiser.step()
        schedule.step()
        return {
            "loss": sum(parts.values()),
            **{f"loss/{name}": value for name, value in parts.items()},
            "gradient_norm": float(norm),
            "learning_rate": rate,
            "seconds": time.monotonic() - clock,
        }

    def _batches(self, stage: Stage, done: int) -> Iterator[Batch]:
        """Return the batches of a stage from step `done` on, on the device."""
        rank, processes = self._fabric.global_rank, self._fabric.world_size
        pairs = TrainingPairs(
            stage,
            self._seed(stage),
            data=self._settings.data,
            photos=self._settings.photos,
            start=done * stage.accumulate * stage.batch * processes,
            shard=(rank, processes),
            labels=self._trainee.dense_labels(stage),
            complete=self._trainee.completion(stage),
        )
        loader = DataLoader(
            pairs,
            batch_size=stage.batch,
            num_workers=self._settings.workers,
            pin_memory=self._fabric.device.type == "cuda",
            # The engine's kernels and torch have threads by now, and those do not survive a fork.
            multiprocessing_context="spawn" if self._settings.workers else None,
            prefetch_factor=4 if self._settings.workers else None,
        )
        loader = self._fabric.setup_dataloaders(loader, use_distributed_sampler=False)
        return iter(loader)

    def _seed(self, stage: Stage) -> int:
        """Seed of a stage's stream of samples."""
        return self._recipe.seed * _SEEDS_A_RECIPE + self._recipe.stages.index(stage)

    def _validate(self, stage: Stage, step: int, average: RunningAverage) -> None:
        if self._fabric.is_global_zero:
            with average.applied():
                method = self._trainee.method(str(self._fabric.device))
                found = validate(method, self._protocols, self._recipe.validation.pairs)
            # A method freezes its network and sets it to evaluation.
            self._trainee.train()
            self._trainee.prepare(stage)
            self._validation = dict(found)
            if self._log is not None:
                self._log.write(stage.name, step, found)
        self._fabric.barrier()

    def _out_of_time(self) -> bool:
        if self._settings.minutes is None:
            return False
        late = time.monotonic() - self._started > 60 * self._settings.minutes
        # Processes must stop at the same step.
        return bool(self._fabric.broadcast(late))

    def _training(self, stage: Stage, step: int) -> dict[str, str | int | float | bool]:
        """Say how the weights came about."""
        from ffbench.results.record.environment import environment

        commit = environment(torch.device("cpu")).git_commit
        return {
            "recipe": self._recipe.name,
            "stage": stage.name,
            "steps": step,
            "seed": self._recipe.seed,
            "data": "the face engine" if self._settings.data is None else self._settings.data.name,
            "commit": commit or "unknown",
            **{key: round(value, 4) for key, value in self._validation.items()},
        }

    def _give_up(self, stage: Stage, step: int, batch: Batch, *, own: bool) -> None:
        """End the run; of several processes those write whose own loss is at fault."""
        where = self._settings.out / "failed.json"
        if own:
            indices = batch["index"].tolist()
            failed = {"stage": stage.name, "step": step, "seed": self._seed(stage), "samples": indices}
            write_text(where, json.dumps(failed) + "\n")
        raise MethodError(
            f"the loss is not a finite number at step {step} of stage '{stage.name}'; {where} names the samples "
            "of the batch. Go on from the last checkpoint with a smaller learning rate, or in fp32"
        )


def _as_floats(batch: Batch) -> Batch:
    return {**batch, **{key: batch[key].float() / 255 for key in ("image1", "image2")}}


def _on_cpu(value: Any) -> Any:
    """Copy what a checkpoint holds, so that training does not change it under the writer's hands."""
    if isinstance(value, torch.Tensor):
        return value.detach().cpu().clone()
    if isinstance(value, dict):
        return {key: _on_cpu(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_on_cpu(item) for item in value]
    return value
