"""`ffbench table`: the paper's tables with measured rows beside the printed ones."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from ffbench.cli.shared import options


class TableFormat(str, Enum):
    """What to write."""

    text = "text"
    md = "md"
    latex = "latex"
    html = "html"
    csv = "csv"


def paper_table(
    number: Annotated[int, typer.Argument(help="Table of the paper: 2, 3, 4 or 5.")],
    runs: Annotated[Path, typer.Option("--runs", help="Folder of runs.")] = Path("runs"),
    form: Annotated[TableFormat, typer.Option("--format", "-f", help="What to write.")] = TableFormat.text,
    synthetic: Annotated[
        bool, typer.Option("--synthetic", help="Show runs on the synthetic mini data too, in a block of their own.")
    ] = False,
    same_as: Annotated[
        list[str],
        typer.Option("--as", metavar="LABEL=ROW", help="Compare a measured row with a row of the paper."),
    ] = [],  # noqa: B006
) -> None:
    """Print a table of the paper, with what was measured here beside what is printed there, and the difference.

    Measured rows come from the run records under --runs. Weights from a file can be anybody's: --as says which row of
    the paper they are, such as --as "raft@finetuned.ckpt=RAFT+FFN".
    """
    aliases = options.parse_assignments(same_as)
    from ffbench.cli.shared.console import note, note_each
    from ffbench.results.report.paper_tables import find_records, measured_rows, reported_table
    from ffbench.results.report.table_text import FORMATS, compose

    table = reported_table(number)
    records, problems = find_records(runs)
    measured, left_out = measured_rows(table, records, aliases)
    hidden = sum(row.origin == "synthetic" for row in measured)
    note_each("problem", problems)
    note_each("left out", left_out)
    if not any(row.origin == "real" for row in measured):
        note(f"no run on real data for this table in {runs}")
    if hidden and not synthetic:
        note(f"{hidden} rows on synthetic data are not shown; --synthetic shows them apart")
    typer.echo(FORMATS[form.value](compose(table, measured, synthetic=synthetic)), nl=False)
