"""`ffbench bench`: how long methods take at equal input."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import typer

from ffbench.cli.shared import options
from ffbench.cli.shared.console import progress_bar, say_json

if TYPE_CHECKING:
    from ffbench.timing import Timing

_SIZE = re.compile(r"([1-9]\d{1,4})x([1-9]\d{1,4})")
_MOST_SIDE = 8192


def bench_methods(
    methods: Annotated[
        list[str],
        typer.Argument(
            metavar="METHOD...", help="As `ffbench eval` takes them; the first is what others are compared with."
        ),
    ],
    size: Annotated[str, typer.Option("--size", metavar="WIDTHxHEIGHT", help="Of the images, px.")] = "640x360",
    rounds: Annotated[int, typer.Option("--rounds", min=1, max=1000, help="How often each is run.")] = 5,
    threads: Annotated[int, typer.Option("--threads", min=1, max=1024, help="Of the processor.")] = 1,
    device: options.Device = "cpu",
    json: options.Json = False,
) -> None:
    """Time methods in turn on the same two images: seconds a pair, ratios, and the least that the arithmetic needs.

    A network without weights of its own runs with random ones, which takes as long. The floor is what the
    operations that PyTorch counts would take at the rate of a large matrix product in the same run.
    """
    from ffbench.errors import UsageError
    from ffbench.timing import load_for_timing, time_methods, timing_table

    found = _SIZE.fullmatch(size)
    if found is None or max(map(int, found.groups())) > _MOST_SIDE:
        raise UsageError(f"--size is '{size}', expected WIDTHxHEIGHT such as 640x360, each side 10 to {_MOST_SIDE} px")
    width, height = map(int, found.groups())
    loaded = [load_for_timing(name, device) for name in methods]
    with progress_bar("timing", "runs") as progress:
        timings = time_methods(loaded, height, width, rounds=rounds, threads=threads, progress=progress)
    if json:
        say_json(_document(timings, size, threads, loaded[0].device))
        return
    from ffbench.results.tables import as_text

    typer.echo(
        as_text(
            timing_table(timings, f"{size} px, {threads} thread{'s' if threads > 1 else ''}, {rounds} rounds in turn")
        ),
        nl=False,
    )


def _document(timings: list[Timing], size: str, threads: int, device: object) -> str:
    import json
    from dataclasses import asdict

    from ffbench.results.record.environment import environment

    where = environment(device).model_dump()  # type: ignore[arg-type]
    rows = [asdict(timing) for timing in timings]
    return json.dumps({"size": size, "environment": where | {"threads": threads}, "methods": rows}, indent=1)
