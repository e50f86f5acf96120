"""Timing methods: in turn, on the same images, with operations counted and bad sizes named."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from ffbench import Flows, Method, MethodCard
from ffbench.cli import app
from ffbench.errors import MethodError
from ffbench.timing import load_for_timing, operation_rate, time_methods

HEIGHT, WIDTH = 48, 64


class Slow(Method):
    """Zero flow after a while, which notes when it is called."""

    def __init__(self, name: str, seconds: float, calls: list[str]) -> None:
        self.card = MethodCard(id=name, title=name)
        self.pause, self.calls = seconds, calls

    def forward(self, image1: torch.Tensor, image2: torch.Tensor) -> Flows[torch.Tensor]:
        self.calls.append(self.card.id)
        assert image1.shape == (1, 3, HEIGHT, WIDTH)
        assert not torch.equal(image1, image2)
        time.sleep(self.pause)
        return Flows(torch.zeros(1, 2, HEIGHT, WIDTH))


class Product(Method):
    """Zero flow, and a product of matrices whose operations are known."""

    card = MethodCard(id="product", title="Product")

    def forward(self, image1: torch.Tensor, image2: torch.Tensor) -> Flows[torch.Tensor]:
        torch.ones(30, 40) @ torch.ones(40, 50)
        return Flows(torch.zeros(1, 2, HEIGHT, WIDTH))


def test_methods_run_in_turn_and_are_compared_with_the_first() -> None:
    calls: list[str] = []
    told: list[tuple[int, int]] = []
    methods = [Slow("short", 0.01, calls), Slow("long", 0.05, calls)]
    short, long = time_methods(methods, HEIGHT, WIDTH, rounds=3, progress=lambda *done: told.append(done))
    assert calls == ["short", "long"] * 4
    assert told == [(run, 8) for run in range(1, 9)]
    assert short.ratio == 1
    assert len(long.seconds) == 3
    assert min(long.seconds) >= 0.05
    assert long.ratio > 1
    assert (short.operations, short.floor) == (None, None)


def test_operations_are_counted_and_give_the_floor() -> None:
    (found,) = time_methods([Product()], HEIGHT, WIDTH, rounds=1)
    assert found.operations == 2 * 30 * 40 * 50
    assert found.floor is not None
    assert 0 < found.floor < 1


def test_the_rate_is_one_that_a_processor_can_have() -> None:
    assert 1e8 < operation_rate(torch.device("cpu")) < 1e14


def test_a_network_without_weights_runs_with_random_ones(tmp_path: Path) -> None:
    weights = load_for_timing("raft", "cpu").card.weights
    assert weights is not None
    assert weights.random
    broken = tmp_path / "net.py"
    broken.write_text("class Net:\n    def __init__(self, request):\n        raise ValueError('no such layer')\n")
    with pytest.raises(MethodError, match="is another class"):
        load_for_timing(f"{broken}:Net", "cpu")


def test_the_command_prints_a_table_or_json() -> None:
    said = CliRunner().invoke(app, ["bench", "zero", "dis", "--size", "64x48", "--rounds", "2"])
    assert said.exit_code == 0, said.output
    assert "64x48 px, 1 thread, 2 rounds in turn" in said.output
    assert [line.split()[0] for line in said.output.splitlines()[-2:]] == ["zero", "dis"]
    found = json.loads(CliRunner().invoke(app, ["bench", "zero", "--size", "64x48", "--rounds", "2", "--json"]).stdout)
    assert (found["size"], found["environment"]["threads"]) == ("64x48", 1)
    (row,) = found["methods"]
    assert (row["method"], row["ratio"], len(row["seconds"])) == ("zero", 1, 2)


@pytest.mark.parametrize("size", ["64", "64x", "0x48", "9x48", "99999x48", "9000x48", "64x48px", "-64x48"])
def test_a_size_that_cannot_be_is_named(size: str) -> None:
    done = CliRunner().invoke(app, ["bench", "zero", f"--size={size}"])
    assert done.exit_code != 0
    assert f"--size is '{size}', expected WIDTHxHEIGHT" in (done.output or str(done.exception))
