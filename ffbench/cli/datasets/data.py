"""`ffbench data`: the datasets that there are, and mini ones that ffbench makes itself."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Optional

import typer

from ffbench.cli.shared import options
from ffbench.cli.shared.console import say, say_pairs

app = typer.Typer(help="Verify and prepare datasets; make the synthetic mini ones.", no_args_is_help=True)


@app.command("list")
def list_datasets(json: options.Json = False) -> None:
    """List every dataset that is installed, and whether it has a mini one."""
    from ffbench.datasets.registry import dataset_names, load_dataset
    from ffbench.errors import FfbenchError

    rows = {}
    for name in dataset_names():
        try:
            found = load_dataset(name)
            rows[name] = f"{found.title}: {found.summary}; {found.licence}" + (
                "" if found.mini is None else "; mini dataset"
            )
        except FfbenchError as error:  # one broken package must not hide the others
            rows[name] = f"cannot be used: {error}"
    say_pairs(list(rows.items()), json)


@app.command("show")
def show_dataset(
    name: Annotated[str, typer.Argument(help="A dataset; `ffbench data list` names them.")],
    json: options.Json = False,
) -> None:
    """Show a dataset: its licence, where to get it, how its folder is named, its counts and how to cite it."""
    from ffbench.datasets.registry import load_dataset

    found = load_dataset(name)
    rows = {
        "title": found.title,
        "what": found.summary,
        "licence": found.licence,
        "where to get it": found.source,
        "folder in $FFBENCH_DATA": " or ".join(found.folders),
        **{what: f"{count:,}" for what, count in found.counts.items()},
        "mini dataset": "none" if found.mini is None else f"ffbench data make-mini {name}",
    }
    if json:
        say_pairs([*rows.items(), ("citation", found.citation)], json)
        return
    say_pairs(list(rows.items()), json)
    say(f"\n{found.citation}")


@app.command("try")
def try_dataset(
    name: Annotated[str, typer.Argument(help="A dataset; `ffbench data list` names them.")],
    json: options.Json = False,
) -> None:
    """Check a dataset against its contract. Ends with exit code 3 if a check comes out wrong."""
    from ffbench.cli.shared.trying import report_checks
    from ffbench.datasets.registry import load_dataset
    from ffbench.errors import DataError
    from ffbench.testing import check_dataset

    report_checks(name, check_dataset(load_dataset(name)), json, DataError)


@app.command("make-mini")
def make_mini_dataset(
    name: Annotated[str, typer.Argument(help="A dataset, such as ck_plus.")],
    out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--out", "-o", help="New folder; default: the cache, where protocols look for it."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Another seed, other faces.")] = 0,
) -> None:
    """Make a mini dataset: synthetic faces in the layout of a licensed dataset."""
    from ffbench.cli.shared.console import progress_bar
    from ffbench.datasets.minis import make_mini, mini_folder
    from ffbench.datasets.registry import load_dataset

    dataset = load_dataset(name)
    folder = out if out is not None else mini_folder(dataset, seed)
    if out is None and folder.is_dir():
        say(folder)
        return
    with progress_bar(f"making {name}", "sequence") as move:
        make_mini(dataset, folder, seed, move)
    say(folder)


@app.command("croissant")
def describe_dataset(
    folder: Annotated[Path, typer.Argument(help="A dataset that `ffbench generate` wrote.")],
    license: Annotated[str, typer.Option("--license", metavar="URL", help="Under which terms you publish it.")],
    url: Annotated[str, typer.Option("--url", help="Its page, where it can be had.")],
    name: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--name", help="Its name; default: that of the folder."),
    ] = None,
    published: Annotated[
        Optional[datetime],  # noqa: UP045
        typer.Option("--published", formats=["%Y-%m-%d"], help="The day; default: today."),
    ] = None,
) -> None:
    """Write croissant.json, the metadata by which dataset search and loaders know a dataset, and pairs.csv."""
    from ffbench.synth.pairs.croissant import Publication, write_croissant

    day = (published or datetime.now()).date()
    path, pairs = write_croissant(folder, Publication(name or folder.resolve().name, license, url, day))
    say(f"{path}: {pairs} pairs, synthetic")
