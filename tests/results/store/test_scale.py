"""Large stores cost what is new in them: what the measurements of tests/benchmarks/test_scale.py rest on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ffbench.results.record.run_record import RunRecord, read_record
from ffbench.results.store import index, records, verification
from ffbench.results.store.records import add_record, read_rows
from ffbench.results.store.together import Stored
from ffbench.results.store.verification import verify_store
from tests.results.made_runs import make_run
from tests.results.many_records import make_store

RECORDS, BOARDS = 120, 6


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FFBENCH_CACHE", str(tmp_path / "cache"))
    return make_store(tmp_path / "store", RECORDS, BOARDS)


def test_one_more_record_is_one_more_that_is_read(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = []

    def counted(path: Path) -> RunRecord:
        read.append(path)
        return read_record(path)

    monkeypatch.setattr(records, "read_record", counted)
    rows = read_rows([store])
    assert (len(rows), len(read)) == (RECORDS, RECORDS)
    assert read_rows([store]) == rows
    assert len(read) == RECORDS
    add_record(store, make_run(tmp_path, "new", [1.0, 2.0]), "verified")
    read.clear()
    assert len(read_rows([store])) == RECORDS + 1
    assert [path.name.partition("-")[0] for path in read] == ["new"]
    (written,) = (tmp_path / "cache" / "stores").iterdir()
    assert written.stat().st_size < 400 * RECORDS


def test_rows_of_one_method_share_their_texts(store: Path) -> None:
    read_rows([store])
    index._read_file.cache_clear()
    rows = [row for row in read_rows([store]) if row.method == "m0003"]
    assert len(rows) == BOARDS
    for name in ("identity", "title", "table_sha256", "device"):
        assert len({id(getattr(row, name)) for row in rows}) == 1
    assert len({id(row.board) for row in read_rows([store])}) == BOARDS


def test_a_large_store_is_sound_and_keeps_the_pairs_of_a_board_once(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[Stored] = []

    def seen(found: list[Stored]) -> Any:
        kept.extend(found)
        return [], []

    monkeypatch.setattr(verification, "check_together", seen)
    found = verify_store(store, {"stripes": "1.0"})
    assert (found.records, found.faults) == (RECORDS, [])
    assert len(kept) == RECORDS
    assert len({id(one.facts) for one in kept}) == BOARDS
