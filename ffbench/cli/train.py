"""`ffbench train`: train a network by a recipe."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from ffbench.cli.eval_ import INTERRUPTED
from ffbench.cli.shared import options
from ffbench.cli.shared.console import say
from ffbench.errors import UsageError

if TYPE_CHECKING:
    from ffbench.training.loop import Outcome, Progress
    from ffbench.training.trainee import TrainEntry

SYNTHETIC = "synth"


def train_method(
    method: Annotated[str, typer.Argument(help="Method: decflow, decflow-s, raft, gma, skflow, flowformer, ...")],
    out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--out", help="Folder of the run; one that was interrupted goes on in it."),
    ] = None,
    recipe: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--recipe", help="Recipe by name, or a TOML file; default: the method's first."),
    ] = None,
    data: Annotated[
        str, typer.Option("--data", help=f"FacialFlowNet or a dataset in its layout; `{SYNTHETIC}` renders on the fly.")
    ] = SYNTHETIC,
    stage: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--stage", help="Stop after this stage; default: train all."),
    ] = None,
    weights: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--weights", help="Checkpoint to start from, or `random`."),
    ] = None,
    semantic_weights: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--semantic-weights", help="Of the face-semantic encoder, such as dad_3dheads.trcd."),
    ] = None,
    change: Annotated[
        list[str],
        typer.Option("--set", metavar="FIELD=VALUE", help="Change a field of the recipe; may be repeated."),
    ] = [],  # noqa: B006
    photos: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--photos", help="Folder of photographs for layered pairs; default: a few out of a package."),
    ] = None,
    device: options.Device = "auto",
    processes: Annotated[
        int, typer.Option("--processes", min=1, help="GPUs, or CPU processes, with a batch each.")
    ] = 1,
    workers: Annotated[int, typer.Option("--workers", min=0, help="Processes that make samples, for each.")] = 1,
    minutes: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option("--minutes", min=0.1, help="Stop after so long; the same command goes on from there."),
    ] = None,
    show: Annotated[
        bool,
        typer.Option("--show", help="Print the recipe that would be run, as TOML, and nothing else."),
    ] = False,
) -> None:
    """Train a method by a recipe: on rendered faces, or on FacialFlowNet.

    An interrupted run goes on where it stopped when the same command is given again, with the same loss curve.
    """
    changes = list(options.parse_assignments(change).items())
    from ffbench.cli.shared.console import stderr
    from ffbench.registry import resolve_device

    family = method.partition(":")[0].partition("/")[0]
    from ffbench.training.recipe import read_recipe, recipe_toml
    from ffbench.training.trainee import TrainRequest, train_entry

    trained = train_entry(family)
    chosen = read_recipe(_recipe_path(trained, recipe, method), changes)
    if stage is not None:
        chosen.stage(stage)
    if show:
        typer.echo(recipe_toml(chosen), nl=False)
        return
    if out is None:
        raise UsageError("train needs --out DIR, the folder of the run")
    from ffbench.training.loop import Settings, train

    trainee = trained.build(TrainRequest(method, chosen, weights, semantic_weights))
    settings = Settings(
        out=out,
        data=None if data == SYNTHETIC else Path(data),
        photos=photos,
        device=resolve_device(device),
        processes=processes,
        workers=workers,
        minutes=minutes,
        stop_after=stage,
    )
    stderr().print(f"{method}: recipe {chosen.name}, {chosen.summary}", highlight=False)
    try:
        with _bar(f"training {method}") as move:
            outcome = train(trainee, chosen, settings, move)
    except KeyboardInterrupt:
        stderr().print("interrupted: the same command goes on from the last step")
        raise typer.Exit(INTERRUPTED) from None
    _report(outcome, method)


def _recipe_path(entry: TrainEntry, name: str | None, method: str) -> Path:
    if name is None:
        return next(iter(entry.recipes.values()))
    if name in entry.recipes:
        return entry.recipes[name]
    if name.endswith(".toml"):
        return Path(name)
    from ffbench.packages.entry_points import nearest

    known = ", ".join(entry.recipes)
    raise UsageError(f"{method} has no recipe '{name}'{nearest(name, entry.recipes)}; it has {known}, or name a .toml")


def _report(outcome: Outcome, method: str) -> None:
    for name, value in outcome.validation.items():
        say(f"{name}: {value:.4f}")
    if outcome.weights is not None:
        say(outcome.weights)
    if not outcome.done:
        say(f"stage {outcome.stage}: {outcome.step} steps done; the same command goes on from there")
    elif outcome.weights is not None:
        say(f"try it: ffbench eval -m {method} -p clip_landmarks --weights {outcome.weights}")


@contextlib.contextmanager
def _bar(title: str) -> Iterator[Progress]:
    """Show a bar for each stage, with the loss and the time left."""
    from rich import progress

    from ffbench.cli.shared.console import stderr

    with progress.Progress(
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TextColumn("loss {task.fields[loss]}"),
        progress.TimeRemainingColumn(),
        console=stderr(),
        transient=True,
    ) as bar:
        tasks: dict[str, progress.TaskID] = {}

        def move(stage: str, done: int, total: int, loss: float) -> None:
            if stage not in tasks:
                tasks[stage] = bar.add_task(f"{title}, {stage}", total=total, loss="", completed=done - 1)
            bar.update(tasks[stage], completed=done, loss=f"{loss:.3f}")

        yield move
