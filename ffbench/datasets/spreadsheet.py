"""Small tables of text from .xlsx and .csv files that nobody has vouched for."""

from __future__ import annotations

import csv
import io
import zipfile

from ffbench.archives.member_path import Place
from ffbench.errors import DataError

MAX_BYTES = 2**22
"""Largest file that is opened."""
MAX_UNPACKED_BYTES = 2**23
"""Most that all members of a workbook may unpack to. `zipfile` gives no more of a member than its directory states, so
that stated sizes are a bound, whatever the packed bytes hold."""
MAX_ROWS, MAX_COLUMNS = 20_000, 64
_MAX_MEMBERS = 1000
_MAX_CELL = 1000

Table = list[tuple[str, ...]]


def read_tables(path: Place) -> list[Table]:
    """Read every sheet of a workbook, or the one table of a .csv file: rows of stripped text, empty cells "".

    Whole numbers come without a decimal point, however they are stored. Formulas give the values that were saved with
    them; links to other files are not followed and macros not looked at. At most `MAX_ROWS` rows and `MAX_COLUMNS`
    columns are read.

    Raises:
        DataError: the file cannot be read, is too large or unpacks to too much, or is neither kind of table.
    """
    content = _read(path)
    if path.suffix.lower() == ".csv":
        return [_from_csv(path, content)]
    _refuse_bombs(path, content)
    return _from_workbook(path, content)


def _read(path: Place) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error
    if len(content) > MAX_BYTES:
        raise DataError(f"{path}: larger than {MAX_BYTES} bytes, which no table of annotations is")
    return content


def _refuse_bombs(path: Place, content: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
    # Beside BadZipFile, damage shows as whatever the parser trips over.
    except Exception as error:
        raise DataError(f"{path}: not an .xlsx workbook ({_one_line(error)}); export the table as .csv") from error
    unpacked = sum(member.file_size for member in members)
    if len(members) > _MAX_MEMBERS or unpacked > MAX_UNPACKED_BYTES:
        raise DataError(
            f"{path}: {len(members)} members that unpack to {unpacked} bytes; at most {_MAX_MEMBERS} members and "
            f"{MAX_UNPACKED_BYTES} bytes are read; export the table as .csv"
        )


def _from_workbook(path: Place, content: bytes) -> list[Table]:
    # openpyxl takes its parser from defusedxml when that is installed: entities and external references are refused.
    import openpyxl

    if not openpyxl.DEFUSEDXML:
        raise DataError(f"{path}: workbooks are read with defusedxml only, and OPENPYXL_DEFUSEDXML turns it off")
    try:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
        return [
            [
                tuple(_text(value) for value in row)
                for row in sheet.iter_rows(max_row=MAX_ROWS, max_col=MAX_COLUMNS, values_only=True)
            ]
            for sheet in book.worksheets
        ]
    # Damaged workbooks raise errors of zip, XML, types, keys and more.
    except Exception as error:
        raise DataError(
            f"{path}: cannot be read as an .xlsx workbook ({_one_line(error)}); export the table as .csv"
        ) from error


def _from_csv(path: Place, content: bytes) -> Table:
    if b"\0" in content:
        raise DataError(f"{path}: not a text file; export the table as .csv in UTF-8")
    text = content.decode("utf-8-sig", errors="replace")
    # Exports of other locales separate by semicolons or tabs.
    delimiter = max(",;\t", key=text.partition("\n")[0].count)
    rows: Table = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            if len(rows) == MAX_ROWS:
                break
            rows.append(tuple(_text(value) for value in row[:MAX_COLUMNS]))
    except csv.Error as error:
        raise DataError(f"{path}: not a table of text ({_one_line(error)})") from error
    return rows


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value)[:_MAX_CELL].strip()


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
