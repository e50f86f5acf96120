"""Boards as tables for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ffbench.io.escape import plain
from ffbench.results.report.leaderboard import BoardTable
from ffbench.results.report.leaderboard_formats import (
    TIED,
    interval_cell,
    position_cell,
    ranks_cell,
    title_cell,
    value_cell,
)
from ffbench.results.report.text import results_console

_LEGEND = (
    f"#: position by value; {TIED}: the data cannot tell it from the line above. "
    "ranks: the 95 % set, all that the data do not rule out."
)


def print_boards(tables: Sequence[BoardTable], console: Console | None = None) -> None:
    """Print boards to stdout, or to `console`; long names of methods are folded so that a line has room for all."""
    console = console or results_console()
    if not tables:
        console.print("no results")
    for table in tables:
        way = "higher" if table.higher_is_better else "lower"
        console.print(Text(plain(table.board.title), style="bold"))
        console.print(Text(f"{plain(table.metric_title)} [{plain(table.unit)}], {way} is better"))
        console.print(_rich_table(table))
        for note in dict.fromkeys(line.note for line in table.lines if line.note):
            names = ", ".join(plain(line.title) for line in table.lines if line.note == note)
            console.print(Text(f"{names}: {plain(note)}", style="yellow"))
    if any(line.position is not None for table in tables for line in table.lines):
        console.print(Text(_LEGEND, style="dim"))


def _rich_table(table: BoardTable) -> Table:
    """A row a line; values of each kind have a column only where there are any."""
    lines = table.lines
    verified = any(line.verified is not None for line in lines)
    local = any(line.local is not None for line in lines)
    claimed = any(line.claimed is not None for line in lines)
    reported = any(line.reported is not None for line in lines)
    shown = Table(box=SIMPLE_HEAD, padding=(0, 2, 0, 0), pad_edge=False)
    shown.add_column("#", no_wrap=True)
    shown.add_column("ranks", justify="right", no_wrap=True)
    shown.add_column("method", overflow="fold")
    for title, there in (("verified", verified), ("local", local)):
        if there:
            shown.add_column(title, justify="right", no_wrap=True)
    shown.add_column("95 % interval", justify="right", no_wrap=True)
    for title, there in (("claimed", claimed), ("reported", reported)):
        if there:
            shown.add_column(title, justify="right", no_wrap=True)
    for line in lines:
        cells = [position_cell(line), ranks_cell(line), plain(title_cell(line))]
        cells += [value_cell(line.verified)] if verified else []
        cells += [value_cell(line.local)] if local else []
        cells += [interval_cell(line)]
        cells += [value_cell(line.claimed)] if claimed else []
        cells += [line.reported or "-"] if reported else []
        shown.add_row(*map(Text, cells), style="bold" if line.position == 1 else None)
    return shown
