"""What makes a record verified: a folder of the store and being scored again, and nothing else."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from ffbench.results.report.leaderboard import leaderboard
from ffbench.results.store import records as store_module
from ffbench.results.store.records import read_rows
from tests.attacks.forging import STORE, edited, forge, honest, publish, record_of, scaled, verify
from tests.submissions.toys import Speckle
from tests.toys import Stripes


def levels(*places: Path) -> set[str]:
    return {row.level for row in read_rows(places, [])}


def test_a_verified_record_that_scoring_again_does_not_bear_out() -> None:
    """All numbers follow from the table, which has the right pairs, and all errors are a tenth of what they are."""
    path = publish(forge(honest(), "speckle", lambda scores: [scaled(s, 0.1) for s in scores]), "verified")
    assert verify(data=True).faults == []  # control: only scoring again finds it
    (fault,) = verify(data=True, rescore=True).faults
    assert f"{path}: verified " in fault
    assert "scored again here" in fault
    shutil.rmtree(STORE)
    publish(honest(), "verified")
    assert len(verify(rescore=True).confirmed) == 1


def test_what_cannot_be_scored_again_is_said() -> None:
    publish(forge(honest(), "unknown"), "verified")
    found = verify(rescore=True)
    assert found.confirmed == []
    assert any("verified, cannot be scored again here: unknown method" in remark for remark in found.remarks)


def test_a_sample_is_not_known_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """A forged record among many is drawn in time: which are drawn does not follow from a seed."""
    from ffbench.results.store.verification import verify_store
    from ffbench.submissions.rescoring import Rescorer

    paths = [publish(forge(honest(), f"m{k}", fingerprint=str(k)), "verified") for k in range(4)]
    drawn: set[str] = set()
    monkeypatch.setattr(Rescorer, "rescore", lambda self, record: (record, drawn.add(record.method.id) or Path("run")))
    for _ in range(60):
        found = verify_store(STORE, {"stripes": "1.0"}, Rescorer().rescore, sample=1)
        assert "3 of 4 records were not drawn to be scored again" in found.remarks
    assert len(drawn) == len(paths)


def test_a_loose_record_and_a_folder_of_runs_are_local() -> None:
    """Used to be shown as verified, with a rank, as soon as the file was named."""
    path = honest()
    assert levels(path) == levels(Path("runs")) == {"local"}
    (table,) = leaderboard(read_rows(["runs"]))
    (line,) = table.lines
    assert (line.verified, line.position) == (None, 1)
    assert line.local == record_of(path).primary.value
    stored = publish(path, "verified")
    assert levels(STORE) == {"verified"}  # control
    assert levels(stored) == {"local"}
    assert levels(STORE / "verified") == set()
    named = Path("runs/verified/stripes/speckle")
    shutil.copytree(path.parent, named)
    problems: list[str] = []
    assert read_rows(["runs"], problems) == []  # a folder of that name in a folder of runs is no way in
    assert "was changed or renamed" in problems[0]


def test_levels_and_records_are_never_links() -> None:
    """A link shows as verified what lies elsewhere, and may change after it was reviewed."""
    path = publish(honest(), "verified")
    outside = Path("outside")
    shutil.move(STORE / "verified", outside)
    os.symlink(outside.resolve(), STORE / "verified")
    assert read_rows([STORE], []) == []
    assert any("is a link; the levels of a store are folders" in fault for fault in verify().faults)
    (STORE / "verified").unlink()
    shutil.copytree(outside, STORE / "verified")
    assert levels(STORE) == {"verified"}  # control: the same files as files
    for target in (path, path.with_suffix(".parquet")):
        shutil.move(target, outside / target.name)
        os.symlink((outside / target.name).resolve(), target)
        faults = verify().faults
        assert any(f"{target}: neither a record nor a table" in fault for fault in faults)
        shutil.move(outside / target.name, target)
    folder = STORE / "verified" / "stripes"
    shutil.move(folder, outside / "moved")
    os.symlink((outside / "moved").resolve(), folder)
    assert read_rows([STORE], []) == []
    assert any(f"{folder}: neither a record" in fault for fault in verify().faults)


def test_an_edited_record_is_not_shown_before_anybody_verifies(monkeypatch: pytest.MonkeyPatch) -> None:
    """The board used to show what it was given; only `verify` looked at the name."""
    path = publish(honest(), "verified")
    record = record_of(path)
    edited(path, method=record.method.model_copy(update={"title": "Mine"}))
    problems: list[str] = []
    assert read_rows([STORE], problems) == []
    assert "was changed or renamed" in problems[0]
    monkeypatch.setattr(store_module, "check_name", lambda path, record: None)
    assert [row.title for row in read_rows([STORE])] == ["Mine"]


def test_an_edited_record_with_its_size_and_time_kept_is_seen() -> None:
    """The index of a store used to go by size and time of change, which anybody can set back."""
    path = publish(honest(), "verified")
    assert [row.title for row in read_rows([STORE])] == ["Speckle"]
    status, text = path.stat(), path.read_text()
    path.write_text(text.replace('"title": "Speckle"', '"title": "Spectre"'))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    after = path.stat()
    assert (after.st_size, after.st_mtime_ns) == (status.st_size, status.st_mtime_ns)  # control: all as it was
    problems: list[str] = []
    assert read_rows([STORE], problems) == []
    assert "was changed or renamed" in problems[0]


def test_a_record_in_a_deeper_folder_is_a_fault() -> None:
    path = publish(honest(), "verified")
    deeper = STORE / "verified" / "more" / "stripes"
    deeper.mkdir(parents=True)
    for file in (path, path.with_suffix(".parquet")):
        shutil.move(file, deeper / file.name)
    assert any("lies deeper than records do" in fault for fault in verify().faults)


def test_toys_are_what_the_tests_take_them_for() -> None:
    assert Speckle().card.id == "speckle"
    assert Stripes.fixed_weights
