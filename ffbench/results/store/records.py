"""The store of records: a folder in git or below a URL, one immutable file a record under a name made from its content.

submissions/verified/PROTOCOL/METHOD-HASH.json and .parquet    scored here
submissions/claimed/PROTOCOL/METHOD-HASH.json and .parquet     sent in, not yet scored here
submissions/reported/*.json                                    numbers printed in papers
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from ffbench.errors import DataError, FfbenchError, reading
from ffbench.io import atomic
from ffbench.io.hashing import file_state
from ffbench.io.object_store import ObjectStore, is_url, path_of_url
from ffbench.paths import cache_dir
from ffbench.results.record.row import Level, Row, row_of, table_path
from ffbench.results.record.run_record import RunRecord, is_canonical, read_record
from ffbench.results.store.index import Index, read_index, write_index
from ffbench.results.store.places import LEVELS, Place, in_place_names, local_copy
from ffbench.results.store.recompute import Scorings, card_faults

HASH_LENGTH = 16


def record_content(record: RunRecord) -> bytes:
    """Return the bytes that stand for a record in a store."""
    return (record.model_dump_json(indent=1) + "\n").encode()


def stored_name(record: RunRecord, content: bytes) -> str:
    """Return the place of a record below its level: `PROTOCOL/METHOD-HASH.json`, of the hash of `content`."""
    digest = hashlib.sha256(content).hexdigest()[:HASH_LENGTH]
    return f"{_slug(record.protocol.id)}/{_slug(record.method.id)}-{digest}.json"


def add_record(store: Path | str, path: Path | str, level: Level) -> Path:
    """Copy the record at `path`, and its table of pair scores, into a store that is a folder.

    The name is made from the content, so that any number of processes may add at once: the same record twice is one
    file, and different ones never meet. The table is written first: a record in the store always has its own.

    Returns:
        The path in the store.

    Raises:
        DataError: the record or its table cannot be read, the table is not the record's own, or the store cannot be
            written.
    """
    name, content, table = _contents(path)
    atomic.remove_litter(Path(store) / level, shared=True)
    target = Path(store) / level / name
    if not target.exists():
        atomic.write_bytes(target.with_suffix(".parquet"), table)
        atomic.write_bytes(target, content)
    return target


def publish_record(store: Place, path: Path | str, level: Level) -> Place:
    """Copy the record at `path`, and its table, into a store that a path or a URL names, as `add_record` does.

    Returns:
        The path or the URL in the store.

    Raises:
        UsageError: the backend of the URL is not installed.
        DataError: as `add_record`.
    """
    folder = path_of_url(str(store)) if is_url(store) else Path(store)
    if folder is not None:
        return add_record(folder, path, level)
    name, content, table = _contents(path)
    objects = ObjectStore(str(store))
    objects.write(f"{level}/{name.removesuffix('.json')}.parquet", table)
    objects.write(f"{level}/{name}", content)
    return f"{objects.url}/{level}/{name}"


def _contents(path: Path | str) -> tuple[str, bytes, bytes]:
    """Return what a store takes of a run: the name of the record below its level, its bytes, and those of its table."""
    record = read_record(path)
    table = table_path(record.path or path, record)
    with reading(table, more=f", it belongs to {path}"):
        table_bytes = table.read_bytes()
    if hashlib.sha256(table_bytes).hexdigest() != record.pair_table.sha256:
        raise DataError(table, f"is not the table that {path} names (other sha256)")
    content = record_content(record)
    return stored_name(record, content), content, table_bytes


def record_files(places: Iterable[Place], problems: list[str] | None = None) -> list[tuple[Path, Level]]:
    """Find the records in stores and in folders of runs, and single files; sorted. Of a URL, those of its copy here.

    Only the folders of a store, as they stand there, make a record claimed or verified: links are passed over
    (`verify_store` names them), and a record on its own or in a folder of runs is local, wherever it lies.

    Args:
        places: paths and URLs.
        problems: takes a line for each record below a URL that cannot be copied; without it, the first is raised.

    Raises:
        UsageError: the backend of a URL is not installed.
        DataError: a place is not there.
    """
    found: dict[Path, Level] = {}
    for copy in map(local_copy, places):
        place = copy.path
        if problems is not None:
            problems += copy.problems
        elif copy.problems:
            raise DataError(copy.problems[0])
        if place.is_file():
            found[place] = "local"
        elif not place.is_dir():
            raise DataError(place, "no such record, store or folder of runs")
        elif levels := store_levels(place):
            found |= {path: level for level in levels for path in _files(place / level, ".json")}
        else:
            found |= {path: "local" for path in _files(place, "record.json") if path.name == "record.json"}
    return sorted(found.items(), key=lambda item: str(item[0]))


def store_levels(place: Path) -> list[Level]:
    """Return the levels that a folder has as folders of its own; empty: it is no store."""
    return [level for level in LEVELS if (place / level).is_dir() and not (place / level).is_symlink()]


def _files(folder: Path, ending: str) -> Iterator[Path]:
    """Return the whole files below a folder whose names end in `ending`; links are passed over, and not followed.

    Seven times as fast as `Path.rglob`, which counts at 10,000 records: only of what is given a path is made.
    """
    waiting = [os.fspath(folder)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    elif entry.name.endswith(ending) and not entry.is_symlink() and is_whole(path := Path(entry.path)):
                        yield path
        except OSError:
            continue  # removed or locked since it was listed, as `os.walk` has it


def read_rows(places: Sequence[Place], problems: list[str] | None = None) -> list[Row]:
    """Read the rows of all records in `places`, through an index that is brought up to date from the files.

    The index is a convenience in the cache folder, and never the truth: it may be deleted at any time.

    Args:
        places: stores, folders of runs, record files; paths and URLs.
        problems: takes the errors of records that cannot be read; without it, the first is raised.

    Raises:
        DataError: a place is not there, or a record cannot be read.
    """
    files = record_files(places, problems)
    names = sorted(str(place) if is_url(place) else str(Path(place).resolve()) for place in places)
    name = hashlib.sha256("\0".join(names).encode()).hexdigest()
    cache = cache_dir() / "stores" / f"{name}.parquet"
    known = read_index(cache)
    index: Index = {}
    scorings = Scorings()
    for path, level in files:
        try:
            stamp = file_state(path)
            old = known.get(str(path))
            row = old[1] if old and old[0] == stamp and old[1].level == level else _read_row(path, level, scorings)
        except OSError:
            continue  # removed since it was listed
        except FfbenchError as error:
            if problems is None:
                raise
            problems.append(in_place_names(str(error), places))
            continue
        index[str(path)] = (stamp, row)
    if index != known:
        with contextlib.suppress(DataError):
            write_index(cache, index)
    return [row for _, row in index.values()]


def _read_row(path: Path, level: Level, scorings: Scorings) -> Row:
    """Read a record for a board.

    Raises:
        DataError: it cannot be read, is not what its name in the store says, or its metric is not its protocol's.
    """
    record = read_record(path)
    if level != "local":
        check_name(path, record)
        if not is_canonical(path.read_bytes(), record):
            raise DataError(path, "is not written as ffbench writes records; add it with `ffbench publish`")
    try:
        scoring, _ = scorings.of(record.protocol)
    except FfbenchError as error:
        raise DataError(path, str(error)) from error
    faults = card_faults(record, scoring)
    if faults:
        raise DataError(path, faults[0])
    return row_of(path, level, record, scoring.card.metrics[scoring.card.primary] if scoring else None)


def check_name(path: Path, record: RunRecord) -> None:
    """Make sure that a record in a store is the one that its name was made from.

    Raises:
        DataError: it is another one.
    """
    expected = stored_name(record, path.read_bytes())
    if f"{path.parent.name}/{path.name}" != expected:
        raise DataError(path, f"was changed or renamed; a record of this content is called {expected}")


def is_whole(path: Path) -> bool:
    """Tell a file from one that is still being written, or was when its writer was killed."""
    return not path.name.startswith(".")


def _slug(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip(".-") or "unnamed"
