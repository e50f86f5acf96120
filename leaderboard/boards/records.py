"""The records that the pages show: read once, and again when their files change."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from ffbench.errors import reading
from ffbench.io.hashing import file_state
from ffbench.io.object_store import is_url
from ffbench.paths import shipped_store
from ffbench.results.ranking.order import Ranking, in_order, rank
from ffbench.results.record.row import Row
from ffbench.results.record.run_record import RunRecord, read_record
from ffbench.results.report.leaderboard import BoardTable, leaderboard
from ffbench.results.store.places import Copy, Place, in_place_names, local_copy
from ffbench.results.store.records import read_rows

from .method_naming import rows_by_method

_PLACES = "_places"
SECONDS = 10
"""How long the files are taken to be as they were."""
URL_SECONDS = 120
"""The same of what a URL names, which is listed whole each time."""


@dataclass(frozen=True)
class Records:
    """Rows of all records that can be read, and one line for each that cannot."""

    rows: tuple[Row, ...]
    problems: tuple[str, ...]


def set_places(places: Sequence[Place]) -> None:
    """Say where this session's records lie; none: see `existing_places`."""
    st.session_state[_PLACES] = tuple(map(str, places))


def places() -> tuple[str, ...]:
    """Where the records lie: absolute paths, and URLs."""
    return existing_places(st.session_state.get(_PLACES, ()))


def existing_places(named: Sequence[str]) -> tuple[str, ...]:
    """Return the places that were named; if none was, `submissions`, or else the shipped records, and `runs`."""
    if named:
        return tuple(place if is_url(place) else str(Path(place).resolve()) for place in named)
    store = Path("submissions") if Path("submissions").is_dir() else shipped_store()
    return tuple(str(place.resolve()) for place in (store, Path("runs")) if place is not None and place.is_dir())


def load() -> Records:
    """Return the records of all places, at most `SECONDS` old.

    Raises:
        DataError: a place that was named is not there.
    """
    return _load(places())


def load_rows(named: Sequence[str]) -> Records:
    """Return the records of some places.

    Raises:
        DataError: a place that was named is not there.
    """
    copies = [(place, _copy(place) if is_url(place) else Copy(Path(place))) for place in named]
    problems: list[str] = []
    rows = read_rows([copy.path for _, copy in copies], problems)
    lines = [*(line for _, copy in copies for line in copy.problems), *problems]
    return Records(tuple(rows), tuple(in_place_names(line, named) for line in lines))


@st.cache_resource(ttl=URL_SECONDS, max_entries=8, show_spinner="Copying the records")
def _copy(url: str) -> Copy:
    return local_copy(url)


@st.cache_resource(ttl=SECONDS, max_entries=8, show_spinner="Reading the records")
def _load(named: tuple[str, ...]) -> Records:
    return load_rows(named)


def by_method() -> dict[str, list[Row]]:
    """Return the rows of all records by the name that their method has on the pages."""
    return _by_method(places())


@st.cache_resource(ttl=SECONDS, max_entries=8, show_spinner=False)
def _by_method(named: tuple[str, ...]) -> dict[str, list[Row]]:
    return rows_by_method(_load(named).rows)


@st.cache_resource(max_entries=1024, show_spinner=False)
def _record(path: str, *state: int) -> RunRecord:
    return read_record(Path(path))


def record(path: str) -> RunRecord:
    """Read the whole record at the path that a row names.

    Raises:
        DataError: it is gone, or can no longer be read.
    """
    with reading(path):
        state = tuple(file_state(Path(path)))
    return _record(path, *state)


def ordered(rows: Sequence[Row]) -> BoardTable:
    """Return the table of one board by value, without ranks: at once, whatever its size."""
    return _main_table(leaderboard(rows, in_order))


def ranks_are_known(rows: Sequence[Row]) -> bool:
    """Whether `ranked` will answer at once."""
    return _key(rows) in _ranked_before()


def ranked(rows: Sequence[Row]) -> BoardTable:
    """Return the table of one board with its rank sets; they are worked out once for the same records."""
    key = _key(rows)
    table = _ranked(key, tuple(rows))
    _ranked_before().add(key)
    return table


def ranking(rows: Sequence[Row]) -> Ranking:
    """Return how all methods of one board compare with each other; worked out once for the same records.

    Args:
        rows: each method once, none of them a claim.
    """
    return _ranking(_key(rows), tuple(rows))


@st.cache_resource(max_entries=64, show_spinner="Comparing all methods")
def _ranking(key: str, _rows: tuple[Row, ...]) -> Ranking:
    return rank(_rows)


def _main_table(tables: Sequence[BoardTable]) -> BoardTable:
    """Return the table with most verified lines, and then most lines: a record with a metric of its own has another."""
    return max(tables, key=lambda table: (sum(line.verified is not None for line in table.lines), len(table.lines)))


def _key(rows: Sequence[Row]) -> str:
    stamps = sorted((row.path, row.level, row.started, row.table_sha256) for row in rows)
    return hashlib.sha256(repr(stamps).encode()).hexdigest()


@st.cache_resource(show_spinner=False)
def _ranked_before() -> set[str]:
    return set()


@st.cache_resource(show_spinner=False)
def _ranked(key: str, _rows: tuple[Row, ...]) -> BoardTable:
    return _main_table(leaderboard(_rows))
