"""The store: nothing is lost, nothing is changed, and what is wrong is found."""

from __future__ import annotations

import io
import json
import multiprocessing
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ffbench.errors import DataError
from ffbench.method import MethodCard, WeightsCard
from ffbench.results.record.run_record import Submission, read_record, write_record
from ffbench.results.store.records import add_record, read_rows
from ffbench.results.store.verification import Verification, verify_store
from tests.commands import run_command
from tests.results.made_runs import make_run

WRITERS, EACH = 16, 6


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FFBENCH_CACHE", str(tmp_path / "cache"))


def stored(tmp_path: Path, name: str = "alpha", level: str = "verified", **changes: object) -> Path:
    changes = {"fingerprint": name + level, **changes}
    run = make_run(tmp_path / "runs" / level, name, [1.0, 2.0, 4.0], **changes)  # type: ignore[arg-type]
    return add_record(tmp_path / "store", run, level)  # type: ignore[arg-type]


def verify(tmp_path: Path, version: str = "1.0") -> Verification:
    return verify_store(tmp_path / "store", {"stripes": version})


def submission(sha256: str = "0" * 64, claimed: float | None = None) -> Submission:
    return Submission(name="Net", files=3, sha256=sha256, claimed=claimed)


def test_added_record_is_the_record(tmp_path: Path) -> None:
    path = stored(tmp_path)
    assert path.parent == tmp_path / "store" / "verified" / "stripes"
    assert path.name.startswith("alpha-")
    assert read_record(path) == read_record(tmp_path / "runs" / "verified" / "alpha" / "record.json")
    assert path.with_suffix(".parquet").exists()
    before = path.stat().st_mtime_ns
    assert stored(tmp_path) == path
    assert path.stat().st_mtime_ns == before
    assert verify(tmp_path) == Verification(records=1)


def test_record_without_its_own_table_is_not_added(tmp_path: Path) -> None:
    run = make_run(tmp_path, "a", [1.0])
    run.with_name("pairs.parquet").write_bytes(b"other")
    with pytest.raises(DataError, match="not the table that"):
        add_record(tmp_path / "store", run, "claimed")
    run.with_name("pairs.parquet").unlink()
    with pytest.raises(DataError, match="No such file"):
        add_record(tmp_path / "store", run, "claimed")
    assert not (tmp_path / "store").exists()


def _add(arguments: tuple[str, list[str]]) -> None:
    for path in arguments[1]:
        add_record(arguments[0], Path(path), "claimed")


def test_sixteen_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    """Each adds records of its own, and all add one and the same, while the store is read."""
    shared = make_run(tmp_path / "shared", "same", [1.0, 2.0])
    tasks = []
    for writer in range(WRITERS):
        runs = [make_run(tmp_path / str(writer), f"m{writer}-{k}", [1.0, float(k)]) for k in range(EACH)]
        tasks.append((str(tmp_path / "store"), [str(path) for path in (*runs, shared)]))
    # Forked from a process without threads: this one has some, and its forks may hang.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    with context.Pool(WRITERS) as pool:
        result = pool.map_async(_add, tasks, chunksize=1)
        while not result.ready():
            if (tmp_path / "store" / "claimed").is_dir():
                read_rows([tmp_path / "store"])  # raises if half a record is ever seen
        result.get()
    assert len(read_rows([tmp_path / "store"])) == WRITERS * EACH + 1
    assert not [path for path in (tmp_path / "store").rglob("*") if path.name.startswith(".")]
    assert not [fault for fault in verify(tmp_path).faults if "twice" not in fault]


def test_index_is_rebuilt_from_files_and_never_the_truth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = stored(tmp_path)
    rows = read_rows([tmp_path / "store"])
    with monkeypatch.context() as patch:
        patch.setattr("ffbench.results.store.records.read_record", None)
        assert read_rows([tmp_path / "store"]) == rows
    second = stored(tmp_path, "beta")
    assert [row.method for row in read_rows([tmp_path / "store"])] == ["alpha", "beta"]
    first.unlink()
    assert [row.path for row in read_rows([tmp_path / "store"])] == [str(second)]
    (index,) = (tmp_path / "cache" / "stores").iterdir()
    whole = index.read_bytes()
    other = io.BytesIO()
    pq.write_table(pa.table({"path": ["x"]}), other)
    for damage in (b"", b"[]", whole[:-3], whole.replace(b"alpha", b"\xff" * 5), other.getvalue()):
        index.write_bytes(damage)
        assert [row.path for row in read_rows([tmp_path / "store"])] == [str(second)]


def test_a_record_whose_numbers_no_column_holds_is_read_as_the_others(tmp_path: Path) -> None:
    stored(tmp_path, "alpha")
    huge = MethodCard(id="huge", title="Huge", parameters=10**30)
    add_record(tmp_path / "store", make_run(tmp_path / "runs", "huge", [1.0, 2.0], method=huge), "verified")
    for _ in range(2):
        assert [row.parameters for row in read_rows([tmp_path / "store"])] == [None, 10**30]


def test_unreadable_record_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    path = stored(tmp_path)
    bad = path.with_name("bad.json")
    bad.write_text("{}")
    problems: list[str] = []
    assert len(read_rows([tmp_path / "store"], problems)) == 1
    assert len(problems) == 1
    assert str(bad) in problems[0]
    with pytest.raises(DataError, match="bad"):
        read_rows([tmp_path / "store"])
    with pytest.raises(DataError, match="no such record, store or folder"):
        read_rows([tmp_path / "nowhere"])


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_every_edit_of_a_record_is_found(tmp_path: Path) -> None:
    path = stored(tmp_path)
    good = path.read_bytes()
    edit(path, '"value": 2.33', '"value": 1.33')
    assert "was changed or renamed" in verify(tmp_path).faults[0]
    path.write_text(json.dumps(json.loads(good)))
    assert "is not written as ffbench writes records" in verify(tmp_path).faults[0]
    path.write_bytes(good[:-20])
    assert "not a run record" in verify(tmp_path).faults[0]
    path.write_bytes(good)
    assert verify(tmp_path).faults == []
    path.rename(path.with_name("better.json"))
    assert any("was changed or renamed" in fault for fault in verify(tmp_path).faults)


def test_value_that_its_own_scores_or_pairs_do_not_bear_out(tmp_path: Path) -> None:
    run = make_run(tmp_path / "runs", "a", [1.0, 2.0])
    record = read_record(run)
    better = record.primary.model_copy(update={"value": 0.1})
    write_record(run, record.model_copy(update={"primary": better}))
    add_record(tmp_path / "store", run, "claimed")
    assert "its primary value is 0.1, its scores say 1.5" in verify(tmp_path).faults[0]
    scores = tuple(score.model_copy(update={"value": 0.1}) for score in record.scores)
    write_record(run, record.model_copy(update={"primary": better, "scores": scores}))
    path = add_record(tmp_path / "other" / "store", run, "claimed")
    assert "not the mean over its pairs (1.5)" in verify(tmp_path / "other").faults[0]
    path.with_suffix(".parquet").unlink()
    assert "is missing" in verify(tmp_path / "other").faults[0]


def test_stray_files_and_tables_are_found(tmp_path: Path) -> None:
    path = stored(tmp_path)
    (path.parent / "notes.txt").write_text("x")
    (path.parent / "lonely.parquet").write_bytes(b"x")
    found = verify(tmp_path)
    assert len(found.faults) == 1
    assert "a store holds nothing else" in found.faults[0]
    # What a killed `publish` leaves does no harm.
    assert any("without its record" in remark for remark in found.remarks)
    with pytest.raises(DataError, match="is no store"):
        verify_store(tmp_path, {})


def test_not_rankable_and_repeated_records_are_faults(tmp_path: Path) -> None:
    weights = WeightsCard(name="random", source="random", random=True)
    stored(tmp_path, "noise", method=MethodCard(id="noise", title="Noise", weights=weights))
    assert "not for ranking (random weights)" in verify(tmp_path).faults[0]
    stored(tmp_path, "one", fingerprint="f")
    stored(tmp_path, "two", fingerprint="f")
    assert any("twice in the store" in fault for fault in verify(tmp_path).faults)


def test_protocol_versions_and_claims_are_remarked(tmp_path: Path) -> None:
    assert stored(tmp_path, "old")
    assert "the present version is 1.1" in verify(tmp_path, "1.1").remarks[0]
    assert "is not installed" in verify_store(tmp_path / "store", {}).remarks[0]
    stored(tmp_path, "net", "claimed", kind="submitted", submission=submission(claimed=2.0))
    remarks = verify(tmp_path).remarks
    assert any("claims 2, its predictions score 2.33333" in remark for remark in remarks)
    assert any("not yet scored here" in remark for remark in remarks)
    stored(tmp_path, "net", "verified", kind="submitted", submission=submission())
    assert not any("not yet scored here" in remark for remark in verify(tmp_path).remarks)
    run = make_run(tmp_path / "liar", "net", [1.0, 1.0, 1.0], kind="submitted", submission=submission())
    add_record(tmp_path / "store", run, "claimed")
    assert any("claims 1, better than 2.33333" in fault for fault in verify(tmp_path).faults)
    run = make_run(tmp_path / "modest", "net", [1.0, 3.0, 4.0], kind="submitted", submission=submission())
    add_record(tmp_path / "store", run, "claimed")
    assert any("claimed 2.66667, scored here 2.33333" in remark for remark in verify(tmp_path).remarks)


def test_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    store = tmp_path / "store"
    run = make_run(tmp_path / "runs", "alpha", [1.0, 2.0])
    assert run_command(monkeypatch, "publish", run.parent, "--store", store) == 0
    path = Path(capsys.readouterr().out.strip())
    assert path.parent == store / "claimed" / "stripes"
    assert run_command(monkeypatch, "publish", run, "--store", store, "--verified") == 0
    assert run_command(monkeypatch, "verify", store) == 0
    out = capsys.readouterr().out
    assert "2 records, 0 confirmed, 0 faults, " in out
    assert "remark: " in out
    edit(path, "Alpha", "Omega")
    assert run_command(monkeypatch, "verify", store) == 3
    assert "fault: " in capsys.readouterr().out
    part = make_run(tmp_path / "runs", "part", [1.0], complete=False)
    assert run_command(monkeypatch, "publish", part, "--store", store) == 2
    assert "not all pairs were scored" in capsys.readouterr().err
