"""Shards of an evaluation: some batches of pairs, which a process of its own may estimate and score."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ffbench.engines import Engine
from ffbench.errors import DataError
from ffbench.evaluation.batches import read_batches
from ffbench.evaluation.fingerprint import run_fingerprint
from ffbench.evaluation.scoring import score_pair
from ffbench.evaluation.source import FlowSource, MethodSource
from ffbench.protocol import Protocol
from ffbench.results.record.environment import environment, peak_memory_mb
from ffbench.results.record.run_record import Clock, Environment

if TYPE_CHECKING:
    from ffbench.run_config import RunConfig

Opener = Callable[[], tuple[FlowSource, Protocol[Any]]]
"""Builds the flows' source and the protocol of an evaluation; another process must be able to call it."""


@dataclass(frozen=True)
class Elsewhere:
    """Who estimates and scores the shards of an evaluation in other processes.

    Attributes:
        engine: runs them.
        opener: builds method and protocol there, the same as here.
    """

    engine: Engine
    opener: Opener


@dataclass(frozen=True)
class NamedEvaluation:
    """An `Opener` of a method and a protocol by their names.

    Attributes:
        config: of the method.
        protocol, data, variant, options: as `ffbench.load_protocol` takes them.
        clock: what seconds are counted by.
    """

    config: RunConfig
    protocol: str
    data: Path | None = None
    variant: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    clock: Clock = "elapsed"

    def __call__(self) -> tuple[FlowSource, Protocol[Any]]:
        """Build both.

        Raises:
            UsageError, MethodError, DataError: as of `load_method` and `load_protocol`.
        """
        from ffbench.registry import load_protocol

        protocol = load_protocol(self.protocol, data=self.data, variant=self.variant, options=self.options)
        return MethodSource(self.config.load(), self.clock), protocol


@dataclass(frozen=True)
class ShardJob:
    """What a worker needs to know of an evaluation.

    Attributes:
        opener: builds method and protocol.
        fingerprint: of the run, which the worker's must equal.
        batch_size, limit: of the run.
    """

    opener: Opener
    fingerprint: str
    batch_size: int
    limit: int | None


@dataclass(frozen=True)
class ShardScores:
    """What came of a shard.

    Attributes:
        number: of the shard.
        batches: the scores of each batch, and the seconds that the method took for it.
        problems: pairs that could not be read, a line each.
        environment: where it ran.
        peak_memory_mb, peak_device_memory_mb: of the worker so far, in MiB; None: no device but the CPU.
    """

    number: int
    batches: Sequence[tuple[Sequence[Any], float]]
    problems: Sequence[str]
    environment: Environment
    peak_memory_mb: float
    peak_device_memory_mb: float | None


def score_elsewhere(
    elsewhere: Elsewhere, job: ShardJob, keys: Sequence[str], shards: Mapping[str, int]
) -> Iterator[ShardScores]:
    """Have pairs estimated and scored shard by shard, and yield what came of each, in whatever order.

    Args:
        elsewhere: who does it.
        job: the evaluation.
        keys: the pairs, in order.
        shards: the shard of each pair.

    Raises:
        DataError: a worker has another method, dataset or code than this process.
        UsageError, MethodError: as of the engine and of the method.
    """
    jobs = [(job, number, tuple(part)) for number, part in itertools.groupby(keys, key=shards.__getitem__)]
    return elsewhere.engine(score_shard, jobs)


_opened: dict[str, tuple[FlowSource, Protocol[Any]]] = {}
"""The evaluation that this process has scored shards of, by its fingerprint: one at most."""


def score_shard(job: ShardJob, number: int, keys: Sequence[str]) -> ShardScores:
    """Estimate and score the pairs of one shard, in a worker.

    Raises:
        DataError: method, dataset or code are not those of the run.
        UsageError, MethodError: the method cannot be built, or failed.
    """
    if job.fingerprint not in _opened:
        source, protocol = job.opener()
        if run_fingerprint(source, protocol, job.batch_size, job.limit) != job.fingerprint:
            raise DataError(
                "a worker has another method, dataset, ffbench or PyTorch than this process: let all machines install "
                "the same and see the same files"
            )
        _opened.clear()
        _opened[job.fingerprint] = source, protocol
    source, protocol = _opened[job.fingerprint]
    problems: list[str] = []
    batches = []
    for batch in read_batches(protocol, keys, job.batch_size, problems):
        forward, backward, seconds = source.flows(batch, protocol.needs_backward)
        parts = zip(batch, forward, backward, strict=True)
        batches.append(([score_pair(protocol, pair, there, back) for pair, there, back in parts], seconds))
    return ShardScores(number, batches, problems, environment(source.device), peak_memory_mb(), source.peak_memory_mb())


def joint_environment(found: Sequence[Environment]) -> Environment:
    """Return one environment of several workers; processors, devices and platforms that differ are all named."""
    named = {
        name: ", ".join(sorted({getattr(one, name) for one in found})) for name in ("platform", "processor", "device")
    }
    return found[0].model_copy(update=named)
