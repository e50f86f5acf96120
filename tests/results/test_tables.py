"""One table in every format: the same cells, and nothing in them that a format would take for its own."""

from __future__ import annotations

import csv
import html
import io
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffbench.io.escape import plain
from ffbench.results import tables
from ffbench.results.tables import Table

EVIL = "<script>x</script> | \\input{a} & 50% =1+1 $x$ _u_"
TABLE = Table(
    title="Errors & all",
    header=("method", "epe [px]", "change"),
    rows=(("net_1", "0.123", "-0.1"), (EVIL, "10.5", "")),
    text_columns=frozenset({0}),
    notes=("a note",),
    bold=frozenset({(0, 1)}),
)


class _Cells(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.cells: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_data(self, data: str) -> None:
        if self.cells:
            self.cells[-1] += data


def test_text() -> None:
    lines = tables.as_text(TABLE).splitlines()
    assert lines[:2] == ["Errors & all", ""]
    assert lines[2].split() == ["method", "epe", "[px]", "change"]
    assert set(lines[3]) == {"-"}
    assert {len(lines[number]) for number in (2, 3, 4)} == {len(lines[3])}
    assert lines[4].startswith("net_1 ")
    assert lines[4].endswith("    -0.1")
    assert lines[-1] == "a note"


def test_markdown_has_one_cell_a_cell() -> None:
    lines = tables.as_markdown(TABLE).splitlines()
    assert lines[1] == "| --- | ---: | ---: |"
    assert lines[2] == r"| net\_1 | **0.123** | -0.1 |"
    assert [len(re.findall(r"(?<!\\)\|", line)) for line in lines] == [4] * 4


def test_latex_is_booktabs_and_no_command_of_a_cell_is_one() -> None:
    latex = tables.as_latex(TABLE)
    for part in (
        r"\caption{Errors \& all. a note}",
        "\\begin{tabular}{lrr}\n\\toprule\nmethod & epe [px] & change \\\\\n\\midrule\n",
        r"net\_1 & \textbf{0.123} & $-0.1$ \\",
        "\\bottomrule\n\\end{tabular}\n\\end{table}\n",
    ):
        assert part in latex
    assert "\\input" not in latex
    assert "hline" not in latex


def test_html() -> None:
    page = tables.as_html(TABLE)
    found = _Cells()
    found.feed(page)
    assert "script" not in found.tags
    assert found.tags.count("tr") == 3
    assert [cell.strip() for cell in found.cells[3:6]] == ["net_1", "0.123", "-0.1"]
    assert plain(EVIL) in html.unescape(page)
    assert "<caption>Errors &amp; all</caption>" in page


def test_csv_keeps_numbers_and_tames_formulas() -> None:
    text = tables.as_csv(["a", "=b", "n"], [["=1+1", -0.1, None], ["-0.25", 3, True], ["-x", 1e-300, 7]])
    assert list(csv.reader(io.StringIO(text))) == [
        ["a", "'=b", "n"],
        ["'=1+1", "-0.1", ""],
        ["-0.25", "3", "True"],
        ["'-x", "1e-300", "7"],
    ]


@pytest.mark.parametrize("write", [tables.as_text, tables.as_markdown, tables.as_latex, tables.as_html])
def test_a_table_of_no_rows(write) -> None:  # type: ignore[no-untyped-def]
    assert "change" in write(Table("t", TABLE.header, (), frozenset({0})))


@given(st.lists(st.tuples(st.text(max_size=12), st.text(max_size=12)), min_size=1, max_size=4))
def test_cells_stay_in_their_line_and_column(rows: list[tuple[str, str]]) -> None:
    table = Table("t", ("a", "b"), tuple(rows), frozenset({0}))
    markdown = tables.as_markdown(table).split("\n")
    assert [len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) for line in markdown] == [3] * (len(rows) + 2)
    text = tables.as_text(table).split("\n")
    assert len(text) == len(rows) + 5
    latex = tables.as_latex(table).split("\n")
    assert len(latex) == len(rows) + 10
    assert [len(re.findall(r"(?<!\\)&", line)) for line in latex[6:-4]] == [1] * len(rows)
    read = list(csv.reader(io.StringIO(tables.as_csv(["a", "b"], rows))))
    assert [len(row) for row in read] == [2] * (len(rows) + 1)
    found = _Cells()
    found.feed(tables.as_html(table))
    assert found.tags.count("td") == 2 * len(rows)
