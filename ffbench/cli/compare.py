"""`ffbench compare`: two records of one protocol, pair by pair."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from ffbench.cli import options
from ffbench.cli.console import say, say_json, say_lines

if TYPE_CHECKING:
    from ffbench.results.record.row import Row


def compare_records(
    a: Annotated[Path, typer.Argument(help="A record, or the folder of a run.")],
    b: Annotated[Path, typer.Argument(help="Another of the same protocol and dataset.")],
    picture: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--png", metavar="FILE", help="Write a picture too."),
    ] = None,
    across_options: Annotated[
        bool, typer.Option("--across-options", help="Options may differ, such as facial and expression flow.")
    ] = False,
    board: Annotated[
        Optional[list[Path]],  # noqa: UP045
        typer.Option(
            "--board", metavar="PLACE", help="Store or folder of runs: say what its leaderboard says of both."
        ),
    ] = None,
    json: options.Json = False,
) -> None:
    """Compare two methods: the paired difference in every group, how sure it is, and the pairs that differ most."""
    from ffbench.errors import DataError
    from ffbench.results.ranking.compare import compare, pair_values
    from ffbench.results.record.row import row_of
    from ffbench.results.record.run_record import read_record

    rows = []
    group_by: tuple[str, ...] = ()
    for place in (a, b):
        path = place / "record.json" if place.is_dir() else place
        if not path.is_file():
            raise DataError(path, "no such record; name a record, or the folder of a run that holds record.json")
        record = read_record(path)
        group_by = record.protocol.group_by
        rows.append(row_of(path, "local", record))
    found = compare(rows[0], rows[1], group_by, board=_board(rows, board or []), across_options=across_options)
    if picture is not None:
        from ffbench.results.report.compare_picture import write_comparison

        write_comparison(picture, found, pair_values(rows[0]), pair_values(rows[1]))
    if json:
        say_json(found.model_dump_json(indent=1))
    else:
        from ffbench.results.report.compare_text import comparison_lines

        say_lines(comparison_lines(found))
        if picture is not None:
            say(f"picture: {picture}")


def _board(rows: list[Row], places: list[Path]) -> list[Row]:
    """Return the rows that are ranked with two records, both of them in place of their methods' latest."""
    if not places:
        return []
    from ffbench.results.report.leaderboard import latest_rows
    from ffbench.results.store.records import read_rows

    there = [row for row in read_rows(places, []) if row.board == rows[0].board and not row.not_rankable]
    latest = latest_rows(row for row in there if row.level != "claimed").values()
    # A run that is in the store counts as it stands there.
    ordered = sorted(latest, key=lambda row: row.level == "verified")
    return list({(row.identity, row.owner): row for row in [*ordered, *rows]}.values())
