"""A run of a learning protocol: describe all pairs, learn, record."""

from __future__ import annotations

import shutil
from typing import Any

from ffbench.evaluation.fingerprint import pairs_fingerprint
from ffbench.evaluation.learning.descriptors import DescriptorJournal, Waiting
from ffbench.evaluation.learning.pairs_cache import prune_pairs
from ffbench.evaluation.run import Run
from ffbench.io.locks import writing_alone
from ffbench.protocol import LearningProtocol, Progress
from ffbench.results.record.run_record import RunRecord
from ffbench.scores import count_not_found


def evaluate_learning(
    run: Run, protocol: LearningProtocol[Any], limit: int | None, progress: Progress | None, waiting: Waiting | None
) -> RunRecord:
    """Describe the pairs of a run, learn from them, and write the record and the table of pair scores.

    The journal lies in `pairs-<fingerprint>` beside the folder of the run, with the descriptors, and stays; the last
    used of these folders stay (`prune_pairs`).

    Args:
        run: of the protocol.
        protocol: the same.
        limit: how many pairs were asked for; None: all.
        progress: of the learning.
        waiting: told when another process estimates the same flows, which are waited for then; None: an error.

    Raises:
        DataError, MethodError: as of `Run.estimate` and `Run.finish`.
        UsageError: another process learns the same.
    """
    flows_of = pairs_fingerprint(run.source, protocol, run.batch_size, limit)
    place = run.folder.with_name(f"pairs-{flows_of[:12]}")
    with DescriptorJournal(place / "journal.jsonl", flows_of, waiting) as journal:
        pairs = run.estimate(journal)
    # The journal is free by now: who learns from the same flows with other options need not wait for this.
    with writing_alone(run.folder):
        scores = protocol.learn(pairs, run.folder / "learning", progress)
        record = run.finish(
            scores,
            not_found=count_not_found(pairs),
            method_seconds=journal.method_seconds,
            learning_seconds=protocol.learning_seconds,
        )
        shutil.rmtree(run.folder / "learning", ignore_errors=True)
    prune_pairs(run.folder.parent)
    return record
