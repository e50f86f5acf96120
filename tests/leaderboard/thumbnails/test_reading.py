"""Pictures are shown of the method that they were made of, small, and of no other."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path

import pytest

from ffbench.leaderboard.thumbnails import reading
from ffbench.leaderboard.thumbnails.making import METHODS
from ffbench.leaderboard.thumbnails.reading import (
    FOLDER,
    REFERENCE,
    Index,
    address,
    card_sha256,
    part_of_board,
    picture,
    strip,
)
from ffbench.results.record.row import Row
from ffbench.results.store.records import read_rows
from tests.results.made_runs import make_run


@pytest.fixture
def row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Row:
    """A row of a method that has pictures of its card as it is."""
    make_run(tmp_path / "runs", "zero", [1.0] * 6)
    found = replace(read_rows([tmp_path / "runs"])[0], method="zero")
    index = Index(manifest_sha256="0" * 64, pairs=("a",), methods={"zero": card_sha256(found.identity)})
    monkeypatch.setattr(reading, "_index", lambda: index)
    return found


def test_a_changed_method_and_a_submission_have_no_pictures(row: Row) -> None:
    file = strip(row, "facial")
    assert file == FOLDER / "zero-facial.webp"
    assert base64.b64decode(address(file).removeprefix("data:image/webp;base64,")) == file.read_bytes()
    kind, card = json.loads(row.identity)
    changed = json.dumps([kind, {**card, "iterations": 99}])
    assert strip(replace(row, identity=changed), "facial") is None
    assert strip(replace(row, kind="submitted"), "facial") is None
    assert strip(replace(row, method="../../zero"), "facial") is None


@pytest.mark.parametrize(
    ("protocol", "options", "part"),
    [
        ("ffn_head", "{}", "head"),
        ("ffn_expression", "{}", "expression"),
        ("clip_landmarks", "{}", "facial"),
        ("casme2_5", '{"flow": "expression"}', "expression"),
        ("made_up", '{"flow": "<b>"}', "facial"),
    ],
)
def test_a_board_shows_the_part_that_it_ranks_by(protocol: str, options: str, part: str, row: Row) -> None:
    assert part_of_board(replace(row.board, protocol=protocol, options=options)) == part


def test_all_that_is_listed_ships_and_is_small() -> None:
    index = reading.read_index()
    assert index is not None
    assert set(index.methods) == set(METHODS)
    assert len(index.pairs) == 3
    for name in (*index.methods, REFERENCE):
        for part in ("facial", "head", "expression"):
            assert picture(name, part) is not None, name  # type: ignore[arg-type]
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) < 2**20
