"""Stores of 1,000 to 100,000 records, boards of 10 to 300 methods: processor time and memory in proportion to records.

`pytest tests/benchmarks/test_scale.py --benchmark-only -m "campaign or not campaign"` measures 100,000 records too, for
a few minutes; docs/scale.md has what came out.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from ffbench.metrics.statistics.intervals import influence_on_ratio
from ffbench.metrics.statistics.ranks import rank_sets
from ffbench.results.store.records import add_record
from tests.results.made_runs import make_run
from tests.results.many_records import make_store

BOARDS = {1_000: 10, 10_000: 50, 100_000: 100}
SIZES = [1_000, 10_000, pytest.param(100_000, marks=pytest.mark.campaign)]
# A process of its own for each stage: its largest resident set is the stage's.
MEASURE = """
import json, pathlib, re, sys, time
import pyarrow.parquet
from ffbench.results.ranking.order import in_order
from ffbench.results.report.leaderboard import leaderboard
from ffbench.results.store.records import read_rows
start = time.process_time()
rows = read_rows([sys.argv[1]])
read = time.process_time()
tables = leaderboard(rows, in_order)
end = time.process_time()
# Not of `resource`, whose figure a process takes over from the one that started it.
peak = re.search(r"VmHWM:\\s+(\\d+) kB", pathlib.Path("/proc/self/status").read_text())
print(json.dumps([len(rows), len(tables), read - start, end - read, int(peak[1]) / 1024]))
"""


def measured(store: Path) -> dict[str, float]:
    out = subprocess.run([sys.executable, "-c", MEASURE, str(store)], capture_output=True, text=True, check=True)
    rows, boards, reading, sorting, memory = json.loads(out.stdout)
    return {"records": rows, "boards": boards, "seconds to read": round(reading, 2),
            "seconds to sort into boards": round(sorting, 2), "MB": round(memory)}  # fmt: skip


@pytest.mark.parametrize("records", SIZES)
def test_reading_a_store(
    benchmark: BenchmarkFixture, records: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FFBENCH_CACHE", str(tmp_path / "cache"))
    store = make_store(tmp_path / "store", records, BOARDS[records])
    first = measured(store)
    again = [benchmark.pedantic(measured, args=(store,), rounds=1)]
    add_record(store, make_run(tmp_path / "more", "new", [1.0, 2.0]), "verified")
    after_one_more = measured(store)
    assert first["records"] == again[0]["records"] == records
    assert after_one_more["records"] == records + 1
    benchmark.extra_info["first time"] = first
    benchmark.extra_info["with the index"] = again[0]
    benchmark.extra_info["after one more record"] = after_one_more


@pytest.mark.parametrize("units", [100, 1_000])
@pytest.mark.parametrize("methods", [10, 100, 300])
def test_ranking_a_board(benchmark: BenchmarkFixture, methods: int, units: int) -> None:
    rng = np.random.default_rng(0)
    hard = rng.gamma(1.0, 2.0, units)
    made = [influence_on_ratio(hard + k / 200 + rng.normal(0, 0.3, units), np.ones(units)) for k in range(methods)]
    seconds = _processor_seconds(lambda: rank_sets(made, higher_is_better=False))
    benchmark.pedantic(rank_sets, args=(made,), kwargs={"higher_is_better": False}, rounds=1)
    benchmark.extra_info["seconds of processor"] = round(seconds, 2)


def _processor_seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start
