"""Evaluation on Ray: two workers of this machine, one of which is killed in the middle."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from ffbench.engines import engine
from ffbench.errors import MethodError, UsageError
from ffbench.evaluation import evaluate
from ffbench.evaluation.batches import SHARD_BATCHES
from ffbench.evaluation.shards import Elsewhere
from tests.evaluation.shard_toys import Gathered, Toys, logged, outcome

pytest.importorskip("ray", reason="the extra 'ray' is not installed")
pytestmark = pytest.mark.slow

PAIRS = 40
PROTOCOL = {"unreadable": [5, 30], "wide_from": 21}
READABLE = PAIRS - len(PROTOCOL["unreadable"])


def kill_a_worker(log: Path, after: int, killed: list[int]) -> None:
    """Kill the process that began the last of `after` pairs, as soon as it has begun it."""
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        if log.exists() and len(begun := log.read_text().splitlines()) >= after:
            killed.append(int(begun[after - 1].split()[0]))
            os.kill(killed[0], signal.SIGKILL)
            return
        time.sleep(0.002)


@pytest.mark.parametrize("after", [None, 13], ids=["control", "one killed"])
def test_a_killed_worker_costs_its_shard_and_changes_no_digit(tmp_path: Path, after: int | None) -> None:
    expected = outcome(tmp_path / "here", evaluate(*Toys(PAIRS, PROTOCOL)(), out=tmp_path / "here"))
    log, killed, told = tmp_path / "log", list[int](), list[tuple[int, int]]()
    toys = Toys(PAIRS, PROTOCOL, log, seconds=0.1)
    (tmp_path / "come").mkdir()
    killer = threading.Thread(target=kill_a_worker, args=(log, after, killed), daemon=True)
    if after is not None:
        killer.start()
    record = evaluate(
        *toys(),
        out=tmp_path / "ray",
        elsewhere=Elsewhere(engine("ray", 2), Gathered(toys, tmp_path / "come", 2)),
        progress=lambda *done: told.append(done),
    )
    assert outcome(tmp_path / "ray", record) == expected
    assert (told[0], told[-1]) == ((0, PAIRS), (PAIRS, PAIRS))
    assert told == sorted(told)
    assert record.cost.method_seconds >= READABLE * 0.1
    workers = {process for process, _ in logged(log)}
    assert os.getpid() not in workers
    if after is None:
        assert len(logged(log)) == READABLE
        assert len(workers) == 2
    else:
        assert killed[0] in workers
        assert len(workers) >= 2
        assert READABLE < len(logged(log)) <= READABLE + SHARD_BATCHES


def test_what_a_worker_raises_is_raised_here_and_what_was_scored_is_kept(tmp_path: Path) -> None:
    failing, whole = Toys(20, fail_after=10), Toys(20)
    with pytest.raises(MethodError, match=r"^brightness: out of light \(pair 010\)$"):
        evaluate(*whole(), out=tmp_path, elsewhere=Elsewhere(engine("ray", 1), failing))
    assert evaluate(*whole(), out=tmp_path).cost.resumed_pairs == SHARD_BATCHES


def test_an_address_without_a_cluster_is_an_error_in_a_line(tmp_path: Path) -> None:
    toys = Toys(3)
    with pytest.raises(UsageError, match=r"^no Ray cluster at nowhere: give the address of one that runs \("):
        evaluate(*toys(), out=tmp_path, elsewhere=Elsewhere(engine("ray", address="nowhere"), toys))
