"""`ffbench methods`: what can be evaluated."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from ffbench.cli.shared import options
from ffbench.cli.shared.console import say_json, say_pairs
from ffbench.cli.shared.run_options import takes_run_config
from ffbench.run_config import RunConfig

app = typer.Typer(help="List the methods, or show one.", no_args_is_help=True)


@app.command("list")
def list_installed(json: options.Json = False) -> None:
    """List every method and family that is installed."""
    from ffbench.registry import list_methods

    say_pairs(list(list_methods().items()), json)


@app.command("show")
@takes_run_config
def show_method(
    config: Annotated[
        RunConfig,
        typer.Argument(metavar="NAME", help="A method, as `ffbench eval` takes it, or a family such as ptlflow."),
    ],
    json: options.Json = False,
) -> None:
    """Show a method's card, or the members of a family."""
    from ffbench.registry import list_methods, method_names

    members = list_methods(config.method) if config.method in method_names() else {}
    if members:
        say_pairs(list(members.items()), json)
        return
    # A card needs no accelerator.
    card = replace(config, device="cpu" if config.device == "auto" else config.device).load().card
    if json:
        say_json(card.model_dump_json(indent=1))
    else:
        say_pairs([(key, str(value)) for key, value in card if value not in (None, {})], json=False)


@app.command("try")
@takes_run_config
def try_method(
    config: Annotated[RunConfig, typer.Argument(metavar="NAME", help="A method, as `ffbench eval` takes it.")],
    json: options.Json = False,
) -> None:
    """Check a method against its contract, and its flow against a known motion: what is wrong, and what it looks like.

    Ends with exit code 4 if a check comes out wrong.
    """
    from ffbench.cli.shared.trying import report_checks
    from ffbench.errors import MethodError
    from ffbench.testing import check_method

    report_checks(config.method, check_method(config.load()), json, MethodError)


@app.command("export")
@takes_run_config
def export_method(
    config: Annotated[RunConfig, typer.Argument(metavar="NAME", help="A method, as `ffbench eval` takes it.")],
    out: Annotated[Path, typer.Option("--out", help="The ONNX file to write.")],
) -> None:
    """Write a method's network as an ONNX file, and compare it with PyTorch in onnxruntime, on one thread.

    Of decflow-c, DIS stays outside: the file takes the two images and the flows that it corrects. The file is written
    before it is compared. Ends with exit code 4 if they differ by more than 0.001 px.
    """
    from ffbench.cli.shared.console import say
    from ffbench.errors import MethodError
    from ffbench.onnx_export import MOST_DIFFERENCE, compare_with_torch, export_onnx

    method = replace(config, device="cpu" if config.device == "auto" else config.device).load()
    exportable = export_onnx(method, out)
    seen = compare_with_torch(exportable, out)
    height, width = next(iter(exportable.check.values())).shape[2:]
    said = ", ".join(f"{name} {difference:.1e}" for name, difference in seen.differences.items())
    say(f"{out}: {width}x{height} px, one thread: onnxruntime {seen.seconds:.2f} s, PyTorch {seen.torch_seconds:.2f} s")
    say(f"greatest difference from PyTorch: {said}")
    if not max(seen.differences.values()) <= MOST_DIFFERENCE:
        raise MethodError(f"{out}: differs from PyTorch by more than {MOST_DIFFERENCE}; do not use it")
