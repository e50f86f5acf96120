"""DecFlow's two flows against GMA's one, and the compiled local correlation against the one in PyTorch."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture
from torch.utils.flop_counter import FlopCounterMode

from ffbench.methods.decflow.blocks.local_correlation import local_correlation, local_correlation_torch
from ffbench.methods.decflow.config import PaperConfig
from ffbench.methods.decflow.networks.gma import DecFlow
from ffbench.packages.torchvision_ops import make_importable

SIZE = 256
ITERATIONS = 12
ROUNDS = 3
GPU_LIMIT = 1.5
# What the arithmetic allows is about 1.5 on a CPU; the rest is room for a machine that others use.
CPU_LIMIT = 2.0


def seconds(call: Callable[[], object], device: str) -> float:
    if device == "cuda":
        torch.cuda.synchronize()
    clock = time.perf_counter()
    call()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - clock


def ratio(first: Callable[[], object], second: Callable[[], object], device: str = "cpu") -> float:
    """Least time of the first over least time of the second, run in turn so that a slow moment slows both."""
    first(), second()
    rounds = [(seconds(first, device), seconds(second, device)) for _ in range(ROUNDS)]
    return min(a for a, _ in rounds) / min(b for _, b in rounds)


def operations(call: Callable[[], object]) -> int:
    with FlopCounterMode(display=False) as counter:
        call()
    return int(counter.get_total_flops())


@pytest.mark.parametrize(
    ("device", "precision"),
    [
        ("cpu", torch.float32),
        pytest.param("cuda", torch.float32, marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")),
        pytest.param("cuda", torch.bfloat16, marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")),
    ],
)
def test_two_flows_against_one_of_gma(benchmark: BenchmarkFixture, device: str, precision: torch.dtype) -> None:
    make_importable()
    import ptlflow

    gma = ptlflow.get_model_reference("gma")(iters=ITERATIONS).eval().to(device)
    images = torch.rand(1, 2, 3, SIZE, SIZE, device=device)
    inputs = {"images": images}

    def one_flow() -> object:
        with torch.no_grad(), torch.autocast(device, precision, enabled=precision != torch.float32):
            return gma(inputs)

    def two_flows_of(network: DecFlow) -> Callable[[], object]:
        def call() -> object:
            with torch.no_grad(), torch.autocast(device, precision, enabled=precision != torch.float32):
                return network(images[:, 0], images[:, 1], iterations=ITERATIONS)

        return call

    limit = GPU_LIMIT if device == "cuda" else CPU_LIMIT
    found = {}
    for title, semantic in (("with the semantic encoder", "dad3d"), ("without", "none")):
        two_flows = two_flows_of(DecFlow(PaperConfig(semantic=semantic)).eval().to(device))
        found[title] = ratio(two_flows, one_flow, device)
        benchmark.extra_info[f"time of two flows over GMA's one, {title}"] = round(found[title], 2)
        arithmetic = operations(two_flows) / operations(one_flow)
        benchmark.extra_info[f"operations of two flows over GMA's one, {title}"] = round(arithmetic, 2)
    benchmark.pedantic(one_flow, rounds=1)
    assert max(found.values()) < limit


def test_compiled_local_correlation(benchmark: BenchmarkFixture) -> None:
    """Forward and backward at stride 4 of a 256x256 crop."""
    features1, features2 = (torch.randn(1, 64, 64, 64, requires_grad=True) for _ in range(2))
    y, x = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
    centers = torch.stack([x, y], dim=-1)[None] + torch.randn(1, 64, 64, 2)

    def compiled() -> None:
        local_correlation(features1, features2, centers, 4).sum().backward()

    def in_torch() -> None:
        local_correlation_torch(features1, features2, centers, 4).sum().backward()

    found = ratio(in_torch, compiled)
    benchmark.extra_info["time in PyTorch over compiled"] = round(found, 1)
    benchmark.pedantic(compiled, rounds=1)
    assert found > 3
