"""The paper's tables with measured rows, as text, Markdown, LaTeX and CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from ffbench.escape import csv_cell, latex, markdown, plain
from ffbench.results.report.paper_tables import MeasuredRow, ReportedTable, Row

Kind = Literal["paper", "measured", "difference"]


@dataclass(frozen=True)
class Line:
    """One line: a printed row, a measured one, or measured minus printed."""

    kind: Kind
    name: str
    variant: str
    cells: tuple[str, ...]

    @property
    def source(self) -> str:
        """Where the numbers come from, in words."""
        return f"measured, {self.variant}" if self.kind == "measured" else self.kind


@dataclass(frozen=True)
class Block:
    """Lines that may be compared with one another; `best` holds (line, column) of the best printed numbers."""

    title: str
    origin: Literal["real", "synthetic"]
    header: tuple[str, ...]
    lines: tuple[Line, ...]
    best: frozenset[tuple[int, int]]
    notes: tuple[str, ...]


def compose(table: ReportedTable, measured: Sequence[MeasuredRow], *, synthetic: bool) -> list[Block]:
    """Lay out a table: printed rows, each followed by what was measured of it on real data, then the other methods.

    Rows that were measured on synthetic data never stand beside these: they are a block of their own, or left out.
    """
    header = tuple(f"{column.name} [{column.unit}]" for column in table.columns)
    real = [row for row in measured if row.origin == "real"]
    lines: list[Line] = []
    best: set[tuple[int, int]] = set()
    for row in table.rows:
        best |= {(len(lines), column) for column in _best_columns(table, row)}
        lines.append(Line("paper", row.name, "", tuple(str(value) for value in row.values)))
        for found in real:
            if found.row == row.name:
                lines += [_measured_line(table, found), _difference_line(table, found, row)]
    lines += [_measured_line(table, found) for found in real if found.row is None]
    blocks = [
        Block(f"Table {table.number}: {table.title} (section {table.section})", "real", header, tuple(lines),
              frozenset(best), (*_notes(table), *_other_pairs(table, real)))
    ]  # fmt: skip
    made = [row for row in measured if row.origin == "synthetic"]
    if made and synthetic:
        title = f"Table {table.number} on SYNTHETIC mini data: made by ffbench, not to be compared with the paper"
        made_lines = tuple(_measured_line(table, row) for row in made)
        blocks.append(Block(title, "synthetic", header, made_lines, frozenset(), ()))
    return blocks


def as_text(blocks: Sequence[Block]) -> str:
    """Give plain text in columns."""
    return _join(blocks, _text_block)


def as_markdown(blocks: Sequence[Block]) -> str:
    """Give Markdown; the best printed numbers are bold."""
    return _join(blocks, _markdown_block)


def as_latex(blocks: Sequence[Block]) -> str:
    """Give LaTeX tables that need the package booktabs; the best printed numbers are bold."""
    return "% needs \\usepackage{booktabs}\n" + _join(blocks, _latex_block)


def as_csv(blocks: Sequence[Block]) -> str:
    """Give one CSV table with a header; `data` tells real from synthetic, `source` paper, measured and difference."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["data", "source", "method", "variant", *map(csv_cell, blocks[0].header)])
    for block in blocks:
        for line in block.lines:
            writer.writerow([block.origin, line.kind, csv_cell(line.name), csv_cell(line.variant), *line.cells])
    return out.getvalue()


FORMATS: Mapping[str, Callable[[Sequence[Block]], str]] = {
    "text": as_text,
    "md": as_markdown,
    "latex": as_latex,
    "csv": as_csv,
}


def _best_columns(table: ReportedTable, row: Row) -> set[int]:
    found = set()
    for number, column in enumerate(table.columns):
        values = [other.values[number] for other in table.rows]
        if row.values[number] == (max(values) if column.higher_is_better else min(values)):
            found.add(number)
    return found


def _measured_line(table: ReportedTable, row: MeasuredRow) -> Line:
    cells = tuple(
        "" if score is None else f"{score.value:.{table.decimals(number)}f}" for number, score in enumerate(row.scores)
    )
    return Line("measured", row.label, row.variant, cells)


def _difference_line(table: ReportedTable, found: MeasuredRow, row: Row) -> Line:
    cells = []
    for number, (score, printed) in enumerate(zip(found.scores, row.values, strict=True)):
        decimals = table.decimals(number)
        cells.append("" if score is None else f"{Decimal(repr(score.value)) - printed:+.{decimals}f}")
    return Line("difference", found.label, found.variant, tuple(cells))


def _notes(table: ReportedTable) -> list[str]:
    return [f"{row.name}: {row.note}" for row in table.rows if row.note]


def _other_pairs(table: ReportedTable, rows: Sequence[MeasuredRow]) -> list[str]:
    notes: dict[str, None] = {}
    for row in rows:
        for column, score in zip(table.columns, row.scores, strict=True):
            if score is not None and column.pairs not in (None, score.pairs):
                notes[f"{column.name}: {row.label} was measured on {score.pairs:,} pairs, the paper's methods on "
                      f"{column.pairs:,}"] = None  # fmt: skip
    return list(notes)


def _join(blocks: Sequence[Block], render: Callable[[Block], str]) -> str:
    return "\n".join(render(block) for block in blocks)


def _rows(block: Block) -> list[tuple[str, ...]]:
    return [(line.name, line.source, *line.cells) for line in block.lines]


def _text_block(block: Block) -> str:
    rows = [tuple(map(plain, row)) for row in (("method", "source", *block.header), *_rows(block))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [cell.ljust(width) if column < 2 else cell.rjust(width)
                 for column, (cell, width) in enumerate(zip(row, widths, strict=True))]  # fmt: skip
        lines.append("  ".join(cells).rstrip())
    lines.insert(1, "-" * (sum(widths) + 2 * (len(widths) - 1)))
    return "\n".join([plain(block.title), "", *lines, *map(plain, block.notes), ""])


def _markdown_block(block: Block) -> str:
    rows = []
    for number, row in enumerate(_rows(block)):
        values = [f"**{value}**" if (number, column) in block.best else value for column, value in enumerate(row[2:])]
        rows.append("| " + " | ".join([markdown(row[0]), markdown(row[1]), *values]) + " |")
    header = "| " + " | ".join(["Method", "Source", *map(markdown, block.header)]) + " |"
    rule = "| --- | --- |" + " ---: |" * len(block.header)
    notes = [f"- {markdown(note)}" for note in block.notes]
    return "\n".join([f"**{markdown(block.title)}**", "", header, rule, *rows, "", *notes, *([""] if notes else [])])


def _latex_block(block: Block) -> str:
    rows = []
    for number, row in enumerate(_rows(block)):
        values = [_latex_number(value, (number, column) in block.best) for column, value in enumerate(row[2:])]
        rows.append(" & ".join([latex(row[0]), latex(row[1]), *values]) + r" \\")
    caption = ". ".join(map(latex, [block.title, *block.notes]))
    return "\n".join(
        [
            r"\begin{table}",
            rf"\caption{{{caption}}}",
            rf"\begin{{tabular}}{{ll{'r' * len(block.header)}}}",
            r"\toprule",
            " & ".join(["Method", "Source", *map(latex, block.header)]) + r" \\",
            r"\midrule",
            *rows,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def _latex_number(value: str, best: bool) -> str:
    if best:
        return f"\\textbf{{{value}}}"
    return f"${value}$" if value.startswith(("+", "-")) else value
