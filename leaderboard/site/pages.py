"""The pages of the site: what each shows, from rows of records alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ffbench.errors import DataError
from ffbench.io.escape import plain
from ffbench.protocol import FlowPart
from ffbench.results.numbers import format_value
from ffbench.results.ranking.titles import disambiguate_titles
from ffbench.results.record.row import ORIGINS, Board, Row
from ffbench.results.record.run_record import RunRecord, read_record
from ffbench.results.report import table_text
from ffbench.results.report.leaderboard import BoardLine, BoardTable, latest_rows, leaderboard, rows_for_paper_table
from ffbench.results.report.leaderboard_formats import TIED, ranks_cell
from ffbench.results.report.paper_tables import NUMBERS, ReportedTable, measured_rows, reported_table

from .. import about
from ..boards.board_naming import board_names, in_reading_order, protocol_title
from ..boards.cost_points import COSTS, by_number, run_here, series_of
from ..boards.method_facts import facts_of
from ..boards.method_naming import method_key, rows_by_method
from ..boards.standings import Standing, main_boards, sections, standings
from ..thumbnails.reading import NOTE, WORDS, part_of_board, strip, strips
from . import svg
from .naming import board_page, method_page

_COST = COSTS["speed"]
_FILES = ("site.css",)


@dataclass(frozen=True)
class BoardView:
    """A board with its table, its name and the path of its page."""

    board: Board
    table: BoardTable
    name: str
    page: str

    @property
    def options(self) -> dict[str, Any]:
        """The protocol's options of this board."""
        options: dict[str, Any] = json.loads(self.board.options)
        return options


class Site:
    """All pages of the site.

    Args:
        rows: of all records.
    """

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = tuple(rows)
        self._usable = [row for row in rows if not row.not_rankable]
        self._by_path = {row.path: row for row in rows}
        self._methods = rows_by_method(self.rows)
        self._labels = {method_key(several[0]): label for label, several in self._methods.items()}
        self._environment = Environment(
            loader=PackageLoader(__package__), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
            lstrip_blocks=True, keep_trailing_newline=True,
        )  # fmt: skip
        self._environment.filters |= {"plain": plain, "value": _value, "ranks": ranks_cell}
        self._environment.globals |= {"TIED": TIED, "title_of": protocol_title}

    def files(self) -> dict[str, bytes]:
        """Return the content of every file by its path below the site's top, the same for the same records."""
        pages = {"index.html": self._overview(), **self._board_pages(), **self._method_pages(), **self._paper_pages()}
        found = {path: text.encode() for path, text in pages.items()}
        found |= {name: (Path(__file__).parent / name).read_bytes() for name in _FILES}
        shown = {file for row in self.rows for _, *files in strips(row) for file in files}
        found |= {_picture(file): file.read_bytes() for file in sorted(shown)}
        return {**found, "example.webp": about.example(), "example-still.png": about.example_still()}

    @cached_property
    def views(self) -> dict[Board, BoardView]:
        """Every board, real data first. Of two tables of one board that disagree on the metric, the fuller one."""
        tables: dict[Board, BoardTable] = {}
        for table in leaderboard(self._usable):
            known = tables.get(table.board)
            if known is None or len(table.lines) > len(known.lines):
                tables[table.board] = table
        names = {board: name for name, board in board_names(list(tables)).items()}
        return {
            board: BoardView(board, tables[board], names[board], board_page(board))
            for board in in_reading_order(list(tables))
        }

    def _render(self, template: str, page: str, **values: Any) -> str:
        above = "../" * page.count("/")
        pages = {"boards": self.views.values(), "origins": ORIGINS, "headings": about.HEADINGS}
        return self._environment.get_template(template).render(top=above, page=page, all=pages, **values)

    def _method_of(self, line: BoardLine) -> str | None:
        """Return the path of the page of a line's method; None for a number that is only printed."""
        row = self._by_path.get(line.record)
        return None if row is None else method_page(self._labels[method_key(row)], method_key(row))

    def _overview(self) -> str:
        found = []
        for section in sections([board for board in main_boards(self.rows) if board in self.views]):
            methods = standings([self.views[board].table for board in section.boards], self._usable)
            pages = {m.row.path: method_page(self._labels[method_key(m.row)], method_key(m.row)) for m in methods}
            heading = about.ROBUSTNESS if section.robustness else about.HEADINGS[section.origin]
            note = about.ROBUSTNESS_NOTE if section.robustness else ""
            found.append({"of": section, "heading": heading, "note": note, "methods": methods, "pages": pages})
        return self._render(
            "overview.html", "index.html", sections=found, views=self.views, questions=about.QUESTIONS,
            citation=about.BIBTEX, paper=about.PAPER, datasets=about.dataset_notes(), markdown=_inline,
            methods=len(self._labels), records=len(self._usable),
            newest=max((row.started for row in self._usable), default="")[:10],
        )  # fmt: skip

    def _board_pages(self) -> dict[str, str]:
        return {view.page: self._board(view) for view in self.views.values()}

    def _board(self, view: BoardView) -> str:
        table = view.table
        measured = [line for line in table.lines if line.measured is not None]
        ends = [v for line in measured for v in (line.measured, line.ci_low, line.ci_high) if v is not None]
        scale = svg.bar_axis(ends) if ends else None
        lines = [
            {
                "line": line,
                "row": self._by_path.get(line.record),
                "page": self._method_of(line),
                "bar": ""
                if scale is None or line.measured is None
                else svg.interval_bar(scale, line.measured, line.ci_low, line.ci_high),
                "picture": self._strip(line, part_of_board(view.board)),
            }
            for line in table.lines
        ]
        best = measured[0].measured if measured else None
        pictures = any(entry["picture"] for entry in lines)
        return self._render(
            "board.html", view.page, view=view, lines=lines, best=best, pictures=pictures,
            picture_words=WORDS, cost=self._cost(view),
        )  # fmt: skip

    def _strip(self, line: BoardLine, part: FlowPart) -> str | None:
        """Return the path of the pictures of a line's method below the site's top; None: there are none."""
        row = self._by_path.get(line.record)
        file = None if row is None else strip(row, part)
        return None if file is None else _picture(file)

    def _cost(self, view: BoardView) -> dict[str, Any] | None:
        rows = latest_rows(row for row in self._usable if row.board == view.board).values()
        ran = run_here(rows)
        series = series_of(ran, _COST)
        if not series:
            return None
        titles = disambiguate_titles(ran)
        return {
            "chart": svg.cost_chart(series, _COST, titles),
            "points": by_number(series),
            "titles": titles,
            "name": _COST.title,
            "several": len(series) > 1,
        }

    def _method_pages(self) -> dict[str, str]:
        pages = {}
        for label, rows in self._methods.items():
            page = method_page(label, method_key(rows[0]))
            pages[page] = self._method(label, rows, page)
        return pages

    def _method(self, label: str, rows: Sequence[Row], page: str) -> str:
        mine = {row.path for row in rows}
        newest = max(rows, key=lambda row: (row.started, row.path))
        scores = []
        for view in self.views.values():
            of = sum(line.position is not None for line in view.table.lines)
            mine_here = [line for line in view.table.lines if line.record in mine]
            scores += [(view, Standing(line, of), self._by_path[line.record]) for line in mine_here]
        left_out = [row for row in rows if row.not_rankable]
        card = json.loads(newest.identity)[1]
        return self._render(
            "method.html", page, label=label, row=newest, card=card, facts=facts_of(newest), scores=scores,
            left_out=left_out, note=NOTE,
            pictures=[(part, _picture(true), _picture(own)) for part, true, own in strips(newest)],
        )  # fmt: skip

    def _paper_pages(self) -> dict[str, str]:
        pages = {}
        for number in NUMBERS:
            table = reported_table(number)
            measured, _ = measured_rows(table, self._records(table))
            # Escaped by the one module that writes tables.
            blocks = Markup(table_text.as_html(table_text.compose(table, measured, synthetic=True)))
            page = f"paper/table{number}.html"
            pages[page] = self._render("paper.html", page, table=table, blocks=blocks, numbers=NUMBERS)
        return pages

    def _records(self, table: ReportedTable) -> list[RunRecord]:
        """Read the records that may stand in a table."""
        found = []
        for row in sorted(rows_for_paper_table(table, self.rows), key=lambda row: row.path):
            try:
                found.append(read_record(Path(row.path)))
            except DataError:
                continue  # gone since it was listed
        return found


def _picture(file: Path) -> str:
    return f"pictures/{file.name}"


def _value(value: float | None) -> str:
    return "–" if value is None else format_value(value)


def _inline(text: str) -> Markup:
    """Return words of ours with `code` and **bold** as HTML."""
    parts = Markup.escape(text).split("`")
    marked = "".join(f"<code>{part}</code>" if number % 2 else str(part) for number, part in enumerate(parts))
    bold = marked.split("**")
    return Markup("".join(f"<b>{part}</b>" if number % 2 else part for number, part in enumerate(bold)))
