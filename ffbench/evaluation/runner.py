"""Predict, score, record: runs a method over the pairs of a protocol."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ffbench.atomic import remove_litter
from ffbench.cards import MethodCard, WeightsCard
from ffbench.errors import DataError, UsageError
from ffbench.evaluation.batches import read_batches
from ffbench.evaluation.fingerprint import pairs_fingerprint, run_fingerprint
from ffbench.evaluation.journal import Journal, Waiting
from ffbench.evaluation.pairs_cache import prune_pairs
from ffbench.evaluation.source import FlowKeeper, FlowSource, MethodSource
from ffbench.hashing import file_sha256
from ffbench.locks import writing_alone
from ffbench.protocol import DatasetCard, NumpyFlows, Pair, PairScore, Progress, Protocol
from ffbench.results.record.environment import environment, peak_memory_mb
from ffbench.results.record.pair_table import write_pair_table
from ffbench.results.record.run_record import (
    NOT_FOUND,
    RECORD,
    Cost,
    Interval,
    PairTable,
    Primary,
    RunRecord,
    at_path,
    now,
    write_record,
)

if TYPE_CHECKING:
    from ffbench.method import Method

_LONGEST_NAME = 80
"""Characters of the name of weights in a folder's name."""


def run_folder(
    out: Path | str, protocol_id: str, method_id: str, fingerprint: str, weights: WeightsCard | None = None
) -> Path:
    """Return the folder of one run: `record.json`, `pairs.parquet`, and while it runs `journal.jsonl`.

    Its name says which weights a network ran with: `OUT/PROTOCOL/METHOD@WEIGHTS-HASH/FINGERPRINT`.

    The journal of a protocol that learns lies in `pairs-<fingerprint>` beside it, with the descriptors of all pairs,
    and stays: whoever learns from the same flows again, with other options, does not estimate them again. The last
    used of these folders stay (`prune_pairs`).
    """
    name = _slug(method_id)
    if weights is not None:
        name += f"@{_slug(weights.label)[-_LONGEST_NAME:]}"
    return Path(out) / protocol_id / name / fingerprint[:12]


def evaluate(
    method: Method | FlowSource,
    protocol: Protocol[Any],
    *,
    out: Path | str = "runs",
    batch_size: int = 1,
    limit: int | None = None,
    progress: Progress | None = None,
    learning: Progress | None = None,
    waiting: Waiting | None = None,
    keep: Callable[[Path], FlowKeeper] | None = None,
) -> RunRecord:
    """Run `method` over the pairs of `protocol`, score them, and write the record and the table of pair scores.

    A run that was interrupted goes on where it stopped, with the same digits as one that was not: scored batches
    stand in a journal, which is removed at the end. A pair that cannot be read is named among the dataset's
    problems of the record, which is then not complete; the others are scored all the same.

    Args:
        method, protocol: what to run, on what. In place of a method, any other source of flows.
        out: folder of runs; what is written lies in `run_folder(out, ...)`.
        batch_size: pairs that go through the method at once. Pairs of different sizes never share a batch.
        limit: only the first pairs; such a record is not complete.
        progress: called after every batch, with the number of pairs that are done and of all.
        learning: called by a protocol that learns, with how much of that is done and how much there is.
        waiting: called, once and with a line that says so, when another process estimates the flows that a protocol
            learns from; they are waited for then. Without it, that is an error.
        keep: makes what keeps the flows of all pairs, out of the folder of the run. Pairs of an interrupted run whose
            flows were not kept are estimated again for that, and not scored again.

    Raises:
        DataError: no pair could be scored, the disk is full, or another process evaluates the same.
        MethodError: the method failed; what was scored is kept.
        UsageError: `batch_size` or `limit` below 1, a network would be compared with its own output, or another
            process learns the same.
    """
    if batch_size < 1 or (limit is not None and limit < 1):
        raise UsageError("batch size and limit must be at least 1")
    keys = list(protocol.keys())
    chosen = keys[:limit]
    if not chosen:
        raise DataError(protocol.dataset.name, "no pairs to evaluate")
    source = method if isinstance(method, FlowSource) else MethodSource(method)
    _refuse_own_reference(source.card, protocol.dataset)
    fingerprint = run_fingerprint(source, protocol, batch_size, limit)
    folder = run_folder(out, protocol.card.id, source.card.id, fingerprint, source.card.weights)
    started, clock = now(), time.perf_counter()
    problems: list[str] = []
    pairs_of = pairs_fingerprint(source, protocol, batch_size, limit) if protocol.learns else fingerprint
    place = folder.with_name(f"pairs-{pairs_of[:12]}") if protocol.learns else folder

    def finish(journal: Journal, resumed: int) -> RunRecord:
        order = {key: index for index, key in enumerate(chosen)}
        scores = sorted(journal.scores, key=lambda score: order[score.key])
        not_found = sum(score.labels.get("found") == NOT_FOUND for score in scores)
        if protocol.learns:
            scores = protocol.learn(scores, folder / "learning", learning)
        write_pair_table(folder / "pairs.parquet", scores)
        cost = Cost(
            started=started,
            wall_seconds=time.perf_counter() - clock,
            method_seconds=journal.method_seconds,
            clock=source.clock,
            pairs_per_second=len(scores) / max(journal.method_seconds, 1e-9),
            peak_memory_mb=peak_memory_mb(),
            peak_device_memory_mb=source.peak_memory_mb(),
            resumed_pairs=resumed,
        )
        record = _record(source, protocol, scores, not_found, problems, len(keys), folder, fingerprint, cost)
        write_record(folder / RECORD, record)
        return at_path(record, folder / RECORD)

    with Journal(place / "journal.jsonl", pairs_of, waiting if protocol.learns else None) as journal:
        remove_litter(place)
        resumed = len(journal.scores)
        done = {score.key for score in journal.scores}
        remaining = [key for key in chosen if key not in done]
        if progress:
            progress(resumed, len(chosen))
        keeper = None if keep is None else keep(folder)
        if keeper is not None:
            lacking = [key for key in chosen if key in done and not keeper.has(key)]
            for batch in read_batches(protocol, lacking, batch_size, problems):
                _keep(keeper, batch, *source.flows(batch, protocol.needs_backward)[:2])
        for batch in read_batches(protocol, remaining, batch_size, problems):
            forward, backward, seconds = source.flows(batch, protocol.needs_backward)
            if keeper is not None:
                _keep(keeper, batch, forward, backward)
            parts = zip(batch, forward, backward, strict=True)
            journal.append([_score(protocol, pair, there, back) for pair, there, back in parts], seconds)
            if progress:
                progress(len(journal.scores) + len(problems), len(chosen))
        if not journal.scores:
            raise DataError(protocol.dataset.name, f"no pair could be read; the first problem: {problems[0]}")
        if not protocol.learns:
            record = finish(journal, resumed)
            journal.remove()
    if protocol.learns:
        # The journal is free by now: who learns from the same flows with other options need not wait for this.
        with writing_alone(folder):
            record = finish(journal, resumed)
            shutil.rmtree(folder / "learning", ignore_errors=True)
        prune_pairs(folder.parent)
    return record


def _keep(
    keeper: FlowKeeper,
    batch: Sequence[Pair[Any]],
    forward: Sequence[NumpyFlows],
    backward: Sequence[NumpyFlows] | Sequence[None],
) -> None:
    for pair, there, back in zip(batch, forward, backward, strict=True):
        keeper.write(pair.key, there, back)


def _refuse_own_reference(card: MethodCard, dataset: DatasetCard) -> None:
    if card.weights is not None and card.weights.sha256 in dataset.reference_networks:
        raise UsageError(
            f"{card.id}: the reference of {dataset.name} was made by the same network ({card.weights.name}), so the "
            "score would be its agreement with itself; choose a dataset with another reference"
        )


def _score(protocol: Protocol[Any], pair: Pair[Any], forward: NumpyFlows, backward: NumpyFlows | None) -> PairScore:
    """Score a pair, and mark it where the method found nothing to go by in one of the two directions."""
    score = protocol.score(pair, forward, backward)
    found = [flows.found.all() for flows in (forward, backward) if flows is not None and flows.found is not None]
    return score if all(found) else replace(score, labels={**score.labels, "found": NOT_FOUND})


def _record(
    source: FlowSource,
    protocol: Protocol[Any],
    scores: Sequence[PairScore],
    not_found: int,
    problems: Sequence[str],
    expected: int,
    folder: Path,
    fingerprint: str,
    cost: Cost,
) -> RunRecord:
    card, table = protocol.card, folder / "pairs.parquet"
    dataset = protocol.dataset.model_copy(update={"problems": (*protocol.dataset.problems, *problems)})
    summary = protocol.summarise(scores)
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
        complete=len(scores) == expected and not dataset.problems,
        pair_table=PairTable(file=table.name, sha256=file_sha256(table), rows=len(scores)),
        fingerprint=fingerprint,
        environment=environment(source.device),
        cost=cost,
    )


def _slug(name: str) -> str:
    """Make a method's name safe as a folder's."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name)
