"""Whether a store is sound: each record on its own, all of them together, and what scoring them again gives."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ffbench.errors import DataError, FfbenchError
from ffbench.io.atomic import is_abandoned, is_temporary
from ffbench.protocol import PairScore, Protocol, Scoring
from ffbench.registry import protocol_names
from ffbench.results.ranking.order import comparable_columns
from ffbench.results.record.pair_table import read_pair_table
from ffbench.results.record.row import Board, Level, row_of, table_path
from ffbench.results.record.run_record import RunRecord, is_canonical, read_record
from ffbench.results.store.claims import CLAIM_TOLERANCE, VERIFIED_TOLERANCE, differences
from ffbench.results.store.folders import unportable_folders
from ffbench.results.store.names import look_alike
from ffbench.results.store.pair_facts import PairFacts, disagreement, facts_of
from ffbench.results.store.places import LEVELS, Place, in_place_names, local_copy
from ffbench.results.store.recompute import Scorings, card_faults, intervals_comparable, present_version, score_faults
from ffbench.results.store.records import check_name, is_whole, record_files, store_levels
from ffbench.results.store.together import Stored, check_together, dataset_faults

Rescore = Callable[[RunRecord], tuple[RunRecord, Path]]
"""Scores what a record is about once more; gives the new record and the folder of its run."""
Expected = Callable[[RunRecord], tuple[Protocol[Any], PairFacts]]
"""Returns the protocol of a record and the pairs that its dataset has; FfbenchError where it is not at hand."""

_NOTHING_ELSE = "neither a record nor a table; a store holds nothing else"


@dataclass
class Verification:
    """What was found: faults that must be fixed, remarks that a person should see, records that hold."""

    records: int = 0
    confirmed: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def verify_store(
    store: Place,
    protocol_versions: Mapping[str, str] | Callable[[str], str | None],
    rescore: Rescore | None = None,
    expected: Expected | None = None,
    sample: int | None = None,
) -> Verification:
    """Check every record of a store; all faults are found, none of them stops the check.

    Args:
        store: the folder, or a URL, of which a copy is checked.
        protocol_versions: the present version of each installed protocol, by id; or a function that gives it.
        rescore: scores again the verified records, and the claims that no verified record of the store speaks to;
            None: the claims are only named.
        expected: says which pairs the dataset of a record has; None: only what the records say of each other is used.
        sample: score only so many again, drawn by chance; None: all.

    Raises:
        UsageError: the backend of a URL is not installed.
        DataError: there is no such store.
    """
    copy = local_copy(store)
    if not any((copy.path / level).is_dir() for level in LEVELS):
        raise DataError(store, f"has no folder {' or '.join(LEVELS)}, so it is no store of records")
    found = _verify(copy.path, protocol_versions, rescore, expected, sample)
    found.faults += copy.problems
    found.faults += [f"{store}/{name}: {_NOTHING_ELSE}" for name in copy.foreign]
    parts = (found.confirmed, found.faults, found.remarks)
    return Verification(found.records, *([in_place_names(line, [store]) for line in part] for part in parts))


def _verify(
    store: Path,
    protocol_versions: Mapping[str, str] | Callable[[str], str | None],
    rescore: Rescore | None,
    expected: Expected | None,
    sample: int | None,
) -> Verification:
    current = protocol_versions.get if isinstance(protocol_versions, Mapping) else protocol_versions
    found = Verification()
    records: list[Stored] = []
    shared: dict[Board, PairFacts] = {}
    scorings = Scorings()
    tables = {path for level in LEVELS for path in (store / level).rglob("*.parquet") if is_whole(path)}
    for path, level in record_files([store]) if store_levels(store) else []:
        found.records += 1
        try:
            record = read_record(path)
            _check_record(path, record, store / level)
            row = row_of(path, level, record)
            tables.discard(Path(row.table))
            scores = _read_table(path, level, record)
        except DataError as error:
            found.faults.append(str(error))
            continue
        present = current(record.protocol.id) or present_version(record.protocol)
        _check_version(path, record, present, found)
        found.faults += [f"{path}: not for ranking ({reason})" for reason in record.not_rankable]
        loaded = _load(path, record, expected, found)
        scoring = _check_numbers(path, record, scores, scorings, loaded and loaded[0], found)
        facts = facts_of(scores, record.protocol, fixed_weights=scoring is not None and scoring.fixed_weights)
        # Equal ones are kept once a board: apart they would fill the memory of a large store.
        first = shared.setdefault(row.board, facts)
        facts = first if facts == first else facts
        if loaded:
            found.faults += [f"{path}: {fault}" for fault in dataset_faults(record.dataset, loaded[0].dataset)]
        if loaded and (difference := disagreement(facts, loaded[1])):
            found.faults.append(f"{path}: {difference} (its dataset has {len(loaded[1])} pairs)")
        records.append(Stored(path, level, record, facts, loaded is not None))
    # Nothing is shown of it, so that whoever was killed between the two files has done no harm.
    found.remarks += [
        f"{path}: a table of pair scores without its record: publish the run again, or delete it"
        for path in sorted(tables)
    ]
    _check_files(store, found)
    faults, remarks = check_together(records)
    found.faults += faults
    found.remarks += remarks
    _score_again(records, rescore, sample, found)
    return found


def _check_record(path: Path, record: RunRecord, folder: Path) -> None:
    if not is_canonical(path.read_bytes(), record):
        raise DataError(path, "is not written as ffbench writes records; add it with `ffbench publish`")
    check_name(path, record)
    if path.parent.parent != folder:
        raise DataError(path, f"lies deeper than records do, expected {folder / path.parent.name / path.name}")
    if not math.isfinite(record.primary.value):
        raise DataError(path, f"its primary value is {record.primary.value}")
    try:
        score = record.score(record.primary.metric)
    except KeyError as error:
        raise DataError(path, f"has no score '{record.primary.metric}' for 'all', as its primary says") from error
    if score.value != record.primary.value:
        raise DataError(path, f"its primary value is {record.primary.value}, its scores say {score.value}")


def _read_table(path: Path, level: Level, record: RunRecord) -> list[PairScore]:
    table = table_path(path, record)
    if not table.is_file() or table.is_symlink():
        raise DataError(table, f"is missing, it belongs to {path}")
    columns = comparable_columns(row_of(path, level, record))
    if len(columns.keys) != record.pairs or record.pairs != record.pair_table.rows:
        raise DataError(table, f"has {len(columns.keys)} rows, its record says {record.pairs} pairs")
    return read_pair_table(table)


def _check_version(path: Path, record: RunRecord, present: str | None, found: Verification) -> None:
    name, stated = record.protocol.id, record.protocol.version
    if present is None and (own := _installed_as(name)):
        found.faults.append(
            f"{path}: its protocol is '{name}', which is not {own}; a name in other letters is no other"
        )
    elif present is None:
        found.remarks.append(f"{path}: protocol {name} is not installed, its version and numbers are not checked")
    elif present != stated:
        line = f"{path}: made with {name} {stated}, the present version is {present}; its numbers are not checked"
        (found.faults if _parts(stated) > _parts(present) else found.remarks).append(line)


def _installed_as(name: str) -> str | None:
    """Return the installed protocol whose name looks like this one."""
    return next((own for own in protocol_names() if own != name and look_alike(own) == look_alike(name)), None)


def _parts(version: str) -> tuple[int, ...]:
    """Return the numbers of a version; one that is no version comes after all others."""
    parts = version.split(".")
    numbers = all(part.isascii() and part.isdecimal() and len(part) < 10 for part in parts)
    return tuple(map(int, parts)) if numbers else (10**9,)


def _load(
    path: Path, record: RunRecord, expected: Expected | None, found: Verification
) -> tuple[Protocol[Any], PairFacts] | None:
    if expected is None:
        return None
    try:
        return expected(record)
    except FfbenchError as error:
        found.remarks.append(f"{path}: its pairs are not compared with its dataset: {error}")
        return None


def _check_numbers(
    path: Path,
    record: RunRecord,
    scores: Sequence[PairScore],
    scorings: Scorings,
    loaded: Scoring | None,
    found: Verification,
) -> Scoring | None:
    """Work out the record's numbers again, as far as its protocol is here."""
    try:
        scoring, reason = scorings.of(record.protocol)
    except FfbenchError as error:
        found.faults.append(f"{path}: {error}")
        return None
    scoring = scoring or loaded
    found.faults += [f"{path}: {fault}" for fault in card_faults(record, scoring)]
    if scoring is None:
        if "dataset" in reason:
            found.remarks.append(f"{path}: its numbers are not worked out again: {reason}")
        return None
    found.faults += [f"{path}: {fault}" for fault in score_faults(record, scores, scoring)]
    if not intervals_comparable(record):
        found.remarks.append(f"{path}: its intervals were made in another way than now, and are not worked out again")
    return scoring


def _check_files(store: Path, found: Verification) -> None:
    found.faults += [f"{path}: {fault}" for path, fault in unportable_folders(store)]
    for level in LEVELS:
        folder = store / level
        if folder.is_symlink():
            found.faults.append(f"{folder}: is a link; the levels of a store are folders")
            continue
        for path in sorted(folder.rglob("*")):
            if is_temporary(path.name) and path.is_file() and not path.is_symlink():
                if is_abandoned(path):
                    found.remarks.append(f"{path}: left by a process that was killed; delete it")
                continue
            known = path.is_dir() or (path.suffix in (".json", ".parquet") and is_whole(path))
            if path.is_symlink() or not known:
                found.faults.append(f"{path}: {_NOTHING_ELSE}")


def _score_again(records: Sequence[Stored], rescore: Rescore | None, sample: int | None, found: Verification) -> None:
    """Score verified records and open claims again where that can be done, and say how each differs."""
    wanted = [one for one in records if one.level == "verified" or one.open]
    if rescore is None:
        found.remarks += [f"{one.path}: claimed, not yet scored here" for one in wanted if one.level == "claimed"]
        return
    chosen = wanted
    if sample is not None and sample < len(wanted):
        # Not from a seed: who forges a record must not know that it is never drawn.
        chosen = random.SystemRandom().sample(wanted, sample)
        found.remarks.append(f"{len(wanted) - sample} of {len(wanted)} records were not drawn to be scored again")
    for one in chosen:
        _score_one(one, rescore, found)


def _score_one(one: Stored, rescore: Rescore, found: Verification) -> None:
    path, record = one.path, one.record
    try:
        scored, run = rescore(record)
    except FfbenchError as error:
        found.remarks.append(f"{path}: {one.level}, cannot be scored again here: {error}")
        return
    value, again = record.primary.value, scored.primary.value
    line = f"{path}: {one.level} {value:g}, scored again here {again:g} ({run}"
    tolerance = VERIFIED_TOLERANCE if one.level == "verified" else CLAIM_TOLERANCE
    if not math.isclose(value, again, rel_tol=tolerance):
        found.faults.append(f"{line})")
        return
    changes = differences(record, scored)
    if changes:
        found.remarks.append(f"{line}; {'; '.join(changes)})")
    else:
        found.confirmed.append(f"{line}; all {len(record.scores)} scores alike)")
