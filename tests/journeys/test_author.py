"""Journey: an author has run records and wants a model card, the table of a paper and a page of the board.

The records are those that ship, so that nothing is run and no PyTorch is loaded.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from ffbench.paths import shipped_store
from tests.journeys.shell import Shell

pytestmark = pytest.mark.slow


def test_author(tmp_path: Path) -> None:
    ffbench = Shell(tmp_path)
    store = shipped_store()
    assert store is not None
    (record,) = (store / "verified" / "ck_landmarks").glob("dis-*.json")
    ffbench(f"ffbench card {record} --out mymodel")
    card = (tmp_path / "mymodel" / "README.md").read_text()
    assert "model-index" in card
    assert "synthetic" in card
    assert "README.md" in ffbench(f"ffbench card {record} --out mymodel", code=2).err  # it is not overwritten

    table = ffbench(f"ffbench leaderboard {store} -p ck_landmarks --format latex").out
    assert r"\toprule" in table
    assert "DIS" in table
    said = ffbench(f"ffbench compare dis zero -p ck_landmarks --runs {store}")
    assert "is better" in said.out
    assert ffbench.commands == 4
