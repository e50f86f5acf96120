"""The rows of a store as a table of columns on disk, so that tens of thousands need not be read from their records."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from ffbench.io import atomic
from ffbench.io.hashing import file_state
from ffbench.results.record.row import Board, Row

MAX_INDEX_BYTES = 2**30
Index = dict[str, tuple[list[int], Row]]
"""By path of the record: the state of its file (`file_state`), and its row."""

_BOARD = "board."
_STATE = ("size", "modified", "changed", "inode")
_ROW_FIELDS = {field.name: str(field.type) for field in fields(Row) if field.name != "board"}
_BOARD_FIELDS = [field.name for field in fields(Board)]


def read_index(path: Path) -> Index:
    """Read an index; empty when there is none, or when it is damaged or of another version of ffbench.

    What a process has read is kept for as long as the file is the same: servers read it every few seconds.
    """
    try:
        return dict(_read_file(path, *file_state(path)))
    except OSError:
        return {}


@functools.lru_cache(maxsize=4)
def _read_file(path: Path, *state: int) -> Index:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        if path.stat().st_size > MAX_INDEX_BYTES:
            return {}
        table = pq.read_table(path)
        if not table.schema.equals(_schema()):
            return {}
        columns = {name: _values(table[name]) for name in table.column_names}
    except (OSError, pa.ArrowException, ValueError, TypeError):
        return {}
    known: dict[tuple[str, ...], Board] = {}
    index: Index = {}
    boards = zip(*(columns[_BOARD + name] for name in _BOARD_FIELDS), strict=True)
    rest = [columns[name] for name in _ROW_FIELDS]
    states = zip(*(columns[name] for name in _STATE), strict=True)
    for state, board, *values in zip(states, boards, *rest, strict=True):
        named = dict(zip(_ROW_FIELDS, values, strict=True))
        named["not_rankable"] = tuple(named["not_rankable"])
        index[named["path"]] = (list(state), Row(board=known.setdefault(board, Board(*board)), **named))
    return index


def _values(column: Any) -> list[Any]:
    """Return the values of a column; equal texts are one object, since thousands of records name the same methods."""
    import pyarrow as pa

    if column.type != pa.string():
        return list(column.to_pylist())
    chunks = column.combine_chunks().dictionary_encode()
    texts = [*chunks.dictionary.to_pylist(), None]
    return [texts[place] for place in chunks.indices.fill_null(len(texts) - 1).to_pylist()]


def write_index(path: Path, index: Mapping[str, tuple[list[int], Row]]) -> None:
    """Write an index, atomically.

    Raises:
        DataError: it cannot be written.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    # A stranger's record may hold a count that no column can; it is read anew each time.
    index = {path: entry for path, entry in index.items() if all(abs(n) < 2**63 for n in _whole_numbers(entry[1]))}
    rows = [row for _, row in index.values()]
    columns: dict[str, list[Any]] = {name: [getattr(row, name) for row in rows] for name in _ROW_FIELDS}
    columns |= {_BOARD + name: [getattr(row.board, name) for row in rows] for name in _BOARD_FIELDS}
    for place, name in enumerate(_STATE):
        columns[name] = [stamp[place] for stamp, _ in index.values()]
    with atomic.atomic_path(path) as temporary:
        pq.write_table(pa.table(columns, schema=_schema()), temporary)


def _whole_numbers(row: Row) -> tuple[int, ...]:
    return row.pairs, row.parameters or 0


def _schema() -> Any:
    import pyarrow as pa

    types = {"str": pa.string(), "Level": pa.string(), "int": pa.int64(), "float": pa.float64(), "bool": pa.bool_(),
             "tuple[str, ...]": pa.list_(pa.string())}  # fmt: skip
    named = {name: types[kind.removesuffix(" | None")] for name, kind in _ROW_FIELDS.items()}
    named |= {_BOARD + name: pa.string() for name in _BOARD_FIELDS}
    return pa.schema({**named, **dict.fromkeys(_STATE, pa.int64())})
