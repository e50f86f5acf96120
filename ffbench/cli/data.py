"""`ffbench data`: datasets that ffbench makes itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from ffbench.cli.console import say

app = typer.Typer(help="Verify and prepare datasets; make the synthetic mini ones.", no_args_is_help=True)


@app.command("make-mini")
def make_mini_dataset(
    name: Annotated[str, typer.Argument(help="Mini dataset, such as ck_plus.")],
    out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--out", "-o", help="New folder; default: the cache, where protocols look for it."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Another seed, other faces.")] = 0,
) -> None:
    """Make a mini dataset: synthetic faces in the layout of a licensed dataset."""
    from ffbench.cli.console import progress_bar
    from ffbench.synth.minis.cache import make_mini, mini_folder

    folder = out if out is not None else mini_folder(name, seed)
    if out is None and folder.is_dir():
        say(folder)
        return
    with progress_bar(f"making {name}", "sequence") as move:
        make_mini(name, folder, seed, move)
    say(folder)
