"""Boards as Markdown, CSV, LaTeX and JSON: what stands in each cell, for `ffbench.results.tables` to write."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict

from ffbench.errors import UsageError
from ffbench.io.escape import json_text, markdown
from ffbench.results.numbers import format_value
from ffbench.results.report.leaderboard import BoardLine, BoardTable
from ffbench.results.tables import Table, as_csv, as_latex, as_markdown

_HEADINGS = ("position", "95 % ranks", "method", "verified", "local", "95 % interval", "claimed", "reported")
_ALIASES = {"md": "markdown"}
TIED = "≈"
"""Stands beside the position of a method that the data cannot tell from the one above."""


def format_boards(tables: Sequence[BoardTable], file_format: str) -> str:
    """Return boards as text.

    Args:
        tables: from `leaderboard`.
        file_format: one of `FORMATS`, or `md` for Markdown.

    Raises:
        UsageError: an unknown format, or boards of data of several origins in one CSV table.
    """
    file_format = _ALIASES.get(file_format, file_format)
    if file_format not in FORMATS:
        raise UsageError(f"format '{file_format}': expected {', '.join(FORMATS)}")
    return FORMATS[file_format](tables)


def _markdown(tables: Sequence[BoardTable]) -> str:
    blocks = [
        f"### {markdown(table.board.title)}\n\n{markdown(_caption(table))}\n\n{as_markdown(_table(table))}"
        for table in tables
    ]
    return "\n\n".join(blocks) + "\n" if blocks else "no results\n"


def _latex(tables: Sequence[BoardTable]) -> str:
    blocks = [as_latex(_table(table)) for table in tables]
    return "% needs \\usepackage{booktabs}\n" + "\n".join(blocks) if blocks else "% no results\n"


def _table(table: BoardTable) -> Table:
    return Table(
        title=table.board.title,
        header=_HEADINGS,
        rows=tuple(_cells(line) for line in table.lines),
        text_columns=frozenset({0, 2}),
        notes=(_caption(table),),
    )


def _csv(tables: Sequence[BoardTable]) -> str:
    if len({table.board.origin for table in tables}) > 1:
        raise UsageError("a CSV file is one table, and results on data of different origins share none: give --origin")
    header = [
        "protocol", "version", "variant", "options", "dataset", "origin", "reference", "dataset_sha256", "metric",
        "unit", "higher_is_better", "position", "rank_best", "rank_worst", "tied_above", "method", "title", "verified",
        "ci_low", "ci_high", "claimed", "reported", "source", "note", "record", "local", "attempts",
    ]  # fmt: skip
    rows = [
        (*asdict(table.board).values(), table.metric, table.unit, table.higher_is_better, *asdict(line).values())
        for table in tables
        for line in table.lines
    ]
    return as_csv(header, rows)


def _json(tables: Sequence[BoardTable]) -> str:
    return json_text(json.dumps([asdict(table) for table in tables], indent=1)) + "\n"


FORMATS: dict[str, Callable[[Sequence[BoardTable]], str]] = {
    "markdown": _markdown,
    "csv": _csv,
    "latex": _latex,
    "json": _json,
}


def _caption(table: BoardTable) -> str:
    way = "higher" if table.higher_is_better else "lower"
    return (
        f"{table.metric_title} [{table.unit}], {way} is better; position by value, {TIED}: the data cannot tell it "
        "from the line above; 95 % ranks: all ranks that the data do not rule out; "
        "verified: scored again for the store, local: a run in no store, claimed: by the submitter, reported: by the "
        "paper"
    )


def position_cell(line: BoardLine) -> str:
    """Return the position by value, marked where the data cannot tell the line from the one above."""
    return "-" if line.position is None else f"{line.position} {TIED}" if line.tied_above else str(line.position)


def ranks_cell(line: BoardLine) -> str:
    """Return the set of ranks, such as `1-3`."""
    if line.rank_best is None or line.rank_worst is None:
        return "-"
    return str(line.rank_best) if line.rank_best == line.rank_worst else f"{line.rank_best}-{line.rank_worst}"


def interval_cell(line: BoardLine) -> str:
    """Return the interval of a verified value."""
    if line.ci_low is None or line.ci_high is None:
        return "-"
    return f"{format_value(line.ci_low)} to {format_value(line.ci_high)}"


def title_cell(line: BoardLine) -> str:
    """Return the method's title, and for a number that is only printed somewhere, where."""
    only_reported = line.verified is None and line.local is None and line.claimed is None
    return f"{line.title} (paper, {line.source.partition(',')[0]})" if only_reported else line.title


def value_cell(value: float | None) -> str:
    """Return a value, or a dash for none."""
    return "-" if value is None else format_value(value)


def _cells(line: BoardLine) -> tuple[str, ...]:
    verified, local, claimed = map(value_cell, (line.verified, line.local, line.claimed))
    numbers = verified, local, interval_cell(line), claimed, line.reported or "-"
    return position_cell(line), ranks_cell(line), title_cell(line), *numbers
