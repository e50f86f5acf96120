"""Whether a store is sound: names, schema, tables, protocols, duplicates, and claims against what was scored here."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ffbench.atomic import is_abandoned, is_temporary
from ffbench.errors import DataError, FfbenchError
from ffbench.results.claims import CLAIM_TOLERANCE, SAME_DIGITS, differences
from ffbench.results.ranking import comparable_columns
from ffbench.results.record import RunRecord, read_record
from ffbench.results.store import LEVELS, is_whole, record_content, record_files, stored_name
from ffbench.results.store_row import Level, row_of, table_path

Rescore = Callable[[RunRecord], tuple[RunRecord, Path]]
"""Scores what a record is about once more; gives the new record and the folder of its run."""


@dataclass
class Verification:
    """What was found: faults that must be mended, remarks that a person should see, claims that hold."""

    records: int = 0
    confirmed: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def verify_store(
    store: Path,
    protocol_versions: Mapping[str, str] | Callable[[str], str | None],
    rescore: Rescore | None = None,
) -> Verification:
    """Check every record of a store; all faults are found, none of them stops the check.

    Args:
        store: the folder.
        protocol_versions: the present version of each installed protocol, by id; or a function that gives it.
        rescore: scores a claim again that no verified record of the store speaks to; None: such are only named.

    Raises:
        DataError: there is no such store.
    """
    if not any((store / level).is_dir() for level in LEVELS):
        raise DataError(f"{store}: has no folder {' or '.join(LEVELS)}, so it is no store of records")
    current = protocol_versions.get if isinstance(protocol_versions, Mapping) else protocol_versions
    found = Verification()
    records: list[tuple[Path, Level, RunRecord]] = []
    tables = {path for level in LEVELS for path in (store / level).rglob("*.parquet") if is_whole(path)}
    for path, level in record_files([store]):
        found.records += 1
        try:
            record = read_record(path)
            _check_record(path, record, store / level)
            row = row_of(path, level, record)
            tables.discard(Path(row.table))
            _check_table(path, level, record)
        except DataError as error:
            found.faults.append(str(error))
            continue
        version = current(record.protocol.id)
        if version is None:
            found.remarks.append(f"{path}: protocol {record.protocol.id} is not installed, its version is not checked")
        elif version != record.protocol.version:
            found.remarks.append(
                f"{path}: made with {record.protocol.id} {record.protocol.version}, the present version is {version}"
            )
        found.faults += [f"{path}: not for ranking ({reason})" for reason in record.not_rankable]
        records.append((path, level, record))
    # Nothing is shown of it, so that whoever was killed between the two files has done no harm.
    found.remarks += [
        f"{path}: a table of pair scores without its record: publish the run again, or delete it"
        for path in sorted(tables)
    ]
    _check_files(store, found)
    for path, record in _check_together(records, found):
        _check_claim(path, record, rescore, found)
    return found


def _check_record(path: Path, record: RunRecord, folder: Path) -> None:
    content = path.read_bytes()
    if content != record_content(record):
        raise DataError(f"{path}: is not written as ffbench writes records; add it with `ffbench publish`")
    expected = stored_name(record, content)
    if path.relative_to(folder).as_posix() != expected:
        raise DataError(f"{path}: was changed or renamed; a record of this content is called {expected}")
    if not math.isfinite(record.primary.value):
        raise DataError(f"{path}: its primary value is {record.primary.value}")
    try:
        score = record.score(record.primary.metric)
    except KeyError as error:
        raise DataError(f"{path}: has no score '{record.primary.metric}' for 'all', as its primary says") from error
    if score.value != record.primary.value:
        raise DataError(f"{path}: its primary value is {record.primary.value}, its scores say {score.value}")


def _check_table(path: Path, level: Level, record: RunRecord) -> None:
    table = table_path(path, record)
    if not table.is_file():
        raise DataError(f"{table}: is missing, it belongs to {path}")
    columns = comparable_columns(row_of(path, level, record))
    if len(columns.keys) != record.pairs or record.pairs != record.pair_table.rows:
        raise DataError(f"{table}: has {len(columns.keys)} rows, its record says {record.pairs} pairs")


def _check_files(store: Path, found: Verification) -> None:
    for level in LEVELS:
        for path in sorted((store / level).rglob("*")):
            if is_temporary(path.name) and path.is_file() and not path.is_symlink():
                if is_abandoned(path):
                    found.remarks.append(f"{path}: left by a process that was killed; delete it")
                continue
            known = path.is_dir() or (path.suffix in (".json", ".parquet") and is_whole(path))
            if path.is_symlink() or not known:
                found.faults.append(f"{path}: neither a record nor a table; a store holds nothing else")


def _check_together(records: list[tuple[Path, Level, RunRecord]], found: Verification) -> list[tuple[Path, RunRecord]]:
    """Name records that say the same twice, and claims that what was scored here does not bear out.

    Returns:
        The claims that no verified record speaks to.
    """
    first: dict[tuple[Level, str], Path] = {}
    verified: dict[tuple[str, str], tuple[Path, RunRecord]] = {}
    open_claims = []
    for path, level, record in records:
        if (level, record.fingerprint) in first:
            found.faults.append(f"{path}: the same run as {first[level, record.fingerprint]}, twice in the store")
        first.setdefault((level, record.fingerprint), path)
        if level == "verified":
            verified[_what(record)] = path, record
    for path, level, record in records:
        value = record.primary.value
        claimed = record.submission.claimed if record.submission else None
        if claimed is not None and not math.isclose(claimed, value, rel_tol=CLAIM_TOLERANCE):
            found.remarks.append(f"{path}: claims {claimed:g}, its predictions score {value:g}")
        if level == "claimed":
            other = verified.get(_what(record))
            if other is None:
                open_claims.append((path, record))
            elif not math.isclose(other[1].primary.value, value, rel_tol=SAME_DIGITS):
                found.remarks.append(f"{path}: claimed {value:g}, scored here {other[1].primary.value:g} ({other[0]})")
    return open_claims


def _check_claim(path: Path, record: RunRecord, rescore: Rescore | None, found: Verification) -> None:
    """Score a claim again where that can be done, and say how the two records differ."""
    if rescore is None:
        found.remarks.append(f"{path}: claimed, not yet scored here")
        return
    try:
        scored, run = rescore(record)
    except FfbenchError as error:
        found.remarks.append(f"{path}: claimed, cannot be scored again here: {error}")
        return
    value, again = record.primary.value, scored.primary.value
    if not math.isclose(value, again, rel_tol=CLAIM_TOLERANCE):
        found.faults.append(f"{path}: claimed {value:g}, scored again here {again:g} ({run})")
        return
    changes = differences(record, scored)
    line = f"{path}: claimed {value:g}, scored again here {again:g} ({run}"
    if changes:
        found.remarks.append(f"{line}; {'; '.join(changes)})")
    else:
        found.confirmed.append(f"{line}; all {len(record.scores)} scores alike)")


def _what(record: RunRecord) -> tuple[str, str]:
    """What a claimed and a verified record must share to be of the same thing: board, and predictions or method."""
    card = record.protocol
    board = f"{card.id} {card.version} {card.variant} {sorted(card.options.items())} {record.dataset.manifest_sha256}"
    return board, record.submission.sha256 if record.submission else repr(record.method.identity)
