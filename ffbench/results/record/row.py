"""What a table of results needs of a record: small enough that tens of thousands are read at once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from ffbench.cards import OWN_PREFIX
from ffbench.protocol import MetricCard, Origin
from ffbench.results.record.run_record import RECORD, RunRecord

ORIGINS = get_args(Origin)
"""In the order in which boards are listed."""
Level = Literal["claimed", "verified", "local"]
"""claimed: sent in to a store; verified: scored again by those who keep the store; local: a run, in no store."""


_OWN_PACKAGE = "ffbench"


@dataclass(frozen=True)
class Board:
    """What two results must share to stand in one table."""

    protocol: str
    version: str
    variant: str
    options: str
    dataset: str
    origin: str
    reference: str
    manifest_sha256: str

    @property
    def title(self) -> str:
        """Name the board in a line: protocol, variant, options, dataset and whether it is real."""
        options = "".join(f", {key}={value}" for key, value in json.loads(self.options).items())
        return (
            f"{self.protocol} {self.version} ({self.variant}{options}) on {self.dataset}: "
            f"{self.origin} data, {self.reference} reference"
        )


@dataclass(frozen=True)
class Row:
    """One record on a board. `table` is the table of pair scores, as its record names it.

    `owner` is who stands for the method. Of flows that were made elsewhere: the contact, or without one the flows
    themselves, whose hash is `flows`; of a method that ffbench ran: its package, "" for ffbench itself.
    `device` says what speeds may be compared on: a GPU by its name, a processor with the threads that were used.
    """

    path: str
    level: Level
    board: Board
    kind: str
    method: str
    title: str
    paper: str | None
    code: str | None
    identity: str
    owner: str
    flows: str
    metric: str
    metric_title: str
    unit: str
    higher_is_better: bool
    value: float
    ci_low: float | None
    ci_high: float | None
    no_interval: str | None
    claimed: float | None
    resample_by: str | None
    pairs: int
    started: str
    device: str
    pairs_per_second: float
    parameters: int | None
    memory_mb: float
    device_memory_mb: float | None
    not_rankable: tuple[str, ...]
    table: str
    table_sha256: str


def row_of(path: Path | str, level: Level, record: RunRecord, metric: MetricCard | None = None) -> Row:
    """Take from a record what a row of a table shows, and what is needed to rank it.

    Args:
        path, level, record: the record and where it lies.
        metric: what the protocol itself says of the primary metric; None: what the record says of it.
    """
    path = Path(path)
    card, dataset, primary = record.protocol, record.dataset, record.primary
    submission = record.submission
    metric = metric or card.metrics.get(primary.metric)
    metric = metric or MetricCard(title=primary.metric, unit=primary.unit, higher_is_better=primary.higher_is_better)
    board = Board(
        protocol=card.id,
        version=card.version,
        variant=card.variant,
        options=json.dumps(card.options, sort_keys=True),
        dataset=dataset.name,
        origin=dataset.origin,
        reference=dataset.reference,
        manifest_sha256=dataset.manifest_sha256,
    )
    return Row(
        path=str(path),
        level=level,
        board=board,
        kind=record.kind,
        method=record.method.id,
        title=record.method.title,
        paper=record.method.paper,
        code=submission.code if submission else None,
        identity=json.dumps([record.kind, record.method.model_dump(mode="json")], sort_keys=True),
        owner=_owner(record),
        flows=submission.sha256 if submission else "",
        metric=primary.metric,
        metric_title=metric.title,
        unit=metric.unit,
        higher_is_better=metric.higher_is_better,
        value=primary.value,
        ci_low=primary.ci_low,
        ci_high=primary.ci_high,
        no_interval=next(
            (s.no_interval for s in record.scores if (s.metric, s.group) == (primary.metric, "all")), None
        ),
        claimed=submission.claimed if submission else None,
        resample_by=card.resample_by,
        pairs=record.pairs,
        started=record.cost.started.isoformat(),
        device=_device(record),
        pairs_per_second=record.cost.pairs_per_second,
        parameters=record.method.parameters,
        memory_mb=record.cost.peak_memory_mb,
        device_memory_mb=record.cost.peak_device_memory_mb,
        not_rankable=tuple(record.not_rankable),
        table=str(table_path(path, record)),
        table_sha256=record.pair_table.sha256,
    )


def _owner(record: RunRecord) -> str:
    if record.submission is not None:
        return record.submission.contact or f"predictions {record.submission.sha256}"
    if record.method.id.startswith(OWN_PREFIX):
        return "code of a user's own"
    package = record.distribution.name if record.distribution is not None else _OWN_PACKAGE
    # Records of earlier versions do not say, and were ffbench's own methods as a rule.
    return "" if package == _OWN_PACKAGE else f"package {package}"


def _device(record: RunRecord) -> str:
    where = record.environment
    if where.device != "cpu":
        return where.device
    return f"{where.processor}, {where.threads} thread{'s' if where.threads != 1 else ''}"


def table_path(path: Path | str, record: RunRecord) -> Path:
    """Return where a record's table of pair scores lies: beside it, in a store under the record's own name."""
    path = Path(path)
    # The name in the record is a stranger's: only its last part may count.
    return path.with_name(Path(record.pair_table.file).name) if path.name == RECORD else path.with_suffix(".parquet")
