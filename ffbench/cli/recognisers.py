"""`ffbench recognisers`: what can learn from flows."""

from __future__ import annotations

import typer

from ffbench.cli.shared import options
from ffbench.cli.shared.console import say_pairs

app = typer.Typer(help="List the recognisers of the recognition protocols.", no_args_is_help=True)


@app.callback()
def recognisers() -> None:
    """List the recognisers of the recognition protocols."""


@app.command("list")
def list_installed(json: options.Json = False) -> None:
    """List every recogniser that is installed; -o recogniser=NAME of a recognition protocol takes it."""
    from ffbench.recogniser_registry import list_recognisers

    say_pairs(list(list_recognisers().items()), json)
