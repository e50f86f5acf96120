"""One run of a method over the pairs of a protocol: estimate and score them, then write record and table."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from ffbench.errors import DataError
from ffbench.evaluation.batches import read_batches, shard_numbers
from ffbench.evaluation.journal import BaseJournal, Scored
from ffbench.evaluation.scoring import score_pair
from ffbench.evaluation.shards import Elsewhere, ShardJob, joint_environment, score_elsewhere
from ffbench.evaluation.source import FlowKeeper, FlowSource
from ffbench.io.atomic import remove_litter
from ffbench.io.hashing import file_sha256
from ffbench.protocol import NumpyFlows, Pair, PairScore, Progress, Protocol
from ffbench.results.record.environment import environment, peak_memory_mb
from ffbench.results.record.pair_table import write_pair_table
from ffbench.results.record.run_record import (
    RECORD,
    Cost,
    Environment,
    Interval,
    PairTable,
    Primary,
    RunRecord,
    at_path,
    now,
    write_record,
)


@dataclass
class Run:
    """What is run, and what came of it so far.

    Attributes:
        source: of the flows.
        protocol: what scores them.
        expected: how many pairs the protocol has.
        chosen: keys of the pairs to score, in order.
        batch_size: pairs that go through the method at once.
        folder: where record and table of pairs are written.
        fingerprint: of the run.
        progress: called after every batch, with the number of pairs that are done and of all.
        keeper: keeps the flows of all pairs; None: they are only scored.
        elsewhere: who estimates and scores in other processes; None: this one does.
        limit: only the first pairs were asked for; None: all.
        problems: pairs that could not be read, a line each.
        resumed: pairs that an interrupted run left in the journal.
    """

    source: FlowSource
    protocol: Protocol[Any]
    expected: int
    chosen: Sequence[str]
    batch_size: int
    folder: Path
    fingerprint: str
    progress: Progress | None = None
    keeper: FlowKeeper | None = None
    elsewhere: Elsewhere | None = None
    limit: int | None = None
    problems: list[str] = field(default_factory=list)
    resumed: int = 0
    _environments: list[Environment] = field(default_factory=list)
    _peaks: list[float] = field(default_factory=list)
    _device_peaks: list[float] = field(default_factory=list)
    _started: datetime = field(default_factory=now)
    _clock: float = field(default_factory=time.perf_counter)

    def estimate(self, journal: BaseJournal[Scored]) -> list[Scored]:
        """Estimate and score the pairs that the journal does not hold yet, and return all in the order of `chosen`.

        Raises:
            DataError: no pair could be read, or the disk is full, or a worker has other files or code.
            MethodError: the method failed; what was scored stands in the journal.
        """
        remove_litter(journal.path.parent)
        self.resumed = len(journal.scores)
        done = {score.key for score in journal.scores}
        remaining = [key for key in self.chosen if key not in done]
        if self.progress:
            self.progress(self.resumed, len(self.chosen))
        shards = shard_numbers(self.chosen, self.batch_size)
        if self.keeper is not None:
            lacking = [key for key in self.chosen if key in done and not self.keeper.has(key)]
            for batch in read_batches(self.protocol, lacking, self.batch_size, self.problems, shards):
                self._keep(batch, *self.source.flows(batch, self.protocol.needs_backward)[:2])
        if self.elsewhere is not None:
            self._estimate_elsewhere(self.elsewhere, journal, remaining, shards)
        else:
            self._estimate_here(journal, remaining, shards)
        if not journal.scores:
            reason = f"no pair could be read; the first problem: {self.problems[0]}"
            raise DataError(self.protocol.dataset.name, reason)
        order = {key: index for index, key in enumerate(self.chosen)}
        return sorted(journal.scores, key=lambda score: order[score.key])

    def _estimate_here(self, journal: BaseJournal[Scored], remaining: Sequence[str], shards: Mapping[str, int]) -> None:
        for batch in read_batches(self.protocol, remaining, self.batch_size, self.problems, shards):
            forward, backward, seconds = self.source.flows(batch, self.protocol.needs_backward)
            self._keep(batch, forward, backward)
            parts = zip(batch, forward, backward, strict=True)
            journal.append([score_pair(self.protocol, pair, there, back) for pair, there, back in parts], seconds)
            if self.progress:
                self.progress(len(journal.scores) + len(self.problems), len(self.chosen))

    def _estimate_elsewhere(
        self,
        elsewhere: Elsewhere,
        journal: BaseJournal[Scored],
        remaining: Sequence[str],
        shards: Mapping[str, int],
    ) -> None:
        job = ShardJob(elsewhere.opener, self.fingerprint, self.batch_size, self.limit)
        problems: dict[int, Sequence[str]] = {}
        for shard in score_elsewhere(elsewhere, job, remaining, shards):
            for scores, seconds in shard.batches:
                journal.append(scores, seconds)
            problems[shard.number] = shard.problems
            self._environments.append(shard.environment)
            self._peaks.append(shard.peak_memory_mb)
            self._device_peaks += [] if shard.peak_device_memory_mb is None else [shard.peak_device_memory_mb]
            if self.progress:
                self.progress(len(journal.scores) + sum(map(len, problems.values())), len(self.chosen))
        # In the order of the pairs, whichever shard was done first.
        self.problems += [line for number in sorted(problems) for line in problems[number]]

    def _keep(
        self,
        batch: Sequence[Pair[Any]],
        forward: Sequence[NumpyFlows],
        backward: Sequence[NumpyFlows] | Sequence[None],
    ) -> None:
        if self.keeper is not None:
            for pair, there, back in zip(batch, forward, backward, strict=True):
                self.keeper.write(pair.key, there, back)

    def finish(
        self,
        scores: Sequence[PairScore],
        *,
        not_found: int,
        method_seconds: float,
        learning_seconds: float | None = None,
    ) -> RunRecord:
        """Write the table of pair scores and the record.

        Args:
            scores: of all pairs, in the order of `chosen`.
            not_found: pairs in which the method found nothing to go by (`count_not_found`).
            method_seconds: what estimating took, of interrupted runs too.
            learning_seconds: what learning took, of interrupted runs too; None where nothing learns or it is not said.

        Raises:
            DataError: no pair has a value of the primary metric, or a file cannot be written.
        """
        write_pair_table(self.folder / "pairs.parquet", scores)
        cost = Cost(
            started=self._started,
            wall_seconds=time.perf_counter() - self._clock,
            method_seconds=method_seconds,
            clock=self.source.clock,
            pairs_per_second=len(scores) / max(method_seconds, 1e-9),
            learning_seconds=learning_seconds,
            peak_memory_mb=max([peak_memory_mb(), *self._peaks]),
            peak_device_memory_mb=max(self._device_peaks, default=self.source.peak_memory_mb()),
            resumed_pairs=self.resumed,
        )
        record = self._record(scores, not_found, cost)
        write_record(self.folder / RECORD, record)
        return at_path(record, self.folder / RECORD)

    def _record(self, scores: Sequence[PairScore], not_found: int, cost: Cost) -> RunRecord:
        source, protocol = self.source, self.protocol
        card, table = protocol.card, self.folder / "pairs.parquet"
        dataset = protocol.dataset.model_copy(update={"problems": (*protocol.dataset.problems, *self.problems)})
        summary = protocol.summarize(scores)
        overall = next((s for s in summary if s.metric == card.primary and s.group == "all"), None)
        if overall is None:
            raise DataError(dataset.name, f"no pair has a value of '{card.primary}'")
        metric = card.metrics[card.primary]
        return RunRecord(
            kind="evaluated" if source.submission is None else "submitted",
            submission=source.submission,
            method=source.card,
            distribution=source.distribution,
            protocol=card,
            dataset=dataset,
            primary=Primary(
                metric=card.primary,
                value=overall.value,
                ci_low=overall.ci_low,
                ci_high=overall.ci_high,
                unit=metric.unit,
                higher_is_better=metric.higher_is_better,
            ),
            scores=tuple(summary),
            confusion=protocol.confusion(scores),
            interval=Interval(unit=card.resample_by or "pair"),
            pairs=len(scores),
            not_found=not_found,
            complete=len(scores) == self.expected and not dataset.problems,
            pair_table=PairTable(file=table.name, sha256=file_sha256(table), rows=len(scores)),
            fingerprint=self.fingerprint,
            environment=joint_environment(self._environments) if self._environments else environment(source.device),
            cost=cost,
        )
