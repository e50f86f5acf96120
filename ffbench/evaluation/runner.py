"""Predict, score, record: runs a method over the pairs of a protocol."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ffbench.errors import DataError, UsageError
from ffbench.evaluation.fingerprint import run_fingerprint
from ffbench.evaluation.journal import Journal
from ffbench.method import Flows, Method
from ffbench.protocol import Image, NumpyFlows, Pair, PairScore, Protocol
from ffbench.results.environment import environment, peak_memory_mb
from ffbench.results.pair_table import write_pair_table
from ffbench.results.record import Cost, Interval, PairTable, Primary, RunRecord, file_sha256, now, write_record

Progress = Callable[[int, int], None]
"""Called with the number of pairs that are done and the number of all pairs."""
_READERS = 2
_PREFETCH = 2
"""Pairs that are read ahead, beside the batch at hand: bounds memory whatever the number of pairs."""


def run_folder(out: Path | str, protocol_id: str, method_id: str, fingerprint: str) -> Path:
    """Give the folder of one run: `record.json`, `pairs.parquet`, and while it runs `journal.jsonl`."""
    return Path(out) / protocol_id / _slug(method_id) / fingerprint[:12]


def evaluate(
    method: Method,
    protocol: Protocol[Any],
    *,
    out: Path | str = "runs",
    batch_size: int = 1,
    limit: int | None = None,
    progress: Progress | None = None,
) -> RunRecord:
    """Run `method` over the pairs of `protocol`, score them, and write the record and the table of pair scores.

    A run that was interrupted goes on where it stopped, with the same digits as one that was not: scored batches
    stand in a journal, which is removed at the end. A pair that cannot be read is named among the dataset's
    problems of the record, which is then not complete; the others are scored all the same.

    Args:
        method, protocol: what to run, on what.
        out: folder of runs; what is written lies in `run_folder(out, ...)`.
        batch_size: pairs that go through the method at once. Pairs of different sizes never share a batch.
        limit: only the first pairs; such a record is not complete.
        progress: called after every batch.

    Raises:
        DataError: no pair could be scored, or the disk is full.
        MethodError: the method failed; what was scored is kept.
        UsageError: `batch_size` or `limit` below 1.
    """
    if batch_size < 1 or (limit is not None and limit < 1):
        raise UsageError("batch size and limit must be at least 1")
    keys = list(protocol.keys())
    chosen = keys[:limit]
    if not chosen:
        raise DataError(f"{protocol.dataset.name}: no pairs to evaluate")
    fingerprint = run_fingerprint(method, protocol, batch_size, limit)
    folder = run_folder(out, protocol.card.id, method.card.id, fingerprint)
    started, clock = now(), time.perf_counter()
    if method.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(method.device)
    problems: list[str] = []
    with Journal(folder / "journal.jsonl", fingerprint) as journal:
        resumed = len(journal.scores)
        done = {score.key for score in journal.scores}
        remaining = [key for key in chosen if key not in done]
        if progress:
            progress(resumed, len(chosen))
        for batch in _batches(protocol, remaining, batch_size, problems):
            scores, seconds = _predict_and_score(method, protocol, batch)
            journal.append(scores, seconds)
            if progress:
                progress(len(journal.scores) + len(problems), len(chosen))
        if not journal.scores:
            raise DataError(f"{protocol.dataset.name}: no pair could be read; the first problem: {problems[0]}")
        order = {key: index for index, key in enumerate(chosen)}
        scores = sorted(journal.scores, key=lambda score: order[score.key])
        write_pair_table(folder / "pairs.parquet", scores)
        cost = Cost(
            started=started,
            wall_seconds=time.perf_counter() - clock,
            method_seconds=journal.method_seconds,
            pairs_per_second=len(scores) / max(journal.method_seconds, 1e-9),
            peak_memory_mb=peak_memory_mb(),
            peak_device_memory_mb=_peak_device_memory_mb(method.device),
            resumed_pairs=resumed,
        )
        record = _record(method, protocol, scores, problems, len(keys), folder, fingerprint, cost)
        write_record(folder / "record.json", record)
        journal.remove()
    return record


def _batches(
    protocol: Protocol[Any], keys: Sequence[str], batch_size: int, problems: list[str]
) -> Iterator[list[Pair[Any]]]:
    """Read pairs ahead in threads and give them in order, in batches of one image size."""
    batch: list[Pair[Any]] = []
    for pair in _read_ahead(protocol, keys, batch_size + _PREFETCH, problems):
        if batch and (len(batch) == batch_size or pair.image1.shape != batch[0].image1.shape):
            yield batch
            batch = []
        batch.append(pair)
    if batch:
        yield batch


def _read_ahead(protocol: Protocol[Any], keys: Sequence[str], ahead: int, problems: list[str]) -> Iterator[Pair[Any]]:
    waiting: deque[Future[Pair[Any]]] = deque()
    left = iter(keys)
    with ThreadPoolExecutor(_READERS, thread_name_prefix="ffbench-read") as readers:
        try:
            while True:
                while len(waiting) < ahead and (key := next(left, None)) is not None:
                    waiting.append(readers.submit(protocol.load, key))
                if not waiting:
                    return
                try:
                    yield waiting.popleft().result()
                except DataError as error:
                    problems.append(str(error))
        finally:
            for future in waiting:
                future.cancel()


def _predict_and_score(
    method: Method, protocol: Protocol[Any], batch: Sequence[Pair[Any]]
) -> tuple[list[PairScore], float]:
    clock = time.perf_counter()
    image1 = _to_tensor([pair.image1 for pair in batch], method.device)
    image2 = _to_tensor([pair.image2 for pair in batch], method.device)
    forward = _to_arrays(method.estimate(image1, image2))
    backward: list[NumpyFlows] | list[None] = [None] * len(batch)
    if protocol.needs_backward:
        backward = _to_arrays(method.estimate(image2, image1))
    seconds = time.perf_counter() - clock
    scores = [protocol.score(*parts) for parts in zip(batch, forward, backward, strict=True)]
    return scores, seconds


def _to_tensor(images: Sequence[Image], device: torch.device) -> torch.Tensor:
    """Give (B, 3, H, W) float32 in [0, 1] on `device`; bytes travel, since they are a quarter of the floats."""
    stacked = images[0][None] if len(images) == 1 else np.stack(images)
    return torch.from_numpy(np.ascontiguousarray(stacked)).to(device).permute(0, 3, 1, 2).float().div_(255)


def _to_arrays(flows: Flows[torch.Tensor]) -> list[NumpyFlows]:
    """Give one (H, W, 2) view a pair; the copy to the CPU also waits for the GPU, so that timings are true."""
    facial = flows.facial.float().permute(0, 2, 3, 1).cpu().numpy()
    head = None if flows.head is None else flows.head.float().permute(0, 2, 3, 1).cpu().numpy()
    return [Flows(facial[i], None if head is None else head[i]) for i in range(len(facial))]


def _record(
    method: Method,
    protocol: Protocol[Any],
    scores: Sequence[PairScore],
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
        raise DataError(f"{dataset.name}: no pair has a value of '{card.primary}'")
    metric = card.metrics[card.primary]
    return RunRecord(
        method=method.card,
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
        interval=Interval(unit=card.resample_by or "pair"),
        pairs=len(scores),
        complete=len(scores) == expected and not dataset.problems,
        pair_table=PairTable(file=table.name, sha256=file_sha256(table), rows=len(scores)),
        fingerprint=fingerprint,
        environment=environment(method.device),
        cost=cost,
    )


def _peak_device_memory_mb(device: torch.device) -> float | None:
    return torch.cuda.max_memory_allocated(device) / 2**20 if device.type == "cuda" else None


def _slug(name: str) -> str:
    """Make a method's name safe as a folder's."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name)
