"""The paper's Tables 2 to 5 as data, and what of them run records have measured.

The numbers lie in `protocols/reported/table<N>.toml`: columns say which score of which protocol they are, rows hold
the values as they are printed.
"""

from __future__ import annotations

import sys
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ffbench.errors import DataError, UsageError
from ffbench.paths import reported_tables
from ffbench.protocol import Score
from ffbench.results.record.run_record import RunRecord, read_record

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # type: ignore[import-not-found, unused-ignore]

NUMBERS = (2, 3, 4, 5)
Option = str | int | float | bool


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Column(_Frozen):
    """One column: the score of a protocol that it shows."""

    name: str
    protocol: str
    metric: str
    group: str = "all"
    unit: str
    higher_is_better: bool = False
    pairs: int | None = Field(default=None, description="pairs that the paper measured on, where it says")
    options: Mapping[str, Option] = Field(
        default_factory=dict, description="options that a protocol must have been run with to stand in this column"
    )
    on_synthetic: Mapping[str, Option] = Field(
        default_factory=dict, description="what takes the place of `options` of the same name on synthetic data"
    )


class ReportedRow(_Frozen):
    """One row, as it is printed."""

    name: str
    note: str = ""
    values: tuple[Decimal, ...] = Field(description="one a column, with as many decimals as are printed")
    methods: tuple[str, ...] = Field(default=(), description="ids of methods here that are this row's")
    options: Mapping[str, Option] = Field(
        default_factory=dict, description="options of the protocol that are this row's"
    )
    against: str | None = Field(default=None, description="row that `changes` are against")
    changes: tuple[Decimal, ...] = Field(default=(), description="printed changes, one a column")


class ReportedTable(_Frozen):
    """A table of the paper."""

    number: int
    title: str
    section: str
    distinguish: tuple[str, ...] = Field(default=(), description="options that tell measured rows of a method apart")
    columns: tuple[Column, ...]
    rows: tuple[ReportedRow, ...]

    @model_validator(mode="after")
    def _fits(self) -> ReportedTable:
        names = [row.name for row in self.rows]
        for row in self.rows:
            if len(row.values) != len(self.columns) or len(row.changes) not in (0, len(self.columns)):
                raise ValueError(f"row {row.name}: expected {len(self.columns)} values")
            if (row.against is None) != (not row.changes) or row.against not in (None, *names):
                raise ValueError(f"row {row.name}: `changes` and `against`, a row's name, go together")
        if len(set(names)) < len(names):
            raise ValueError("two rows have one name")
        return self

    def row(self, name: str) -> ReportedRow:
        """Return the row of that name.

        Raises:
            UsageError: there is none.
        """
        for row in self.rows:
            if row.name == name:
                return row
        raise UsageError(f"Table {self.number} has no row '{name}'; it has {', '.join(row.name for row in self.rows)}")

    def value(self, row: str, column: str) -> Decimal:
        """Return one printed number; KeyError where there is no such column."""
        values = dict(zip((column.name for column in self.columns), self.row(row).values, strict=True))
        return values[column]

    def decimals(self, column: int) -> int:
        """Say how many decimals a column is printed with."""
        return max(-int(row.values[column].as_tuple().exponent) for row in self.rows)


@dataclass(frozen=True)
class MeasuredRow:
    """What records have of one method in one reading of the protocols; scores by column, None where there are none."""

    label: str
    """Method, weights that came from a file, and what else tells rows apart: `raft`, `gma@mine.ckpt#1a2b3c4d`."""
    variant: str
    origin: str
    scores: tuple[Score | None, ...]
    row: str | None
    """Name of the paper's row that is the same method."""


@dataclass
class _Cells:
    record: RunRecord
    found: dict[int, RunRecord] = field(default_factory=dict)


@cache
def reported_table(number: int) -> ReportedTable:
    """Read a table of the paper.

    Raises:
        UsageError: the table is not one of `NUMBERS`.
    """
    if number not in NUMBERS:
        raise UsageError(f"Table {number} is not here; there are Tables {', '.join(map(str, NUMBERS))}")
    return ReportedTable.model_validate(tomllib.loads((reported_tables() / f"table{number}.toml").read_text("utf-8")))


def find_records(folder: Path) -> tuple[list[RunRecord], list[str]]:
    """Read every `record.json` under `folder`; what cannot be read is named in the second list, one line each."""
    records: list[RunRecord] = []
    problems: list[str] = []
    for path in sorted(folder.rglob("record.json")):
        try:
            records.append(read_record(path))
        except DataError as error:
            problems.append(str(error))
    return records, problems


def measured_rows(
    table: ReportedTable, records: Sequence[RunRecord], same_as: Mapping[str, str] | None = None
) -> tuple[list[MeasuredRow], list[str]]:
    """Sort records into the rows and columns of a table; of several for one cell the latest run counts.

    Args:
        table: the paper's table.
        records: any records; those of other protocols are passed over.
        same_as: labels of measured rows and the paper's row that each is to be compared with.

    Returns:
        The rows, sorted by label, and one line for each record that belongs to a column and cannot stand in it.

    Raises:
        UsageError: `same_as` names a row that the table has not, or a label that was not measured.
    """
    same_as = dict(same_as or {})
    for name in same_as.values():
        table.row(name)
    rows: dict[tuple[str, str, str], _Cells] = {}
    left_out: dict[str, None] = {}
    wanted = {column.protocol for column in table.columns}
    records = sorted((r for r in records if r.protocol.id in wanted), key=lambda record: record.cost.started)
    for record, label in zip(records, row_labels(records, table), strict=True):
        for number, column in enumerate(table.columns):
            if record.protocol.id != column.protocol:
                continue
            reason = _not_comparable(record, column)
            if reason is not None:
                left_out[f"{label} on {column.protocol}: {reason}"] = None
                continue
            key = (label, record.protocol.variant, record.dataset.origin)
            rows.setdefault(key, _Cells(record)).found[number] = record
    unknown = sorted(set(same_as) - {label for label, _, _ in rows})
    if unknown:
        raise UsageError(
            f"no record of '{unknown[0]}'; there are {', '.join(sorted({key[0] for key in rows})) or 'none'}"
        )
    measured = [
        MeasuredRow(
            label=label,
            variant=variant,
            origin=origin,
            scores=tuple(_score(cells.found.get(number), column) for number, column in enumerate(table.columns)),
            row=same_as.get(label) or _same_row(table, cells.record),
        )
        for (label, variant, origin), cells in sorted(rows.items())
    ]
    return measured, list(left_out)


def row_labels(records: Sequence[RunRecord], table: ReportedTable) -> list[str]:
    """Name the measured row that each record belongs to; files of one name are told apart by their hash."""
    files: dict[tuple[str, str], set[str | None]] = {}
    for record in records:
        if record.method.weights is not None:
            files.setdefault((record.method.id, record.method.weights.name), set()).add(record.method.weights.sha256)
    several = {key for key, hashes in files.items() if len(hashes) > 1}
    return [_row_label(record, table, several) for record in records]


def _row_label(record: RunRecord, table: ReportedTable, several: Container[tuple[str, str]]) -> str:
    weights = record.method.weights
    label = record.method.id
    if weights is not None:
        if weights.source == "file":
            label += f"@{weights.name}"
        if (record.method.id, weights.name) in several:
            label += f"#{(weights.sha256 or 'unknown')[:8]}"
    if record.kind == "submitted":
        label += " [submitted]"
    options = record.protocol.options
    chosen = [str(options[name]) for name in table.distinguish if options.get(name, "none") != "none"]
    return f"{label} ({', '.join(chosen)})" if chosen else label


def _not_comparable(record: RunRecord, column: Column) -> str | None:
    if record.not_rankable:
        return ", ".join(record.not_rankable)
    synthetic = column.on_synthetic if record.dataset.origin == "synthetic" else {}
    for name, wanted in {**column.options, **synthetic}.items():
        found = record.protocol.options.get(name)
        if found != wanted:
            return f"run with {name} = {found}, the column needs {name} = {wanted}"
    metric = record.protocol.metrics.get(column.metric)
    if metric is None or metric.unit != column.unit:
        return f"has no {column.metric} in {column.unit}"
    return None


def _score(record: RunRecord | None, column: Column) -> Score | None:
    try:
        return None if record is None else record.score(column.metric, column.group)
    except KeyError:
        return None


def _same_row(table: ReportedTable, record: RunRecord) -> str | None:
    """Find the paper's row of a method. Weights from a file, and flows made elsewhere, only the user can place."""
    weights = record.method.weights
    if record.kind == "submitted" or (weights is not None and weights.source == "file"):
        return None
    for row in table.rows:
        fits = all(record.protocol.options.get(name, wanted) == wanted for name, wanted in row.options.items())
        if record.method.id in row.methods and fits:
            return row.name
    return None
