"""The records that ship: sound, small, of the rows that the list names, and what the methods score once more."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ffbench.cli.boards.verify import _present_version
from ffbench.evaluation.shipping.rerun import run_row
from ffbench.evaluation.shipping.rows import PlannedRow, planned_rows, read_rows_list
from ffbench.evaluation.shipping.staleness import Shipped, shipped_records
from ffbench.paths import shipped_store
from ffbench.results.record.run_record import read_record
from ffbench.results.store.claims import differences
from ffbench.results.store.recompute import present_version
from ffbench.results.store.verification import verify_store

STORE = Path(__file__).parents[1] / "submissions"
MOST_BYTES = 12_000_000
_MACHINE_PATH = re.compile(r'[" (](/(?:root|home|Users|work|tmp|var|private)/|[A-Za-z]:\\\\)')


def is_of(one: Shipped, row: PlannedRow) -> bool:
    card, reading = one.record.protocol, row.reading
    return (
        (one.record.method.id, card.id) == (row.method, reading.protocol)
        and reading.variant in (None, card.variant)
        and {**{key: str(value) for key, value in card.options.items()}, **reading.options}
        == {key: str(value) for key, value in card.options.items()}
    )


def test_every_record_is_sound() -> None:
    found = verify_store(STORE, _present_version)
    assert found.records > 20
    assert found.faults == []
    # Among others, that a protocol is not installed and its numbers are not checked.
    assert found.remarks == []


def test_no_record_can_pass_for_one_of_a_later_version() -> None:
    for card in {one.record.protocol.model_dump_json(): one.record.protocol for one in shipped_records(STORE)}.values():
        assert present_version(card) == card.version
        assert present_version(card.model_copy(update={"version": "99.0"})) != "99.0"


def test_every_record_is_of_a_listed_row() -> None:
    rows = planned_rows(read_rows_list(STORE / "rows.toml"), later=True)
    for one in shipped_records(STORE):
        assert any(is_of(one, row) for row in rows), one.path


def test_a_clone_and_a_wheel_hold_them() -> None:
    assert shipped_store() == STORE
    files = [path for path in STORE.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= MOST_BYTES


def test_no_record_tells_of_the_machine_that_made_it() -> None:
    for path in STORE.rglob("*.json"):
        assert not _MACHINE_PATH.search(path.read_text("utf-8")), path
    # The control: what the pattern is to find.
    assert _MACHINE_PATH.search('"/root/.cache/ffbench/a.mov: frames 1"')


def test_speeds_are_of_one_thread() -> None:
    for one in shipped_records(STORE):
        assert (one.record.environment.threads, one.record.cost.clock) == (1, "cpu"), one.path


@pytest.mark.assets
def test_a_row_that_is_run_again_scores_the_same(tmp_path: Path) -> None:
    rows = planned_rows(read_rows_list(STORE / "rows.toml"), ["dis"], ["ck_landmarks"])
    (row,) = rows
    (shipped,) = [one for one in shipped_records(STORE) if is_of(one, row)]
    again = read_record(run_row(row, tmp_path))
    assert differences(shipped.record, again) == []
    assert again.dataset.manifest_sha256 == shipped.record.dataset.manifest_sha256
