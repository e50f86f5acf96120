"""`ffbench methods`: what can be evaluated."""

from __future__ import annotations

from typing import Annotated

import typer

from ffbench.cli.shared import options
from ffbench.cli.shared.console import say_json, say_pairs

app = typer.Typer(help="List the methods, or show one.", no_args_is_help=True)


@app.command("list")
def list_installed(json: options.Json = False) -> None:
    """List every method and family that is installed."""
    from ffbench.registry import list_methods

    say_pairs(list(list_methods().items()), json)


@app.command("show")
def show_method(
    name: Annotated[str, typer.Argument(help="A method, as `ffbench eval` takes it, or a family such as ptlflow.")],
    weights: options.Weights = None,
    refine: options.Refine = None,
    face_size: options.FaceSize = None,
    json: options.Json = False,
) -> None:
    """Show a method's card, or the members of a family."""
    from ffbench.registry import list_methods, load_method, method_names

    members = list_methods(name) if name in method_names() else {}
    if members:
        say_pairs(list(members.items()), json)
        return
    card = load_method(name, weights=weights, device="cpu", refine=refine, face_size=face_size).card
    if json:
        say_json(card.model_dump_json(indent=1))
    else:
        say_pairs([(key, str(value)) for key, value in card if value not in (None, {})], json=False)


@app.command("try")
def try_method(
    name: Annotated[str, typer.Argument(help="A method, as `ffbench eval` takes it.")],
    weights: options.Weights = None,
    device: options.Device = "auto",
    refine: options.Refine = None,
    face_size: options.FaceSize = None,
    json: options.Json = False,
) -> None:
    """Hold a method against its contract, and its flow against a known motion: what is wrong, and what it looks like.

    Ends with exit code 4 if a check comes out wrong.
    """
    from ffbench.cli.shared.trying import report_checks
    from ffbench.errors import MethodError
    from ffbench.registry import load_method
    from ffbench.testing import check_method

    method = load_method(name, weights=weights, device=device, refine=refine, face_size=face_size)
    report_checks(name, check_method(method), json, MethodError)
