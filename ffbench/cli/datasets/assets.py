"""`ffbench assets`: the data and weights that are fetched from packages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from ffbench.cli.shared import options
from ffbench.cli.shared.console import say, say_json

if TYPE_CHECKING:
    from ffbench.assets import Asset

app = typer.Typer(help="List, fetch or check the data and weights that come from packages.", no_args_is_help=True)


@app.command("list")
def list_assets(json: options.Json = False) -> None:
    """List every asset: its size, licence, whether it is in the cache, and where from."""
    from ffbench.assets import manifest, state
    from ffbench.paths import cache_dir

    assets = manifest().values()
    if json:
        import json as json_module

        say_json(json_module.dumps([_as_json(asset) for asset in assets], indent=1))
        return
    rows = [("name", "MB", "state", "licence", "package (download)")]
    rows += [
        (
            asset.name,
            f"{asset.bytes / 1e6:.1f}",
            state(asset),
            asset.licence,
            f"{asset.wheel.requirement} ({asset.wheel.bytes / 1e6:.1f} MB)",
        )
        for asset in assets
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    for row in rows:
        say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    say(f"kept in {cache_dir() / 'assets'}")


@app.command("pull")
def pull_assets(
    names: Annotated[Optional[list[str]], typer.Argument(help="Assets; see `ffbench assets list`.")] = None,  # noqa: UP045
    everything: Annotated[bool, typer.Option("--all", help="Fetch all of them.")] = False,
    archive: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--from", metavar="FILE", help="A wheel that is already at hand, in place of a download."),
    ] = None,
) -> None:
    """Fetch assets through pip, check them against their pinned hashes and keep them in the cache."""
    from ffbench.assets import manifest, pull
    from ffbench.cli.shared.console import stderr
    from ffbench.errors import UsageError

    if everything == bool(names):
        raise UsageError("name the assets to fetch, or give --all; `ffbench assets list` shows them")
    if everything and archive is not None:
        raise UsageError("--from holds one package: name the assets to take out of it instead of --all")
    console = stderr()
    with console.status("waiting for pip"):
        paths = pull(
            names or list(manifest()),
            report=lambda line: console.print(line, markup=False, soft_wrap=True),
            archive=archive,
        )
    for path in paths:
        say(path)


@app.command("verify")
def verify_assets() -> None:
    """Hash every file in the cache again; ends with exit code 3 if one is damaged."""
    from ffbench.assets import manifest, state
    from ffbench.errors import DataError

    damaged = []
    for asset in manifest().values():
        found = state(asset)
        say(f"{asset.name}: {found}")
        if found == "damaged":
            damaged.append(asset)
    if damaged:
        names = " ".join(asset.name for asset in damaged)
        raise DataError(damaged[0].path, f"damaged (other bytes than pinned); `ffbench assets pull {names}` mends it")


def _as_json(asset: Asset) -> dict[str, object]:
    from ffbench.assets import state

    return {
        "name": asset.name,
        "summary": asset.summary,
        "licence": asset.licence,
        "package": asset.wheel.requirement,
        "download_bytes": asset.wheel.bytes,
        "bytes": asset.bytes,
        "sha256": asset.sha256,
        "state": state(asset),
        "path": str(asset.path),
    }
