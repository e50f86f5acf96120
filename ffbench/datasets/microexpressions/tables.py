"""Tables of annotations: the rows below the column names, wherever these stand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ffbench.errors import DataError
from ffbench.formats.spreadsheet import read_tables
from ffbench.io.archives.member_path import DatasetPath, relative_name

_HEADER_ROWS = 40
"""How far down the row of column names may stand: a page of notes may stand above it."""
_UNKNOWN = ("", "/", "-", "-1", "nan", "none")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}")
_FRAME = re.compile(r"\d{1,7}")


class TableRow(NamedTuple):
    """A row of a table: its number, counted from 1, and its cells by field."""

    number: int
    cells: Mapping[str, str]


def read_rows(
    path: DatasetPath, columns: Mapping[str, str], optional: Mapping[str, str] | None = None
) -> list[TableRow]:
    """Return the rows of the first sheet that has some columns.

    Args:
        path: a workbook or .csv file.
        columns: name of the column by field; letter case, spaces and underscores in it do not count.
        optional: the same, of columns that may be missing; their cells are "" then.

    Raises:
        DataError: the file cannot be read, or no sheet has the columns.
    """
    best = list(columns.values())
    for table in read_tables(path):
        for number, cells in enumerate(table[:_HEADER_ROWS], start=1):
            names = [_plain(cell) for cell in cells]
            missing = [name for name in columns.values() if _plain(name) not in names]
            if missing:
                best = min(best, missing, key=len)
                continue
            wanted = {**columns, **(optional or {})}
            places = {field: names.index(_plain(name)) for field, name in wanted.items() if _plain(name) in names}
            return [
                TableRow(at, {field: _cell(row, places.get(field)) for field in wanted})
                for at, row in enumerate(table[number:], start=number + 1)
                if any(row)
            ]
    raise DataError(
        path,
        f"no row of column names with {', '.join(best)} in its first {_HEADER_ROWS} rows; expected the columns "
        f"{', '.join(columns.values())}",
    )


def find_table(root: DatasetPath, beginnings: Iterable[str], expected: str) -> DatasetPath:
    """Find a table in a folder or one level below it, by how its name begins, letter case aside.

    Raises:
        DataError: there is none, or more than one.
    """
    begins = tuple(beginning.casefold() for beginning in beginnings)
    found = [
        file
        for depth in ("", "*/")
        for file in sorted(root.glob(f"{depth}*"))
        if file.suffix.lower() in (".xlsx", ".csv") and file.name.casefold().startswith(begins)
    ]
    if len(found) > 1:
        names = ", ".join(relative_name(file, root) for file in found)
        raise DataError(root, f"{len(found)} tables of annotations ({names}); keep the one that is to count")
    if not found:
        raise DataError(root, f"no table of annotations; expected {expected}, or its export as .csv")
    return found[0]


def frame_number(text: str, field: str) -> int | None:
    """Return the number of a frame, or None where a cell says that there is none.

    Raises:
        ValueError: it is something else.
    """
    if text.casefold() in _UNKNOWN:
        return None
    if not _FRAME.fullmatch(text):
        raise ValueError(f"{field} is {text!r}, expected the number of a frame")
    return int(text)


def plain_name(text: str, field: str) -> str:
    """Return a name that may become a part of a path and of a key.

    Raises:
        ValueError: it is empty, or has other characters than letters, digits, `_`, `.`, `+` and `-`.
    """
    if not _NAME.fullmatch(text) or ".." in text:
        raise ValueError(f"{field} is {text!r}, expected letters, digits, _, ., + and -, at most 64")
    return text


def _plain(name: str) -> str:
    return re.sub(r"[\s_]+", "", name).casefold()


def _cell(row: tuple[str, ...], place: int | None) -> str:
    return row[place] if place is not None and place < len(row) else ""
