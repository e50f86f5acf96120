"""Two processes that compute at once on all cores, against one after the other, by how OpenMP's threads wait."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from ffbench.threads import variables

ROUNDS = 3
WORK = """
import sys
import torch
layers = [torch.nn.Conv2d(32 if number else 6, 32, 3, padding=1) for number in range(12)]
network, images = torch.nn.Sequential(*layers).eval(), torch.rand(1, 6, 128, 128)
with torch.inference_mode():
    network(images)
    print("ready", flush=True)
    for _ in sys.stdin:
        for _ in range(10):
            network(images)
        print("done", flush=True)
"""
Process = subprocess.Popen[str]


def started(waiting: dict[str, str]) -> Process:
    """Start a process that runs a network for each line it is told, and wait until it is ready."""
    mine = {name: text for name, text in os.environ.items() if name not in (*variables(1), "OMP_WAIT_POLICY")}
    command = [sys.executable, "-c", WORK]
    process = subprocess.Popen(
        command, env={**mine, **waiting}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def seconds(*together: Process) -> float:
    """Return how long processes take that run their network at once."""
    clock = time.perf_counter()
    for process in together:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in together:
        assert process.stdout is not None
        assert process.stdout.readline() == "done\n"
    return time.perf_counter() - clock


@pytest.mark.parametrize("waiting", [{"OMP_WAIT_POLICY": "PASSIVE"}, {}], ids=["passive", "spinning"])
def test_side_by_side_against_one_after_the_other(benchmark: BenchmarkFixture, waiting: dict[str, str]) -> None:
    first, second = started(waiting), started(waiting)
    try:
        # In turn, so that a machine that slows down slows both.
        rounds = [(seconds(first) + seconds(second), seconds(first, second)) for _ in range(ROUNDS)]
        benchmark.pedantic(seconds, (first, second), rounds=1)
    finally:
        for process in (first, second):
            process.kill()
            process.communicate()
    ratio = statistics.median(together / alone for alone, together in rounds)
    benchmark.extra_info["side by side, ratio to one after the other"] = round(ratio, 2)
    benchmark.extra_info["least seconds one after the other"] = round(min(alone for alone, _ in rounds), 2)
    if waiting:
        assert ratio < 3
