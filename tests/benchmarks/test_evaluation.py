"""What evaluating costs beside the method itself: at most 1.03 times a bare loop over the same pairs."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from ffbench.evaluation import evaluate
from ffbench.method import image_to_tensor
from ffbench.registry import load_method, load_protocol

PAIRS = 6
ROUNDS = 5


@pytest.mark.assets
def test_evaluation_against_a_bare_loop(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    method = load_method("ptlflow/raft_small", weights="random", device="cpu")
    protocol = load_protocol("ck_landmarks")
    keys = protocol.keys()[:PAIRS]

    def bare_loop() -> float:
        clock = time.perf_counter()
        with torch.inference_mode():
            for key in keys:
                pair = protocol.load(key)
                method.forward(image_to_tensor(pair.image1)[None], image_to_tensor(pair.image2)[None])
        return time.perf_counter() - clock

    def whole() -> float:
        clock = time.perf_counter()
        evaluate(method, protocol, out=tmp_path, limit=PAIRS)
        return time.perf_counter() - clock

    bare_loop(), whole()
    # In turn, so that a machine that slows down slows both; the least disturbed round of each is compared.
    rounds = [(whole(), bare_loop()) for _ in range(ROUNDS)]
    ratio = min(seconds for seconds, _ in rounds) / min(seconds for _, seconds in rounds)
    benchmark.extra_info["ratio to a bare loop"] = round(ratio, 3)
    benchmark.pedantic(whole, rounds=1)
    assert ratio < 1.03
