"""The list of rows that ship: read strictly, and turned into rows in the order in which they run."""

from __future__ import annotations

from pathlib import Path

import pytest

from ffbench.errors import DataError, UsageError
from ffbench.evaluation.shipping.rows import planned_rows, read_rows_list

LIST = """
methods = ["cheap", "own", "dear"]

[[readings]]
protocol = "clips"
without = { own = "its network made the reference" }
later = { dear = "half an hour" }

[[readings]]
protocol = "casme2_5"
variant = "official"
options = { flow = "expression" }
"""


def listed(tmp_path: Path, text: str = LIST) -> Path:
    path = tmp_path / "rows.toml"
    path.write_text(text)
    return path


def test_all_readings_of_a_method_come_before_the_next_method(tmp_path: Path) -> None:
    wanted = read_rows_list(listed(tmp_path))
    assert [row.title for row in planned_rows(wanted)] == [
        "cheap on clips",
        "cheap on casme2_5 (official, flow=expression)",
        "own on casme2_5 (official, flow=expression)",
        "dear on casme2_5 (official, flow=expression)",
    ]


def test_later_rows_run_when_asked_for_and_say_why(tmp_path: Path) -> None:
    wanted = read_rows_list(listed(tmp_path))
    rows = planned_rows(wanted, ["dear"], ["clips"], later=True)
    assert [(row.title, row.later) for row in rows] == [("dear on clips", "half an hour")]
    assert planned_rows(wanted, ["dear"], ["clips"]) == []
    # What cannot be measured is no row, whoever asks.
    assert planned_rows(wanted, ["own"], ["clips"], later=True) == []


@pytest.mark.parametrize(("methods", "protocols"), [(["chaep"], []), ([], ["clip"])])
def test_a_name_that_is_not_listed_is_refused(tmp_path: Path, methods: list[str], protocols: list[str]) -> None:
    with pytest.raises(UsageError, match="is not in the list of rows; it has c"):
        planned_rows(read_rows_list(listed(tmp_path)), methods, protocols)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("own = ", "onw = ", "names 'onw', which is not among the methods"),
        ("dear = ", "deer = ", "names 'deer', which is not among the methods"),
        ('"own", ', '"own", "own", ', "the method 'own' is there twice"),
        ("without", "witout", "readings.0.witout: Extra inputs are not permitted"),
        ('methods = ["cheap", "own", "dear"]', "methods = []", "methods: "),
        ("[[readings]]", "[readings", "is not TOML"),
        (LIST, f"{LIST}[[readings]]\nprotocol = 'clips'\n", "the reading 'clips' is there twice"),
    ],
)
def test_a_list_that_is_none_is_refused_in_one_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(DataError, match=r"rows\.toml: is no") as failure:
        read_rows_list(listed(tmp_path, LIST.replace(old, new)))
    assert said in str(failure.value)
    assert "\n" not in str(failure.value)


def test_a_missing_list_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none.toml: cannot be read \(No such file or directory\)"):
        read_rows_list(tmp_path / "none.toml")
