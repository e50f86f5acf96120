"""kill -9 at random moments of `evaluate` and of `submit`: the same command goes on, to the same bytes."""

from __future__ import annotations

import multiprocessing
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ffbench.evaluation import evaluate, fingerprint
from ffbench.results.record.run_record import RunRecord, read_record
from ffbench.submissions.submit import Submitter, submit
from ffbench.threads import limit
from tests.submissions.toys import make_submission
from tests.toys import BrightnessFlow, Stripes

PAIRS = 40
QUICK, THOROUGH = 8, 50
Work = Callable[[Path], RunRecord]


def in_child(work: Work, out: Path) -> multiprocessing.process.BaseProcess:
    """Start the work in a process of its own; forked, so that it begins at once."""

    def body() -> None:
        limit(1)
        work(out)

    child = multiprocessing.get_context("fork").Process(target=body)
    child.start()
    return child


def outcome(out: Path) -> tuple[bytes, RunRecord]:
    """Return the table, and the record without what differs from run to run: the cost and the state of the checkout."""
    (path,) = out.rglob("record.json")
    record = read_record(path)
    return path.with_name(record.pair_table.file).read_bytes(), record.model_copy(
        update={"cost": None, "environment": None}
    )


def kill_until_done(work: Work, out: Path, kills: int, seconds: float, seed: int) -> int:
    """Kill the work at random moments, then let it end; gives how many kills hit it while it ran."""
    moments = random.Random(seed)
    hit = 0
    for _ in range(kills):
        child = in_child(work, out)
        time.sleep(moments.uniform(0, seconds))
        child.kill()
        child.join()
        hit += child.exitcode == -9
        for path in out.rglob("record.json"):
            read_record(path)  # never half a record
    child = in_child(work, out)
    child.join(60)
    assert child.exitcode == 0
    return hit


def works(tmp_path: Path) -> dict[str, Work]:
    folder = make_submission(tmp_path / "predictions", Stripes(PAIRS))
    return {
        "evaluate": lambda out: evaluate(BrightnessFlow(seconds=0.002), Stripes(PAIRS), out=out, batch_size=3),
        "submit": lambda out: submit(folder, Stripes(PAIRS), Submitter("a"), out=out),
    }


@pytest.fixture(autouse=True)
def _steady(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's cache is used, and edits of the source while the test runs do not make another run of it."""
    monkeypatch.setenv("FFBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(fingerprint, "_source_sha256", lambda *places: "")


def check(name: str, tmp_path: Path, kills: int, seed: int) -> None:
    work = works(tmp_path)[name]
    clock = time.perf_counter()
    child = in_child(work, tmp_path / "whole")
    child.join(60)
    seconds = time.perf_counter() - clock
    expected = outcome(tmp_path / "whole")
    hit = 0
    rounds = 0
    while hit < kills:
        rounds += 1
        out = tmp_path / f"killed{rounds}"
        # A round ends when the work is done: later kills would find nothing to interrupt.
        hit += kill_until_done(work, out, min(4, kills - hit), seconds, seed + rounds)
        assert outcome(out) == expected
        assert not list(out.rglob("journal.jsonl"))


@pytest.mark.parametrize("name", ["evaluate", "submit"])
def test_killed_at_random_moments(name: str, tmp_path: Path) -> None:
    check(name, tmp_path, QUICK, seed=0)


@pytest.mark.campaign
@pytest.mark.parametrize("name", ["evaluate", "submit"])
def test_killed_at_fifty_random_moments(name: str, tmp_path: Path) -> None:
    check(name, tmp_path, THOROUGH, seed=100)
