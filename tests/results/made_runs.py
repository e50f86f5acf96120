"""Records with pair scores of our choice, written as a run writes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ffbench.evaluation import evaluate
from ffbench.io.hashing import file_sha256
from ffbench.method import MethodCard
from ffbench.metrics.statistics.summary import summarize_means
from ffbench.protocol import PairScore, Term
from ffbench.results.record.pair_table import write_pair_table
from ffbench.results.record.row import Row, row_of
from ffbench.results.record.run_record import PairTable, RunRecord, write_record
from tests.toys import BrightnessFlow, Stripes


@cache
def base_record() -> RunRecord:
    """A record of the toys, whose parts the others take over."""
    with TemporaryDirectory() as folder:
        return evaluate(BrightnessFlow(), Stripes(3), out=folder)


def make_run(
    folder: Path,
    name: str,
    values: Sequence[float],
    *,
    counts: Sequence[float] | None = None,
    left: Sequence[float] | None = None,
    labels: Sequence[Mapping[str, str]] | None = None,
    resample_by: str | None = None,
    higher_is_better: bool = False,
    dataset: Mapping[str, Any] | None = None,
    card: Mapping[str, Any] | None = None,
    minute: int = 0,
    **changes: Any,
) -> Path:
    """Write `folder/name/record.json` and its table; pair i has the value values[i]. Gives the record's path."""
    base = base_record()
    counts = [1.0] * len(values) if counts is None else counts
    scores = []
    for index, (value, count) in enumerate(zip(values, counts, strict=True)):
        terms = {"epe": Term(float(value) * count, count)}
        if left is not None:
            terms["epe/left"] = Term(float(left[index]), 1.0)
        scores.append(PairScore(f"{index:05d}", terms, labels[index] if labels else {}))
    path = folder / name / "record.json"
    table = path.with_name("pairs.parquet")
    write_pair_table(table, scores)
    summary = summarize_means(scores, base.protocol.metrics, resample_by=resample_by)
    overall = next(score for score in summary if score.metric == "epe" and score.group == "all")
    metrics = {"epe": base.protocol.metrics["epe"].model_copy(update={"higher_is_better": higher_is_better})}
    groups = tuple(labels[0]) if labels else ()
    protocol = base.protocol.model_copy(
        update={"resample_by": resample_by, "group_by": groups, "metrics": metrics, **(card or {})}
    )
    record = base.model_copy(
        update={
            "method": MethodCard(id=name, title=name.title()),
            "protocol": protocol,
            "interval": base.interval.model_copy(update={"unit": resample_by or "pair"}),
            "dataset": base.dataset.model_copy(update=dict(dataset or {})),
            "primary": base.primary.model_copy(
                update={
                    "value": overall.value,
                    "ci_low": overall.ci_low,
                    "ci_high": overall.ci_high,
                    "higher_is_better": higher_is_better,
                }
            ),
            "scores": tuple(summary),
            "pairs": len(scores),
            "pair_table": PairTable(file=table.name, sha256=file_sha256(table), rows=len(scores)),
            "cost": base.cost.model_copy(
                update={
                    "started": datetime(2026, 1, 1, 0, minute, tzinfo=timezone.utc),
                    "pairs_per_second": len(scores) / base.cost.method_seconds,
                }
            ),
            **changes,
        }
    )
    write_record(path, record)
    return path


def row(path: Path) -> Row:
    """Return the row of a record that was scored here."""
    return row_of(path, "verified", RunRecord.model_validate_json(path.read_bytes()))
