"""Predict, score, record: runs a method over the pairs of a protocol."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ffbench.cards import MethodCard, WeightsCard
from ffbench.errors import DataError, UsageError
from ffbench.evaluation.fingerprint import run_fingerprint
from ffbench.evaluation.journal import Journal
from ffbench.evaluation.learning.descriptors import Waiting
from ffbench.evaluation.learning.learn import evaluate_learning
from ffbench.evaluation.run import Run
from ffbench.evaluation.shards import Elsewhere
from ffbench.evaluation.source import FlowKeeper, FlowSource, MethodSource
from ffbench.protocol import DatasetCard, LearningProtocol, Progress, Protocol
from ffbench.results.record.run_record import RunRecord
from ffbench.scores import count_not_found

if TYPE_CHECKING:
    from ffbench.method import Method

_LONGEST_NAME = 80
"""Characters of the name of weights in a folder's name."""


def run_folder(
    out: Path | str, protocol_id: str, method_id: str, fingerprint: str, weights: WeightsCard | None = None
) -> Path:
    """Return the folder of one run: `record.json`, `pairs.parquet`, and while it runs `journal.jsonl`.

    Its name says which weights a network ran with: `OUT/PROTOCOL/METHOD@WEIGHTS-HASH/FINGERPRINT`.
    """
    name = folder_name(method_id)
    if weights is not None:
        name += f"@{folder_name(weights.label)[-_LONGEST_NAME:]}"
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
    elsewhere: Elsewhere | None = None,
) -> RunRecord:
    """Run `method` over the pairs of `protocol`, score them, and write the record and the table of pair scores.

    A run that was interrupted goes on where it stopped, with the same digits as one that was not: scored batches
    stand in a journal, which is removed at the end. A pair that cannot be read is named among the dataset's
    problems of the record, which is then not complete; the others are scored all the same.

    Args:
        method: what to run, or any other source of flows.
        protocol: what to run it on.
        out: folder of runs; what is written lies in `run_folder(out, ...)`.
        batch_size: pairs that go through the method at once. Pairs of different sizes never share a batch.
        limit: only the first pairs; such a record is not complete.
        progress: called after every batch, with the number of pairs that are done and of all.
        learning: called by a learning protocol, with how much of that is done and how much there is.
        waiting: called, once and with a line that says so, when another process estimates the flows that a learning
            protocol shares; they are waited for then. Without it, that is an error.
        keep: makes what keeps the flows of all pairs, out of the folder of the run. Pairs of an interrupted run whose
            flows were not kept are estimated again for that, and not scored again.
        elsewhere: who estimates and scores shards of the pairs in other processes, to the same digits; None: this
            process does. The cost of a run is summed over all.

    Raises:
        DataError: no pair could be scored, the disk is full, or another process evaluates the same.
        MethodError: the method failed; what was scored is kept.
        UsageError: `batch_size` or `limit` below 1, a network would be compared with its own output, another process
            learns the same, or flows are to be kept that are estimated elsewhere.
    """
    if batch_size < 1 or (limit is not None and limit < 1):
        raise UsageError("batch size and limit must be at least 1")
    if keep is not None and elsewhere is not None:
        raise UsageError("flows are kept where they are estimated: keep them without Ray, or run `ffbench predict`")
    keys = list(protocol.keys())
    chosen = keys[:limit]
    if not chosen:
        raise DataError(protocol.dataset.name, "no pairs to evaluate")
    source = method if isinstance(method, FlowSource) else MethodSource(method)
    _refuse_own_reference(source.card, protocol.dataset)
    fingerprint = run_fingerprint(source, protocol, batch_size, limit)
    folder = run_folder(out, protocol.card.id, source.card.id, fingerprint, source.card.weights)
    keeper = None if keep is None else keep(folder)
    run = Run(source, protocol, len(keys), chosen, batch_size, folder, fingerprint, progress, keeper, elsewhere, limit)
    if isinstance(protocol, LearningProtocol):
        return evaluate_learning(run, protocol, limit, learning, waiting)
    with Journal(folder / "journal.jsonl", fingerprint) as journal:
        scores = run.estimate(journal)
        record = run.finish(scores, not_found=count_not_found(scores), method_seconds=journal.method_seconds)
        journal.remove()
    return record


def _refuse_own_reference(card: MethodCard, dataset: DatasetCard) -> None:
    if card.weights is not None and card.weights.sha256 in dataset.reference_networks:
        raise UsageError(
            f"{card.id}: the reference of {dataset.name} was made by the same network ({card.weights.name}), so the "
            "score would be its agreement with itself; choose a dataset with another reference"
        )


def folder_name(name: str) -> str:
    """Make a method's name safe as a folder's."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name)
