"""Flows that runs of one method share: estimated once, to the same digits, and never another method's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from ffbench.errors import DataError
from ffbench.evaluation import evaluate
from ffbench.evaluation.remembered import RememberedFlows
from ffbench.evaluation.source import MethodSource
from ffbench.method import Flows, Method, MethodCard
from ffbench.results.record.run_record import RunRecord
from tests.toys import Stripes


class Counting(Method):
    """Moves all by a gain times the brightness of image 1, the head by half of it, and counts the pairs it sees."""

    def __init__(self, gain: float = 10.0) -> None:
        self.card = MethodCard(id="counting", title="Counting", decomposes=True, options={"gain": gain})
        self.gain, self.pairs = gain, 0

    def forward(self, image1: torch.Tensor, image2: torch.Tensor) -> Flows[torch.Tensor]:
        self.pairs += len(image1)
        light = self.gain * image1.mean((1, 2, 3))
        flow = light[:, None, None, None].expand(-1, 2, *image1.shape[2:]).clone()
        return Flows(flow, flow / 2, found=(light > 5).numpy(), confidence=(flow[:, :1] / 20).clamp(0, 1))


def run(method: Method, protocol: Stripes, out: Path, flows: Path | None, batch_size: int = 1) -> RunRecord:
    source = MethodSource(method)
    return evaluate(
        source if flows is None else RememberedFlows(source, flows), protocol, out=out, batch_size=batch_size
    )


def same(one: RunRecord, other: RunRecord) -> bool:
    return one.model_copy(update={"cost": None}) == other.model_copy(update={"cost": None})


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("batch_size", [1, 4])
def test_a_pair_is_estimated_once_and_scored_to_the_same_digits(
    backward: bool, batch_size: int, tmp_path: Path
) -> None:
    plain = run(Counting(), Stripes(6, backward=backward), tmp_path / "plain", None, batch_size)
    first, second = Counting(), Counting()
    one = run(first, Stripes(6, backward=backward), tmp_path / "one", tmp_path / "flows", batch_size)
    other = run(second, Stripes(6, backward=backward), tmp_path / "other", tmp_path / "flows", batch_size)
    assert (first.pairs, second.pairs) == (12 if backward else 6, 0)
    assert same(one, plain)
    assert same(other, plain)
    # What it took when it was made, and not what reading takes.
    assert other.cost.method_seconds == pytest.approx(one.cost.method_seconds)


def test_a_protocol_with_more_pairs_estimates_the_new_ones(tmp_path: Path) -> None:
    run(Counting(), Stripes(4), tmp_path / "few", tmp_path / "flows")
    method = Counting()
    more = run(method, Stripes(9, backward=True), tmp_path / "more", tmp_path / "flows")
    assert method.pairs == 2 * 9 - 4
    assert same(more, run(Counting(), Stripes(9, backward=True), tmp_path / "plain", None))


def test_every_part_of_the_flow_comes_back(tmp_path: Path) -> None:
    pairs = [Stripes().load("003")]
    made, _, seconds = MethodSource(Counting()).flows(pairs, backward=False)
    for _ in range(2):
        (flow,), (back,), took = RememberedFlows(MethodSource(Counting()), tmp_path).flows(pairs, backward=False)
        assert np.array_equal(flow.facial, made[0].facial)
        assert flow.facial.dtype == np.float32
        for part in ("head", "found", "confidence"):
            assert np.array_equal(getattr(flow, part), getattr(made[0], part)), part
        assert back is None
        assert took > 0
    assert seconds > 0


def test_another_method_takes_nothing_of_it(tmp_path: Path) -> None:
    run(Counting(), Stripes(3), tmp_path / "a", tmp_path / "flows")
    other = Counting(gain=11.0)
    record = run(other, Stripes(3), tmp_path / "b", tmp_path / "flows")
    assert other.pairs == 3
    assert same(record, run(Counting(gain=11.0), Stripes(3), tmp_path / "plain", None))


def test_another_clock_takes_nothing_of_it(tmp_path: Path) -> None:
    run(Counting(), Stripes(3), tmp_path / "a", tmp_path / "flows")
    other = Counting()
    evaluate(RememberedFlows(MethodSource(other, clock="cpu"), tmp_path / "flows"), Stripes(3), out=tmp_path / "b")
    assert other.pairs == 3


@pytest.mark.parametrize("damage", [b"", b"PK", None, "nothing"])
def test_a_damaged_file_is_made_again(damage: bytes | str | None, tmp_path: Path) -> None:
    run(Counting(), Stripes(3), tmp_path / "a", tmp_path / "flows")
    for path in (tmp_path / "flows").iterdir():
        if damage == "nothing":
            np.savez(path, seconds=1.0)
        else:
            content = path.read_bytes()
            path.write_bytes(content[: len(content) // 2] if damage is None else bytes(damage))  # type: ignore[arg-type]
    method = Counting()
    record = run(method, Stripes(3), tmp_path / "b", tmp_path / "flows")
    assert method.pairs == 3
    assert same(record, run(Counting(), Stripes(3), tmp_path / "plain", None))
    assert sum(1 for _ in (tmp_path / "flows").iterdir()) == 3


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "flows").write_text("a file")
    with pytest.raises(DataError, match="flows"):
        run(Counting(), Stripes(3), tmp_path / "a", tmp_path / "flows")
