"""Makes run records as an evaluation would write them."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from ffbench.method import MethodCard, WeightsCard
from ffbench.protocol import DatasetCard, MetricCard, ProtocolCard, Score
from ffbench.results.record.run_record import Cost, Environment, Interval, PairTable, Primary, RunRecord, write_record

START = datetime(2025, 1, 1, tzinfo=timezone.utc)


def make_record(
    protocol: str,
    method: str,
    scores: dict[tuple[str, str], float],
    *,
    variant: str = "paper",
    origin: str = "real",
    weights: WeightsCard | None = None,
    options: dict[str, Any] | None = None,
    units: dict[str, str] | None = None,
    complete: bool = True,
    minute: int = 0,
    pairs: int = 7,
) -> RunRecord:
    """Make a record with `scores` by (metric, group); the first metric ranks."""
    units = units or {}
    metrics = {metric: MetricCard(title=metric, unit=units.get(metric, "px")) for metric, _ in scores}
    primary = next(iter(scores))
    return RunRecord.model_validate(
        {
            "kind": "evaluated",
            "method": MethodCard(id=method, title=method, weights=weights),
            "protocol": ProtocolCard(
                id=protocol, version="1.0", title=protocol, variant=variant, primary=primary[0], metrics=metrics,
                options=options or {},
            ),
            "dataset": DatasetCard(name="data", origin=origin, reference="annotation", manifest_sha256="0" * 64),
            "primary": Primary(metric=primary[0], value=scores[primary], ci_low=None, ci_high=None, unit="px",
                               higher_is_better=False),
            "scores": tuple(Score(metric=metric, group=group, value=value, pairs=pairs)
                            for (metric, group), value in scores.items()),
            "interval": Interval(unit="pair"),
            "pairs": pairs,
            "complete": complete,
            "pair_table": PairTable(file="pairs.parquet", sha256="0" * 64, rows=pairs),
            "fingerprint": "f" * 64,
            "environment": Environment(ffbench="0", git_commit=None, python="3", platform="p", processor="p",
                                       device="cpu", threads=1, packages={}),
            "cost": Cost(started=START + timedelta(minutes=minute), wall_seconds=1, method_seconds=1,
                         pairs_per_second=pairs, peak_memory_mb=1, resumed_pairs=0),
        }
    )  # fmt: skip


def save(root: Path, *records: RunRecord) -> Path:
    """Write records into a folder of runs."""
    for number, record in enumerate(records):
        write_record(
            root / record.protocol.id / record.method.id.replace("/", "_") / str(number) / "record.json", record
        )
    return root
