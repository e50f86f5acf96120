"""The runner: right numbers, the same digits after any interruption, nothing lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from ffbench.errors import DataError, MethodError, UsageError
from ffbench.evaluation import evaluate, run_folder
from ffbench.io.hashing import file_sha256
from ffbench.method import Method
from ffbench.protocol import Protocol
from ffbench.results.record.pair_table import read_pair_table
from ffbench.results.record.run_record import RunRecord, read_record
from tests.toys import BrightnessFlow, Stripes


def folder_of(out: Path, record: RunRecord) -> Path:
    return run_folder(out, record.protocol.id, record.method.id, record.fingerprint)


def table_bytes(out: Path, record: RunRecord) -> bytes:
    return (folder_of(out, record) / record.pair_table.file).read_bytes()


def expected_epe(numbers: list[int]) -> float:
    errors = []
    for number in numbers:
        pair = Stripes().load(f"{number:03d}")
        errors.append(abs(10 * (pair.image1.astype(np.float64) / 255).mean() - number))
    return float(np.mean(errors))


def test_record_holds_the_means_over_pairs(tmp_path: Path) -> None:
    record = evaluate(BrightnessFlow(), Stripes(12), out=tmp_path)
    assert record.primary.value == pytest.approx(expected_epe(list(range(12))), rel=1e-6)
    assert record.score("epe", "parity=odd").value == pytest.approx(expected_epe([1, 3, 5, 7, 9, 11]), rel=1e-6)
    assert record.score("epe", "left").pairs == 12
    assert record.primary.ci_low is not None
    assert record.primary.ci_high is not None
    assert record.primary.ci_low < record.primary.value < record.primary.ci_high
    assert record.complete
    assert record.not_rankable == []


def test_record_and_table_are_written_and_the_journal_is_gone(tmp_path: Path) -> None:
    record = evaluate(BrightnessFlow(), Stripes(5), out=tmp_path)
    folder = folder_of(tmp_path, record)
    assert read_record(folder / "record.json") == record
    assert record.pair_table.sha256 == file_sha256(folder / "pairs.parquet")
    assert [score.key for score in read_pair_table(folder / "pairs.parquet")] == Stripes(5).keys()
    assert sorted(path.name for path in folder.iterdir()) == ["pairs.parquet", "record.json"]


def test_batches_hold_one_size_and_do_not_change_the_scores(tmp_path: Path) -> None:
    method = BrightnessFlow()
    batched = evaluate(method, Stripes(12, wide_from=7), out=tmp_path, batch_size=5)
    assert method.batches == [5, 2, 5]
    single = evaluate(BrightnessFlow(), Stripes(12, wide_from=7), out=tmp_path)
    assert batched.scores == single.scores


def test_backward_flow_is_estimated_where_the_protocol_wants_it(tmp_path: Path) -> None:
    method = BrightnessFlow()
    evaluate(method, Stripes(3, backward=True), out=tmp_path)
    assert len(method.batches) == 6


@pytest.mark.parametrize("batch_size", [1, 4])
@pytest.mark.parametrize("fail_after", [1, 2])
def test_failing_method_keeps_what_was_scored(tmp_path: Path, batch_size: int, fail_after: int) -> None:
    whole = evaluate(BrightnessFlow(), Stripes(12), out=tmp_path / "whole", batch_size=batch_size)
    with pytest.raises(MethodError, match="out of light"):
        evaluate(BrightnessFlow(fail_after=fail_after), Stripes(12), out=tmp_path / "cut", batch_size=batch_size)
    method = BrightnessFlow()
    resumed = evaluate(method, Stripes(12), out=tmp_path / "cut", batch_size=batch_size)
    assert sum(method.batches) == 12 - fail_after * batch_size
    assert resumed.cost.resumed_pairs == fail_after * batch_size
    assert resumed.scores == whole.scores
    assert table_bytes(tmp_path / "cut", resumed) == table_bytes(tmp_path / "whole", whole)


@pytest.mark.parametrize("torn", [b'{"seconds": 0.1, "pairs": [{"key": "00', b"\x00" * 50, b'{"seconds": 1}'])
def test_half_a_line_at_the_end_of_the_journal_is_dropped(tmp_path: Path, torn: bytes) -> None:
    whole = evaluate(BrightnessFlow(), Stripes(6), out=tmp_path / "whole")
    with pytest.raises(MethodError):
        evaluate(BrightnessFlow(fail_after=3), Stripes(6), out=tmp_path / "cut")
    (journal,) = (tmp_path / "cut").rglob("journal.jsonl")
    with journal.open("ab") as file:
        file.write(torn)
    resumed = evaluate(BrightnessFlow(), Stripes(6), out=tmp_path / "cut")
    assert resumed.cost.resumed_pairs == 3
    assert table_bytes(tmp_path / "cut", resumed) == table_bytes(tmp_path / "whole", whole)


def test_edited_method_does_not_go_on_with_old_scores(tmp_path: Path) -> None:
    with pytest.raises(MethodError):
        evaluate(BrightnessFlow(fail_after=3), Stripes(6), out=tmp_path)
    edited = BrightnessFlow()
    edited.card = edited.card.model_copy(update={"iterations": 7})
    assert evaluate(edited, Stripes(6), out=tmp_path).cost.resumed_pairs == 0


def test_unreadable_pair_is_named_and_the_others_are_scored(tmp_path: Path) -> None:
    record = evaluate(BrightnessFlow(), Stripes(6, unreadable=[2, 4]), out=tmp_path)
    assert record.pairs == 4
    assert record.dataset.problems == ("stripes/002.png: cannot be read", "stripes/004.png: cannot be read")
    assert not record.complete
    assert record.not_rankable


def test_nothing_readable_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no pair could be read.*000\.png"):
        evaluate(BrightnessFlow(), Stripes(2, unreadable=[0, 1]), out=tmp_path)
    with pytest.raises(DataError, match="no pairs"):
        evaluate(BrightnessFlow(), Stripes(0), out=tmp_path)


def test_limited_run_is_not_complete(tmp_path: Path) -> None:
    record = evaluate(BrightnessFlow(), Stripes(6), out=tmp_path, limit=2)
    assert (record.pairs, record.complete) == (2, False)
    with pytest.raises(UsageError):
        evaluate(BrightnessFlow(), Stripes(6), out=tmp_path, batch_size=0)


def test_two_processes_do_not_write_one_journal(tmp_path: Path) -> None:
    class Nested(BrightnessFlow):
        def forward(self, image1, image2):  # type: ignore[no-untyped-def]
            with pytest.raises(DataError, match="another process"):
                evaluate(self, Stripes(3), out=tmp_path)
            return super().forward(image1, image2)

    assert evaluate(Nested(), Stripes(3), out=tmp_path).pairs == 3


def test_pairs_are_not_kept_in_memory(tmp_path: Path) -> None:
    alive = 0
    most = 0

    class Counted(Stripes):
        def load(self, key: str):  # type: ignore[no-untyped-def]
            nonlocal alive, most
            alive += 1
            most = max(most, alive)
            return super().load(key)

        def score(self, *arguments):  # type: ignore[no-untyped-def]
            nonlocal alive
            alive -= 1
            return super().score(*arguments)

    evaluate(BrightnessFlow(), Counted(60), out=tmp_path, batch_size=4)
    assert most <= 4 + 4 + 2 + 1


def slow_run(out: Path) -> None:
    method: Method = BrightnessFlow(seconds=0.02)
    protocol: Protocol[float] = Stripes(40)
    evaluate(method, protocol, out=out)


@pytest.mark.parametrize("scored_before", [1, 17])
def test_killed_run_resumes_to_the_same_bytes(tmp_path: Path, scored_before: int) -> None:
    whole = evaluate(BrightnessFlow(), Stripes(40), out=tmp_path / "whole")
    command = "import sys; from pathlib import Path; from tests.evaluation.test_runner import slow_run; "
    process = subprocess.Popen([sys.executable, "-c", command + f"slow_run(Path({str(tmp_path / 'killed')!r}))"])
    try:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            journals = list((tmp_path / "killed").rglob("journal.jsonl"))
            if journals and journals[0].read_bytes().count(b"\n") > scored_before:
                break
            time.sleep(0.005)
        os.kill(process.pid, signal.SIGKILL)
    finally:
        process.kill()
        process.wait()
    (journal,) = (tmp_path / "killed").rglob("journal.jsonl")
    scored = journal.read_bytes().count(b"\n") - 1
    assert scored_before <= scored < 40
    method = BrightnessFlow()
    resumed = evaluate(method, Stripes(40), out=tmp_path / "killed")
    assert sum(method.batches) == 40 - scored
    assert resumed.scores == whole.scores
    assert table_bytes(tmp_path / "killed", resumed) == table_bytes(tmp_path / "whole", whole)


def test_record_is_plain_json_with_its_provenance(tmp_path: Path) -> None:
    record = evaluate(BrightnessFlow(), Stripes(3), out=tmp_path)
    content = json.loads((folder_of(tmp_path, record) / "record.json").read_text())
    assert content["environment"]["packages"]["numpy"] == np.__version__
    assert content["dataset"]["origin"] == "synthetic"
    assert content["interval"]["unit"] == "pair"
    assert content["cost"]["peak_memory_mb"] > 10
