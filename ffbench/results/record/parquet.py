"""Tables in Parquet files from strangers: what the pages state is added up before the library unpacks any of them.

A page states in its header what it unpacks to, and the library reserves and fills that much whatever the footer says. A
column of one long text a million times over takes a few bytes, and so do prefixes that are shared; of encodings only
plain and dictionary ones are read, and texts stay dictionaries until their whole length is known.

Format: Apache Parquet 2.x, parquet.thrift; the headers are in Thrift's compact protocol.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from ffbench.errors import DataError
from ffbench.io.bounds import SMALL_BYTES, is_bomb, refuse_bomb

MAX_TABLE_BYTES = 2**28
MAX_ROWS = 2_000_000
MAX_CELLS = 50_000_000
_MAX_FOOTER_BYTES = 2**20
_MAX_HEADER_BYTES = 2**16
_MAX_DEPTH = 8
_PLAIN, _PLAIN_DICTIONARY, _RLE_DICTIONARY = 0, 2, 8
_DATA, _DICTIONARY, _DATA_V2 = 0, 2, 3
_Fields = dict[int, Any]


def read_table(path: Path, choose: Callable[[Sequence[str]], Sequence[str]]) -> Any:
    """Read columns of text and float64 of a Parquet file as a `pyarrow.Table`.

    Args:
        path: the file.
        choose: gives the columns that are wanted, out of the names of all.

    Raises:
        DataError: it is larger than a table of pair scores can be, unpacks to far more than it has bytes, or has
            columns of other types or encodings.
        OSError, pyarrow.ArrowException: it cannot be read, or is damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    length = _check_length(path)
    text = []
    with pq.ParquetFile(path) as file:
        names, rows = file.schema_arrow.names, file.metadata.num_rows
        wanted = list(choose(names))
        if len(set(names)) != len(names) or rows > MAX_ROWS or rows * len(wanted) > MAX_CELLS:
            raise DataError(path, f"{rows} rows of {len(wanted)} columns, no table of pair scores is like that")
        for field in file.schema_arrow:
            if field.type not in (pa.string(), pa.float64()):
                raise DataError(path, f"column '{field.name}' is {field.type}, expected text or float64")
            if field.type == pa.string():
                text.append(field.name)
        refuse_bomb(path, length, 8 * rows * len(wanted))
        with path.open("rb") as content:
            refuse_bomb(path, length, _unpacked_bytes(path, content, length, file.metadata))
        metadata = file.metadata
    with pq.ParquetFile(path, metadata=metadata, read_dictionary=text) as file:
        return _with_plain_text(path, length, file.read(wanted))


def _check_length(path: Path) -> int:
    """Check the length of the file, and of its footer, of which the library makes objects 25 times as large."""
    with path.open("rb") as file:
        length = os.fstat(file.fileno()).st_size
        if length > MAX_TABLE_BYTES:
            raise DataError(path, f"larger than a table of pair scores can be ({MAX_TABLE_BYTES} bytes)")
        file.seek(max(0, length - 8))
        footer = int.from_bytes(file.read(4), "little")
    if footer > _MAX_FOOTER_BYTES:
        raise DataError(path, f"states a footer of {footer} bytes, more than any table of pair scores has")
    return length


def _unpacked_bytes(path: Path, file: IO[bytes], length: int, metadata: Any) -> int:
    """Add up what all pages unpack to, as their own headers state."""
    total = 0
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    if sum(group.num_rows for group in groups) != metadata.num_rows:
        raise DataError(path, f"states {metadata.num_rows} rows, and others for its parts; it is damaged")
    for group in groups:
        for number in range(group.num_columns):
            chunk = group.column(number)
            # A column of no rows has no page of data, and 0 for where it begins.
            starts = [chunk.data_page_offset] if chunk.data_page_offset else []
            if chunk.has_dictionary_page and chunk.dictionary_page_offset:
                starts.append(chunk.dictionary_page_offset)
            if not starts:
                continue
            end = min(starts) + chunk.total_compressed_size
            if not 0 <= min(starts) <= end <= length:
                raise DataError(path, "states a column beyond its end; it is damaged")
            values = 0
            for unpacked, count in _pages(path, file, min(starts), end):
                total, values = total + unpacked, values + count
            if values > group.num_rows:
                raise DataError(path, f"{values} values in a column of {group.num_rows} rows; it is damaged")
    return total


def _pages(path: Path, file: IO[bytes], start: int, end: int) -> Iterator[tuple[int, int]]:
    """Return what each page of a column unpacks to, in bytes, and how many values it has for rows."""
    while start < end:
        file.seek(start)
        try:
            header, size = _read_struct(file.read(_MAX_HEADER_BYTES), 0)
            kind, unpacked, packed = header[1], header[2], header[3]
            page = header[{_DATA: 5, _DICTIONARY: 7, _DATA_V2: 8}[kind]]
            encoding = page[4 if kind == _DATA_V2 else 2]
            count = 0 if kind == _DICTIONARY else page[1]
        except (KeyError, IndexError, ValueError, TypeError) as error:
            raise DataError(path, "the header of a page is damaged") from error
        if encoding not in (_PLAIN, _PLAIN_DICTIONARY, _RLE_DICTIONARY):
            raise DataError(path, f"a page in Parquet's encoding {encoding}, expected plain or dictionary ones")
        if min(unpacked, packed, count) < 0:
            raise DataError(path, "states a page of less than nothing; it is damaged")
        yield unpacked, count
        start += size + packed


def _read_struct(content: bytes, at: int, depth: int = 0) -> tuple[_Fields, int]:
    """Read a struct in Thrift's compact protocol: its fields by number, and where it ends."""
    if depth > _MAX_DEPTH:
        raise ValueError("nested too deeply")
    fields: _Fields = {}
    number = 0
    while content[at]:
        step, kind = content[at] >> 4, content[at] & 15
        at += 1
        if step:
            number += step
        else:
            number, at = _read_whole(content, at)
        fields[number], at = _read_value(content, at, kind, depth)
    return fields, at + 1


def _read_value(content: bytes, at: int, kind: int, depth: int) -> tuple[Any, int]:
    if kind in (1, 2):  # true, false
        return kind == 1, at
    if kind == 3:
        return content[at], at + 1
    if kind in (4, 5, 6):
        return _read_whole(content, at)
    if kind == 7:
        return None, at + 8
    if kind == 8:
        size, at = _read_varint(content, at)
        return None, at + size
    if kind == 12:
        return _read_struct(content, at, depth + 1)
    raise ValueError(f"a field of kind {kind}, which no header of a page has")


def _read_whole(content: bytes, at: int) -> tuple[int, int]:
    value, at = _read_varint(content, at)
    return (value >> 1) ^ -(value & 1), at


def _read_varint(content: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = content[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
    raise ValueError("a number of more than 64 bits")


def _with_plain_text(path: Path, length: int, table: Any) -> Any:
    """Make plain columns of the dictionaries, once it is known how long all texts are together."""
    import pyarrow as pa
    import pyarrow.compute as pc

    total = 0
    for number, field in enumerate(table.schema):
        if not pa.types.is_dictionary(field.type):
            continue
        for part in table.column(number).chunks:
            if part.dictionary.nbytes * len(part) > SMALL_BYTES:
                lengths = pc.binary_length(part.dictionary).cast(pa.int64())
                total += pc.sum(lengths.take(part.indices)).as_py() or 0
        if is_bomb(length, total):
            raise DataError(path, f"its texts have {total} characters in {length} bytes; it is refused")
        table = table.set_column(number, field.name, table.column(number).cast(pa.string()))
    return table
