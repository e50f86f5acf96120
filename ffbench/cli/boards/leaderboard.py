"""`ffbench leaderboard`: records as ranked tables."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Optional

import typer

from ffbench.cli.shared import options


def show_leaderboard(
    places: options.Places = None,
    protocol: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--protocol", "-p", help="Only this protocol."),
    ] = None,
    origin: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--origin", help="Only data of this origin: real, reanimated or synthetic."),
    ] = None,
    file_format: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--format", help="text, markdown, csv, latex or json; default: text, in a file or pipe markdown."),
    ] = None,
) -> None:
    """Print ranked tables: verified, claimed and reported numbers apart, and so are data of different origins.

    Position is by value. The rank set beside it holds every rank that the data do not rule out.
    """
    from ffbench.cli.shared.console import note, note_each
    from ffbench.errors import UsageError
    from ffbench.results.record.row import ORIGINS
    from ffbench.results.report.leaderboard import leaderboard
    from ffbench.results.report.leaderboard_formats import format_boards
    from ffbench.results.store.places import in_place_names
    from ffbench.results.store.records import read_rows

    if origin not in (None, *ORIGINS):
        raise UsageError(f"--origin: expected {', '.join(ORIGINS)}, got '{origin}'")
    problems: list[str] = []
    named: Sequence[Path | str] = places or [default_place()]
    rows = read_rows(named, problems)
    chosen = [row for row in rows if protocol in (None, row.board.protocol) and origin in (None, row.board.origin)]
    tables = leaderboard(chosen)
    if file_format == "text" or (file_format is None and sys.stdout.isatty()):
        from ffbench.results.report.leaderboard_text import print_boards

        print_boards(tables)
    else:
        typer.echo(format_boards(tables, file_format or "markdown"), nl=False)
    for row in chosen:
        for reason in row.not_rankable:
            note(f"not shown: {in_place_names(row.path, named)}: {reason}")
    note_each("problem", problems)


def default_place() -> Path:
    """Return the runs of the current folder, or else the records that ship with ffbench, and say which.

    Raises:
        UsageError: there are neither.
    """
    from ffbench.cli.shared.console import note
    from ffbench.errors import UsageError
    from ffbench.paths import shipped_store

    runs, shipped = Path("runs"), shipped_store()
    if runs.is_dir():
        note("the runs in ./runs; `ffbench leaderboard PLACE...` shows others")
        return runs
    if shipped is None:
        raise UsageError("there is no folder `runs` here, and no records ship with this installation: name a PLACE")
    note(f"the records that ship with ffbench ({shipped})")
    return shipped
