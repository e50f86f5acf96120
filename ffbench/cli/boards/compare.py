"""`ffbench compare`: two records of one protocol, pair by pair."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from ffbench.cli.shared import options
from ffbench.cli.shared.console import say, say_json, say_lines

if TYPE_CHECKING:
    from ffbench.results.record.row import Row


def compare_records(
    a: Annotated[str, typer.Argument(help="A record, the folder of a run, or a method's id.")],
    b: Annotated[str, typer.Argument(help="Another of the same protocol and dataset.")],
    protocol: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--protocol", "-p", help="Where methods are named: the protocol."),
    ] = None,
    variant: Annotated[
        list[str],
        typer.Option("--variant", help="Where methods are named: the variant; given twice, that of A and that of B."),
    ] = [],  # noqa: B006
    place: Annotated[
        list[str],
        typer.Option(
            "--runs",
            metavar="PLACE",
            help="Where methods are named: a store or folder of runs, also by URL; default: runs and what ships.",
        ),
    ] = [],  # noqa: B006
    picture: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--png", metavar="FILE", help="Write a picture too."),
    ] = None,
    across_options: Annotated[
        bool,
        typer.Option("--across-options", help="Options and variant may differ, such as facial and expression flow."),
    ] = False,
    board: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(
            "--board", metavar="PLACE", help="Store or folder of runs: say what its leaderboard says of both."
        ),
    ] = None,
    json: options.Json = False,
) -> None:
    """Compare two methods: the paired difference in every group, how sure it is, and the pairs that differ most.

    `ffbench compare mynet dis -p ck_landmarks` takes the latest run of each, or else the record that ships with
    ffbench; `compare dis dis -p casme2_5 --variant clean --variant official` one method in two variants.
    """
    from ffbench.cli.shared.console import note
    from ffbench.results.named import Choice, find_rows
    from ffbench.results.ranking.compare import compare, pair_values
    from ffbench.results.record.run_record import read_record

    problems: list[str] = []
    rows = find_rows(a, b, Choice(protocol, tuple(variant), place or None), problems)
    for problem in problems:
        note(f"problem: {problem}")
    if [row.path for row in rows] != [a, b]:
        note(f"A: {rows[0].path}")
        note(f"B: {rows[1].path}")
    group_by = read_record(rows[1].path).protocol.group_by
    across = across_options or len(variant) == 2
    found = compare(*rows, group_by, board=_board(rows, board or []), across_options=across)
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


def _board(rows: Sequence[Row], places: list[str]) -> list[Row]:
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
