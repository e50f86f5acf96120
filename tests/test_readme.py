"""The tables of README and of the page of results are those of the records that ship."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import pytest

from ffbench.results.record.row import Row
from ffbench.results.store.records import read_rows
from tests.ci_scripts import load_script

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def readme() -> ModuleType:
    return load_script("readme")


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return [row for row in read_rows([ROOT / "submissions"]) if row.level == "verified"]


def test_tables_are_those_of_the_records(readme: ModuleType, rows: list[Row]) -> None:
    shown = set()
    for path in readme.PAGES:
        page = path.read_text("utf-8")
        shown |= set(re.findall(r"<!-- table (\S+) -->", page))
        assert page.count("<!-- table ") == page.count("<!-- end of table -->")
        assert readme.fill(page, rows) == page, f"{path.name}: run `make readme`"
    assert shown == {*readme.BOARDS, *readme.COMPARED}


def test_every_board_of_the_tables_has_records(readme: ModuleType, rows: list[Row]) -> None:
    for name in readme.BOARDS:
        assert "| 1 |" in readme.fill(f"<!-- table {name} -->\n<!-- end of table -->", rows), name


def test_another_number_is_another_page(readme: ModuleType, rows: list[Row]) -> None:
    block = readme.fill("<!-- table ck -->\n<!-- end of table -->", rows)
    changed = block.replace("| 1 |", "| 2 |", 1)
    assert changed != block
    assert readme.fill(changed, rows) == block


def test_nothing_outside_of_the_marks_is_touched(readme: ModuleType, rows: list[Row]) -> None:
    page = "before\n<!-- table ck -->\nold\n<!-- end of table -->\nafter | 1 |\n"
    filled = readme.fill(page, rows)
    assert filled.startswith("before\n<!-- table ck -->\n")
    assert filled.endswith("\n<!-- end of table -->\nafter | 1 |\n")
    assert "old" not in filled
    # A second time changes nothing.
    assert readme.fill(filled, rows) == filled


def test_without_records_a_table_says_so(readme: ModuleType) -> None:
    for name in (*readme.BOARDS, *readme.COMPARED):
        assert "yet.*" in readme.fill(f"<!-- table {name} -->\n<!-- end of table -->", [])
