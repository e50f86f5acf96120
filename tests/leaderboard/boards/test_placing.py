"""Where a new number would stand, and whose files somebody sent by mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from ffbench.leaderboard.boards.placing import meant_protocol, ordinal, stand
from ffbench.results.ranking.order import in_order
from ffbench.results.report.leaderboard import leaderboard
from ffbench.results.store.records import read_rows
from tests.results.made_runs import make_run

VALUES = {"alpha": 1.0, "beta": 2.0, "gamma": 3.0}


@pytest.mark.parametrize(
    ("value", "position", "above", "below"),
    [(0.5, 1, None, "Alpha"), (2.0, 3, "Beta", "Gamma"), (2.5, 3, "Beta", "Gamma"), (9.0, 4, "Gamma", None)],
)
def test_a_value_stands_behind_those_that_are_as_good(
    value: float, position: int, above: str | None, below: str | None, tmp_path: Path
) -> None:
    for name, each in VALUES.items():
        make_run(tmp_path / "runs", name, [each] * 6)
    (table,) = leaderboard(read_rows([tmp_path / "runs"]), in_order)
    found = stand(table, value)
    assert (found.position, found.of, found.above, found.below) == (position, 4, above, below)


def test_places_in_words() -> None:
    assert [ordinal(n) for n in (1, 2, 3, 5, 11, 22)] == ["1st", "2nd", "3rd", "5th", "11th", "22nd"]


def test_files_are_known_by_the_names_of_pairs(tmp_path: Path) -> None:
    make_run(tmp_path / "runs", "alpha", [1.0] * 6)
    rows = read_rows([tmp_path / "runs"])
    names = [f"some/folder/facial/0000{n}.flo" for n in range(4)]
    assert meant_protocol(names, rows) == rows[0].board.protocol
    assert meant_protocol([*names[:1], "facial/a.flo", "facial/b.flo"], rows) is None
    assert meant_protocol([], rows) is None
