"""`ffbench site`: the leaderboard as a static site."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from ffbench.cli.shared import options


def write_site(
    places: options.Places = None,
    out: Annotated[Path, typer.Option("--out", help="Folder to write; one that this command made is replaced.")] = Path(
        "leaderboard-site"
    ),
) -> None:
    """Write the leaderboard as plain HTML: boards, methods and the paper's tables, from records alone.

    The pages need no server and no script, and load nothing from elsewhere. The same records give the same files.
    """
    from ffbench.cli.boards.leaderboard import default_place
    from ffbench.cli.shared.console import note, note_each
    from ffbench.errors import UsageError
    from ffbench.results.store.records import read_rows

    problems: list[str] = []
    rows = read_rows(places or [default_place()], problems)
    # The pages stand on the kernel, which finds them where they are installed, as it finds methods.
    if find_spec("ffbench.leaderboard") is None:
        raise UsageError("this installation of ffbench has no leaderboard: install it again")
    pages: int = import_module("ffbench.leaderboard.site.writing").write_site(rows, out)
    note_each("problem", problems)
    note(f"{pages} pages; open {out / 'index.html'}")
