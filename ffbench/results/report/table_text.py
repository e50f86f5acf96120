"""The paper's tables with measured rows: what stands in which line, for `ffbench.results.tables` to write."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from ffbench.io.escape import markdown
from ffbench.results import tables
from ffbench.results.report.paper_tables import MeasuredRow, ReportedRow, ReportedTable

Kind = Literal["paper", "measured", "difference"]


@dataclass(frozen=True)
class TableLine:
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
    lines: tuple[TableLine, ...]
    best: frozenset[tuple[int, int]]
    notes: tuple[str, ...]


def compose(table: ReportedTable, measured: Sequence[MeasuredRow], *, synthetic: bool) -> list[Block]:
    """Lay out a table: printed rows, each followed by what was measured of it on real data, then the other methods.

    Rows that were measured on synthetic data never stand beside these: they are a block of their own, or left out.
    """
    header = tuple(f"{column.name} [{column.unit}]" for column in table.columns)
    real = [row for row in measured if row.origin == "real"]
    lines: list[TableLine] = []
    best: set[tuple[int, int]] = set()
    for row in table.rows:
        best |= {(len(lines), column) for column in _best_columns(table, row)}
        lines.append(TableLine("paper", row.name, "", tuple(str(value) for value in row.values)))
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
    """Return plain text in columns."""
    return "\n".join(tables.as_text(_table(block, "method", "source")) for block in blocks)


def as_markdown(blocks: Sequence[Block]) -> str:
    """Return Markdown; the best printed numbers are bold."""
    return "\n".join(map(_markdown_block, blocks))


def as_latex(blocks: Sequence[Block]) -> str:
    """Return LaTeX tables that need the package booktabs; the best printed numbers are bold."""
    return "% needs \\usepackage{booktabs}\n" + "\n".join(tables.as_latex(_table(block)) for block in blocks)


def as_html(blocks: Sequence[Block]) -> str:
    """Return HTML tables; the best printed numbers are bold."""
    return "\n".join(tables.as_html(_table(block)) for block in blocks)


def as_csv(blocks: Sequence[Block]) -> str:
    """Return one CSV table with a header; `data` tells real from synthetic, `source` paper, measured and difference."""
    rows = [(block.origin, line.kind, line.name, line.variant, *line.cells) for block in blocks for line in block.lines]
    return tables.as_csv(["data", "source", "method", "variant", *blocks[0].header], rows)


FORMATS: Mapping[str, Callable[[Sequence[Block]], str]] = {
    "text": as_text,
    "md": as_markdown,
    "latex": as_latex,
    "html": as_html,
    "csv": as_csv,
}


def _best_columns(table: ReportedTable, row: ReportedRow) -> set[int]:
    found = set()
    for number, column in enumerate(table.columns):
        values = [other.values[number] for other in table.rows]
        if row.values[number] == (max(values) if column.higher_is_better else min(values)):
            found.add(number)
    return found


def _measured_line(table: ReportedTable, row: MeasuredRow) -> TableLine:
    cells = tuple(
        "" if score is None else f"{score.value:.{table.decimals(number)}f}" for number, score in enumerate(row.scores)
    )
    return TableLine("measured", row.label, row.variant, cells)


def _difference_line(table: ReportedTable, found: MeasuredRow, row: ReportedRow) -> TableLine:
    cells = []
    for number, (score, printed) in enumerate(zip(found.scores, row.values, strict=True)):
        decimals = table.decimals(number)
        cells.append("" if score is None else f"{Decimal(repr(score.value)) - printed:+.{decimals}f}")
    return TableLine("difference", found.label, found.variant, tuple(cells))


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


def _table(block: Block, method: str = "Method", source: str = "Source") -> tables.Table:
    return tables.Table(
        title=block.title,
        header=(method, source, *block.header),
        rows=tuple((line.name, line.source, *line.cells) for line in block.lines),
        text_columns=frozenset({0, 1}),
        notes=block.notes,
        bold=frozenset((line, column + 2) for line, column in block.best),
    )


def _markdown_block(block: Block) -> str:
    notes = [f"- {markdown(note)}" for note in block.notes]
    return "\n".join(
        [f"**{markdown(block.title)}**", "", tables.as_markdown(_table(block)), "", *notes, *([""] if notes else [])]
    )
