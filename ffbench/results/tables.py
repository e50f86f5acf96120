"""Tables of results as text, Markdown, LaTeX, CSV and HTML: the one place that lays them out and escapes their cells.

Names in them come from strangers. Each format makes its own marks harmless (`ffbench.io.escape`), once, on the way out:
a `Table` holds what is meant, not how it is written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tabulate import DataRow, tabulate
from tabulate import TableFormat as Layout

from ffbench.io import escape

_SIGNED = re.compile(r"[+-]\d+(\.\d*)?")
_COLUMNS = Layout(None, None, None, None, None, DataRow("", "  ", ""), 0, None)
"""Two spaces between columns, and no lines."""


@dataclass(frozen=True)
class Table:
    """What a table says.

    Attributes:
        title: what it is; "" for nothing.
        header, rows: cells as they are meant, in every row as many as in the header.
        text_columns: which columns hold words, and stand to the left; numbers stand to the right.
        notes: what stands below it.
        bold: (row, column) of cells that stand out, where the format can show it.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    text_columns: frozenset[int]
    notes: tuple[str, ...] = ()
    bold: frozenset[tuple[int, int]] = frozenset()

    @property
    def sides(self) -> list[str]:
        """Which side each column stands on, `left` or `right`."""
        return ["left" if column in self.text_columns else "right" for column in range(len(self.header))]


def as_text(table: Table) -> str:
    """Return plain text in columns, which ends in a line break."""
    head, *rows = columns(_written([table.header, *table.rows], escape.plain), table.sides)
    return "\n".join([escape.plain(table.title), "", head, "-" * len(head), *rows, *map(escape.plain, table.notes), ""])


def as_markdown(table: Table) -> str:
    """Return the header, the rule and the rows of a Markdown table; title and notes are the caller's."""
    rows = _written(table.rows, escape.markdown, table.bold, "**{}**")
    rule = " | ".join("---" if side == "left" else "---:" for side in table.sides)
    return "\n".join(_laid_out(table, list(map(escape.markdown, table.header)), rows, _pipes(rule)))


def as_latex(table: Table) -> str:
    r"""Return a LaTeX table, which needs the package booktabs; it ends in a line break."""
    rows = _written(table.rows, _latex_cell, table.bold, r"\textbf{{{}}}")
    caption = ". ".join(map(escape.latex, [table.title, *table.notes]))
    columns = "".join(side[0] for side in table.sides)
    lines = _laid_out(table, list(map(escape.latex, table.header)), rows, _ampersands(columns))
    return "\n".join([r"\begin{table}", rf"\caption{{{caption}}}", *lines, r"\end{table}", ""])


def as_html(table: Table) -> str:
    """Return an HTML table with its title as caption; it ends in a line break."""
    rows = _written(table.rows, escape.html, table.bold, "<b>{}</b>")
    heads = list(map(escape.html, table.header))
    lines = tabulate(rows, heads, "unsafehtml", disable_numparse=True, colalign=table.sides).splitlines()
    notes = [f"<p>{escape.html(note)}</p>" for note in table.notes]
    return "\n".join([lines[0], f"<caption>{escape.html(table.title)}</caption>", *lines[1:], *notes, ""])


def as_csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a CSV table: text that no spreadsheet takes for a formula, numbers with all their digits.

    >>> as_csv(["name", "change"], [["=1+1", 0.25], ["net", "-0.1"]])
    "name,change\\n'=1+1,0.25\\nnet,-0.1\\n"
    """
    import pandas as pd

    # As objects: a column of counts in which some are missing would become one of floats.
    frame = pd.DataFrame(
        [list(map(_csv_value, row)) for row in rows], columns=list(map(_csv_value, header)), dtype=object
    )
    written: str = frame.to_csv(index=False, lineterminator="\n")
    return written


def columns(rows: Sequence[Sequence[str]], sides: Sequence[str] = ()) -> list[str]:
    """Return lines of cells that are escaped already, in columns.

    Args:
        rows: as many cells in each.
        sides: `left` or `right` for each column; by default the first to the left, numbers to the right.
    """
    sides = sides or ["left", *["right"] * (len(rows[0]) - 1)]
    return str(tabulate(rows, (), _COLUMNS, disable_numparse=True, colalign=sides)).split("\n")


def _written(
    rows: Iterable[Sequence[str]],
    cell: Callable[[str], str],
    bold: frozenset[tuple[int, int]] = frozenset(),
    strong: str = "{}",
) -> list[list[str]]:
    return [
        [strong.format(cell(text)) if (number, column) in bold else cell(text) for column, text in enumerate(row)]
        for number, row in enumerate(rows)
    ]


def _laid_out(table: Table, header: list[str], rows: list[list[str]], layout: Layout) -> list[str]:
    return str(tabulate(rows, header, layout, disable_numparse=True, colalign=table.sides)).split("\n")


def _latex_cell(text: str) -> str:
    # A hyphen is no minus sign.
    return f"${text}$" if _SIGNED.fullmatch(text) else escape.latex(text)


def _csv_value(value: object) -> object:
    return escape.csv_cell(value) if isinstance(value, str) and not _SIGNED.fullmatch(value) else value


def _pipes(rule: str) -> Layout:
    def row(cells: Sequence[str], widths: object, sides: object) -> str:
        return f"| {' | '.join(cell.strip() for cell in cells)} |"

    return _layout(row, below_header=f"| {rule} |")


def _ampersands(columns: str) -> Layout:
    def row(cells: Sequence[str], widths: object, sides: object) -> str:
        return f"{' & '.join(cell.strip() for cell in cells)} \\\\"

    return _layout(
        row,
        above=f"\\begin{{tabular}}{{{columns}}}\n\\toprule",
        below_header="\\midrule",
        below="\\bottomrule\n\\end{tabular}",
    )


def _layout(
    row: Callable[[Sequence[str], object, object], str], *, below_header: str, above: str = "", below: str = ""
) -> Layout:
    """Return a layout of tabulate's whose lines are these texts; cells are not padded."""

    def line(text: str) -> Callable[[object, object], str] | None:
        return (lambda widths, sides: text) if text else None

    return Layout(line(above), line(below_header), None, line(below), row, row, 0, None)
