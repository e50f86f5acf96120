"""`ffbench site`: the leaderboard as a static site."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer


def write_site(
    places: Annotated[
        Optional[list[Path]],  # noqa: UP045
        typer.Argument(
            help="Stores, folders of runs, or records; default: runs, or else the records that ship with ffbench."
        ),
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder to write; one that this command made is replaced.")] = Path(
        "leaderboard-site"
    ),
) -> None:
    """Write the leaderboard as plain HTML: boards, methods and the paper's tables, from records alone.

    The pages need no server and no script, and load nothing from elsewhere. The same records give the same files.
    """
    from ffbench.cli.console import note, note_each
    from ffbench.cli.leaderboard import default_place
    from ffbench.leaderboard.site.pages import Site
    from ffbench.leaderboard.site.writing import write
    from ffbench.results.store.records import read_rows

    problems: list[str] = []
    rows = read_rows(places or [default_place()], problems)
    files = Site(rows).files()
    write(files, out)
    note_each("problem", problems)
    note(f"{sum(name.endswith('.html') for name in files)} pages; open {out / 'index.html'}")
