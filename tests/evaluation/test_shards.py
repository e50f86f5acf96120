"""Shards that other processes score, in whatever order: the record of one process, and costs that are summed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from ffbench.engines import Job, here
from ffbench.errors import DataError, MethodError, UsageError
from ffbench.evaluation import evaluate, shards
from ffbench.evaluation.batches import SHARD_BATCHES, shard_numbers
from ffbench.evaluation.shards import Elsewhere, joint_environment
from ffbench.evaluation.source import FlowSource
from ffbench.protocol import Progress, Protocol
from ffbench.results.record.environment import environment
from ffbench.results.record.run_record import RunRecord
from tests.evaluation.shard_toys import LoggedFlow, Toys, outcome
from tests.toys import Stripes


def shuffled(seed: int) -> Callable[..., Iterator[Any]]:
    """Return an engine of this process whose jobs are done in another order, each as in a new worker."""

    def run(function: Callable[..., Any], jobs: Sequence[Job]) -> Iterator[Any]:
        for job in random.Random(seed).sample(list(jobs), len(jobs)):
            shards._opened.clear()
            yield from here(function, [job])

    return run


def teller(told: list[tuple[int, int]]) -> Progress:
    return lambda *done: told.append(done)


def run(toys: Toys, out: Path, elsewhere: Elsewhere | None = None, **how: Any) -> RunRecord:
    return evaluate(*toys(), out=out, elsewhere=elsewhere, **how)


@pytest.mark.parametrize("batch_size", [1, 3])
@pytest.mark.parametrize(
    "protocol",
    [{}, {"unreadable": [0, 7, 8, 39], "wide_from": 21}, {"backward": True, "wide_from": 4}],
    ids=["plain", "unreadable", "backward"],
)
def test_the_record_is_that_of_one_process(tmp_path: Path, batch_size: int, protocol: dict[str, Any]) -> None:
    toys = Toys(40, protocol)
    expected = outcome(tmp_path / "here", run(toys, tmp_path / "here", batch_size=batch_size))
    for seed in (1, 2):
        out, told = tmp_path / str(seed), list[tuple[int, int]]()
        record = run(toys, out, Elsewhere(shuffled(seed), toys), batch_size=batch_size, progress=teller(told))
        assert outcome(out, record) == expected
        assert told == sorted(told)
        assert (told[0], told[-1]) == ((0, 40), (40, 40))


@pytest.mark.parametrize("batch_size", [1, 3])
def test_a_run_that_was_interrupted_here_goes_on_elsewhere_and_the_other_way_round(
    tmp_path: Path, batch_size: int
) -> None:
    protocol: dict[str, Any] = {"unreadable": [30], "wide_from": 21}
    toys, failing = Toys(40, protocol), Toys(40, protocol, fail_after=11)
    expected = outcome(tmp_path / "here", run(toys, tmp_path / "here", batch_size=batch_size))
    assert expected[1].cost is None
    there = Elsewhere(shuffled(3), toys)
    with pytest.raises(MethodError, match="out of light"):
        run(failing, tmp_path / "a", batch_size=batch_size)
    record = run(toys, tmp_path / "a", there, batch_size=batch_size)
    assert record.cost.resumed_pairs > 0
    assert outcome(tmp_path / "a", record) == expected
    shards._opened.clear()
    with pytest.raises(MethodError, match="out of light"):
        run(toys, tmp_path / "b", Elsewhere(here, failing), batch_size=batch_size)
    record = run(toys, tmp_path / "b", batch_size=batch_size)
    assert record.cost.resumed_pairs == SHARD_BATCHES * batch_size
    assert outcome(tmp_path / "b", record) == expected


def test_a_worker_with_another_dataset_is_refused(tmp_path: Path) -> None:
    def other() -> tuple[FlowSource, Protocol[Any]]:
        source, protocol = Toys(12)()
        protocol.dataset = protocol.dataset.model_copy(update={"manifest_sha256": "1" * 64})
        return source, protocol

    with pytest.raises(DataError, match="a worker has another method, dataset, ffbench or PyTorch than this process"):
        run(Toys(12), tmp_path, Elsewhere(shuffled(0), other))


def test_costs_are_summed_and_peaks_are_the_largest(tmp_path: Path) -> None:
    toys = Toys(20, seconds=0.01)
    there = run(toys, tmp_path / "there", Elsewhere(shuffled(0), toys))
    assert there.cost.method_seconds >= 20 * 0.01
    assert there.cost.pairs_per_second == pytest.approx(20 / there.cost.method_seconds)
    assert there.cost.peak_memory_mb > 10
    assert there.environment.threads == 1


def test_processors_that_differ_are_all_named() -> None:
    one = environment(None)
    other = one.model_copy(update={"processor": "Another x 64"})
    assert joint_environment([one, other, one]).processor == ", ".join(sorted(["Another x 64", one.processor]))
    assert joint_environment([one, one]) == one


def test_no_batch_crosses_shards_here_either(tmp_path: Path) -> None:
    """An unreadable pair shifts batches, and a shard begins anew: otherwise shards would have other batches."""
    source, protocol = Toys(40, {"unreadable": [1]})()
    method = source.method
    assert isinstance(method, LoggedFlow)
    evaluate(source, protocol, out=tmp_path, batch_size=3)
    # 23 pairs that can be read are seven batches and one of two; then 16 are left.
    assert method.batches == [3] * 7 + [2] + [3] * 5 + [1]


def test_shards_have_eight_batches() -> None:
    keys = Stripes(40).keys()
    assert [list(shard_numbers(keys, 2).values()).count(number) for number in range(3)] == [16, 16, 8]


def test_flows_that_are_estimated_elsewhere_are_not_kept(tmp_path: Path) -> None:
    toys = Toys(3)
    with pytest.raises(UsageError, match="ffbench predict"):
        run(toys, tmp_path, Elsewhere(shuffled(0), toys), keep=lambda folder: None)
