"""Which rows a store lacks, and which of its records are of a method, protocol or dataset that is another one now."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic_core import from_json

from ffbench.errors import FfbenchError
from ffbench.evaluation.shipping.rows import PlannedRow, Reading
from ffbench.method import MethodCard
from ffbench.protocol import DatasetCard, ProtocolCard
from ffbench.registry import load_method, load_protocol
from ffbench.results.record.run_record import SCHEMA_VERSION, RunRecord, read_record
from ffbench.results.store.records import record_files
from ffbench.vouching import vouched_card

_OWN_PACKAGE = "ffbench"
_OF_DATASET = ("name", "origin", "reference", "reference_networks", "manifest_sha256")
_LONGEST = 60
"""Characters that are shown of a value that changed."""


@dataclass(frozen=True)
class Shipped:
    """A record of a method of ffbench's own, as it lies in a store."""

    path: Path
    record: RunRecord
    schema_version: int


@dataclass(frozen=True)
class RowState:
    """What a store has of a row.

    Attributes:
        row: the row.
        shipped: its records, of which there should be one.
        reasons: why it is to be run, empty if its record is up to date.
        unusable: why it cannot be run here.
        dataset: the name of the dataset that it is measured on; empty where that is not known.
    """

    row: PlannedRow
    shipped: tuple[Shipped, ...]
    reasons: tuple[str, ...]
    unusable: str | None = None
    dataset: str = ""

    @property
    def current(self) -> bool:
        """Whether its record is up to date."""
        return not self.reasons and self.unusable is None


def shipped_records(store: Path) -> list[Shipped]:
    """Read the verified records of a store that are of methods of ffbench's own.

    Raises:
        DataError: a record cannot be read.
    """
    found = []
    for path, level in record_files([store]) if (store / "verified").is_dir() else []:
        if level != "verified":
            continue
        record = read_record(path)
        package = record.distribution.name if record.distribution is not None else _OWN_PACKAGE
        if record.kind == "evaluated" and package == _OWN_PACKAGE:
            found.append(Shipped(path, record, from_json(path.read_bytes())["schema_version"]))
    return found


def row_states(rows: Iterable[PlannedRow], shipped: Iterable[Shipped]) -> Iterator[RowState]:
    """Compare rows with records, one after the other, without running anything.

    Each protocol is opened when its first row comes, which can take long where its data are still to be made.
    """
    by_row: dict[str, list[Shipped]] = {}
    for one in shipped:
        by_row.setdefault(_row_of(one.record.method.id, one.record.protocol), []).append(one)
    protocols: dict[str, tuple[ProtocolCard, DatasetCard] | str] = {}
    methods: dict[str, MethodCard | str] = {}
    for row in rows:
        if row.reading.title not in protocols:
            protocols[row.reading.title] = _protocol(row.reading)
        if row.method not in methods:
            methods[row.method] = _method(row.method)
        method, protocol = methods[row.method], protocols[row.reading.title]
        if isinstance(method, str) or isinstance(protocol, str):
            yield RowState(row, (), (), method if isinstance(method, str) else str(protocol))
            continue
        found = tuple(by_row.get(_row_of(method.id, protocol[0]), ()))
        yield RowState(row, found, tuple(_reasons(found, method, *protocol)), dataset=protocol[1].name)


def without_row(states: Iterable[RowState], shipped: Iterable[Shipped]) -> list[Path]:
    """Return the records that are of none of the rows."""
    listed = {one.path for state in states for one in state.shipped}
    return [one.path for one in shipped if one.path not in listed]


def changes(one: Shipped, method: MethodCard, protocol: ProtocolCard, dataset: DatasetCard) -> list[str]:
    """Say what of a record is another now: its schema, method, weights, protocol, dataset, or how it was timed."""
    record = one.record
    found = [] if one.schema_version == SCHEMA_VERSION else [f"schema {one.schema_version}, now {SCHEMA_VERSION}"]
    found += _differences("method", record.method, method, tuple(MethodCard.model_fields))
    found += _differences("protocol", record.protocol, protocol, tuple(ProtocolCard.model_fields))
    found += _differences("dataset", record.dataset, dataset, _OF_DATASET)
    if record.environment.threads != 1 or record.cost.clock != "cpu":
        found.append("its speed is not of one thread")
    return found + record.not_rankable


def _reasons(found: Sequence[Shipped], method: MethodCard, protocol: ProtocolCard, dataset: DatasetCard) -> list[str]:
    if not found:
        return ["missing"]
    current = [one for one in found if not changes(one, method, protocol, dataset)]
    if not current:
        return changes(found[-1], method, protocol, dataset)
    return [] if len(found) == 1 else [f"{len(found)} records of one row"]


def _row_of(method: str, protocol: ProtocolCard) -> str:
    """Return what the records of one row share, whatever else changes."""
    return json.dumps([method, protocol.id, protocol.variant, protocol.options], sort_keys=True)


def _differences(what: str, then: BaseModel, now: BaseModel, fields: Sequence[str]) -> list[str]:
    old, new = then.model_dump(mode="json"), now.model_dump(mode="json")
    found = []
    for name in fields:
        if old[name] != new[name]:
            a, b = _differing(old[name], new[name])
            found.append(f"{what}: {name} {_short(a)}, now {_short(b)}")
    return found


def _differing(old: Any, new: Any) -> tuple[Any, Any]:
    """Return the parts of two values that differ; of two tables those entries."""
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return old, new
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    return {name: old.get(name) for name in names}, {name: new.get(name) for name in names}


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _protocol(reading: Reading) -> tuple[ProtocolCard, DatasetCard] | str:
    try:
        protocol = load_protocol(reading.protocol, variant=reading.variant, options=reading.options)
    except FfbenchError as error:
        return str(error)
    return protocol.card, protocol.dataset


def _method(name: str) -> MethodCard | str:
    try:
        return vouched_card(load_method(name, device="cpu", installed_only=True))
    except FfbenchError as error:
        return str(error)
