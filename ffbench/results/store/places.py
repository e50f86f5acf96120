"""Places of records that a URL names: a copy of their records and tables on this machine, brought up to date.

A store names records by their content and they do not change, so that a copy needs the list of objects and what is new,
and all that reads records reads files. What is copied is no more to be believed than what lies in a folder.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ffbench.errors import DataError, UsageError, writing
from ffbench.io import atomic
from ffbench.io.object_store import ObjectStore, StoredObject, is_url, path_of_url, shown_url
from ffbench.paths import cache_dir
from ffbench.results.record.parquet import MAX_TABLE_BYTES
from ffbench.results.record.row import Level
from ffbench.results.record.run_record import MAX_RECORD_BYTES, RECORD

Place = Path | str
"""A path, or a URL as a text: a `Path` of one would lose a slash."""
LEVELS: tuple[Level, ...] = ("claimed", "verified")
"""The folders of a store."""
MAX_COPY_BYTES = 2**36
_MOST_BYTES = {".json": MAX_RECORD_BYTES, ".parquet": MAX_TABLE_BYTES}
_PART = r"[A-Za-z0-9_][A-Za-z0-9 ._+=@,~-]{0,199}"
_IN_STORE = re.compile(rf"(?:{'|'.join(LEVELS)})/{_PART}/{_PART}\.(?:json|parquet)")
_IN_RUNS = re.compile(rf"(?:{_PART}(?<!\.json)(?<!\.parquet)/){{0,16}}{_PART}\.(?:json|parquet)")
_STATES = ".objects.json"
_WAIT_SECONDS = 600.0


@dataclass(frozen=True)
class Copy:
    """A copy of a place.

    Attributes:
        path: the folder, or the record, on this machine.
        problems: a line for each record or table that was not copied, and why.
        foreign: what else lies in a store, by name.
    """

    path: Path
    problems: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()


def local_copy(place: Place) -> Copy:
    """Return a place as it lies on this machine: a path as it is, what a URL names as a copy that is up to date.

    Of an object store nothing is read but records and their tables, none larger than it may be. Several processes may
    copy at once: each waits for the other.

    Raises:
        UsageError: the backend of the URL is not installed, or another process copies it for too long.
        DataError: the place cannot be reached, holds no records, or the copy cannot be written.
    """
    from filelock import FileLock, Timeout

    local = path_of_url(str(place)) if is_url(place) else Path(place)
    if local is not None:
        return Copy(local)
    url, record = shown_url(str(place)), _record_name(place)
    store = ObjectStore(str(place).rstrip("/").removesuffix(record))
    folder = copy_folder(place)
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder.with_suffix(".lock"))
    try:
        lock.acquire(timeout=_WAIT_SECONDS)
    except Timeout as error:
        raise UsageError(f"{url}: another process has been copying it for {_WAIT_SECONDS:g} s; try again") from error
    with lock:
        chosen, problems, foreign = _choose(store, record)
        if not any(item.name.endswith(".json") for item in chosen) and not problems:
            raise DataError(url, "no such record, store or folder of runs")
        problems += _bring_up_to_date(folder, store, chosen)
    return Copy(folder / record, tuple(problems), tuple(foreign))


def copy_folder(place: Place) -> Path:
    """Return the folder of the copy of what a URL names; a record lies in it under its own name."""
    url = shown_url(str(place))
    title = re.sub(r"[^A-Za-z0-9.-]+", "-", url).strip("-.")[-60:]
    return cache_dir() / "places" / f"{title}-{hashlib.sha256(url.encode()).hexdigest()[:16]}"


def in_place_names(text: str, places: Iterable[Place]) -> str:
    """Return a message with URLs in place of the paths of their copies."""
    for place in places:
        if is_url(place):
            url = shown_url(shown_url(str(place)).removesuffix(_record_name(place)))
            text = text.replace(str(copy_folder(place)), url)
    return text


def _record_name(place: Place) -> str:
    """Return the name of the record that a URL names itself; "" where it names a folder."""
    name = str(place).rstrip("/").rpartition("/")[2]
    return name if name.endswith(".json") else ""


def _choose(store: ObjectStore, record: str) -> tuple[list[StoredObject], list[str], list[str]]:
    """List a place and choose what is copied of it: objects, problems, and the names of what a store does not hold.

    Raises:
        DataError: it cannot be listed, or is larger than a copy may be.
    """
    objects = store.listing()
    in_store = not record and any(item.name.startswith(tuple(f"{level}/" for level in LEVELS)) for item in objects)
    folders = {item.name.rpartition("/")[0] for item in objects if item.name.rpartition("/")[2] == RECORD}
    chosen, problems, foreign = [], [], []
    for item in objects:
        folder, _, name = item.name.rpartition("/")
        suffix = os.path.splitext(name)[1]
        if in_store:
            if not _IN_STORE.fullmatch(item.name):
                foreign.append(item.name)
                continue
        elif record:
            # The table of a run has the name that its record says, that of a record in a store the record's own.
            table = suffix == ".parquet" and record in (RECORD, f"{name.removesuffix(suffix)}.json")
            if folder or not (name == record or table):
                continue
        elif not (name == RECORD or (suffix == ".parquet" and folder in folders)):
            continue
        if not in_store and not _IN_RUNS.fullmatch(item.name):
            problems.append(f"{store.url}/{item.name}: has a name that not every system gives a file; rename it")
        elif not 0 <= item.size <= _MOST_BYTES[suffix]:
            problems.append(
                f"{store.url}/{item.name}: has {item.size} bytes, more than a file like it can have "
                f"({_MOST_BYTES[suffix]})"
            )
        else:
            chosen.append(item)
    total = sum(item.size for item in chosen)
    if total > MAX_COPY_BYTES:
        raise DataError(store.url, f"holds {total} bytes of records, more than are copied ({MAX_COPY_BYTES})")
    return chosen, problems, foreign


def _bring_up_to_date(folder: Path, store: ObjectStore, chosen: Sequence[StoredObject]) -> list[str]:
    """Make a copy hold what was chosen, and nothing else; returns the problems of objects that cannot be read."""
    states = _read_states(folder / _STATES)
    wanted = {item.name: f"{item.size} {item.state}" for item in chosen}
    problems = []
    try:
        for name in [name for name, state in states.items() if wanted.get(name) != state]:
            with writing(folder / name):
                (folder / name).unlink(missing_ok=True)
            del states[name]
        # Tables first, as they are published: a record that is seen has its table.
        missing = [item for item in chosen if item.name not in states]
        for item, content in store.read(sorted(missing, key=lambda item: item.name.endswith(".json"))):
            if isinstance(content, DataError):
                problems.append(str(content))
            elif content is not None:
                _write(folder / item.name, content)
                states[item.name] = wanted[item.name]
    finally:
        # What was copied before an interruption need not be copied again.
        with contextlib.suppress(DataError):
            atomic.write_text(folder / _STATES, json.dumps(states))
    return problems


def _write(path: Path, content: bytes) -> None:
    """Write a file of a copy in one step; it is not flushed to the disk, which 100,000 files would wait for."""
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}")
        temporary.write_bytes(content)
        os.replace(temporary, path)


def _read_states(path: Path) -> dict[str, str]:
    """Return what each file of a copy was when it was copied; empty where that is not known."""
    try:
        found: Any = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    known = isinstance(found, dict) and all(isinstance(state, str) for state in found.values())
    return {name: state for name, state in found.items() if (path.parent / name).is_file()} if known else {}
