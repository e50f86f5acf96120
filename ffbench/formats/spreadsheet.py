"""Small tables of text from .xlsx and .csv files that nobody has vouched for."""

from __future__ import annotations

import csv
import io
import zipfile

from ffbench.errors import DataError, one_line
from ffbench.io.archives.member_path import DatasetPath
from ffbench.io.archives.zip_directory import checked_name, read_directory
from ffbench.io.bounds import names_file_if_out_of_memory, read_bounded

MAX_BYTES = 2**22
"""Largest file that is opened."""
MAX_UNPACKED_BYTES = 2**23
"""Most that the members of a workbook may unpack to."""
MAX_ROWS, MAX_COLUMNS, MAX_SHEETS = 20_000, 64, 64
MAX_TABLE_BYTES = 2**24
"""Most that all tables of a workbook may take, at 8 bytes a cell and 4 a character."""
_MAX_MEMBERS = 1000
_MAX_CELL = 1000
_BOOK, _BOOK_PARTS, _STRINGS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/sharedStrings.xml"
_SHEETS = "xl/worksheets/"
_MAX_SHEET_TAGS, _MAX_BOOK_TAGS = 2**19, 2**14
"""Most marks of XML in all sheets and texts, and in what lists them: an object is made of each."""
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_CONTENT_TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    f'<Override PartName="/{_BOOK}" ContentType="{_TYPE}.sheet.main+xml"/>'
    f'<Override PartName="/{_STRINGS}" ContentType="{_TYPE}.sharedStrings+xml"/></Types>'
)

Table = list[tuple[str, ...]]


@names_file_if_out_of_memory
def read_tables(path: DatasetPath) -> list[Table]:
    """Read every sheet of a workbook, or the one table of a .csv file: rows of stripped text, empty cells "".

    Whole numbers come without a decimal point, however they are stored. Formulas give the values that were saved with
    them; links to other files are not followed, styles and macros not looked at, so that a date is the
    number of its day. At most `MAX_ROWS` rows and
    `MAX_COLUMNS` columns are read.

    Raises:
        DataError: the file cannot be read, is too large or unpacks to too much, or is neither kind of table.
    """
    content = _read(path)
    if path.suffix.lower() == ".csv":
        return [_from_csv(path, content)]
    return _from_workbook(path, _tables_alone(path, content))


def _read(path: DatasetPath) -> bytes:
    return read_bounded(path, MAX_BYTES, f"larger than {MAX_BYTES} bytes, which no table of annotations is")


def _tables_alone(path: DatasetPath, content: bytes) -> bytes:
    """Return a new workbook with its tables and nothing else: no styles, themes, links or properties.

    Their readers would make far more of them than they have bytes.
    """
    try:
        with read_directory(path, io.BytesIO(content), _MAX_MEMBERS) as archive:
            members = {checked_name(path, item): item for item in archive.infolist() if _is_table_part(item.filename)}
            unpacked = sum(member.file_size for member in members.values())
            if unpacked > MAX_UNPACKED_BYTES:
                raise DataError(path, f"unpacks to {unpacked} bytes; at most {MAX_UNPACKED_BYTES} bytes are read")
            # The library gives no more of a member than its directory states.
            parts = {name: archive.read(member) for name, member in members.items()}
    except MemoryError:
        raise
    except Exception as error:  # damage shows as whatever the parser trips over
        reason = error.reason if isinstance(error, DataError) else one_line(error)
        raise DataError(path, f"not an .xlsx workbook ({reason}); export the table as .csv") from error
    if _BOOK not in parts:
        raise DataError(path, f"not an .xlsx workbook (no {_BOOK}); export the table as .csv")
    sheets = sum(part.count(b"<") for name, part in parts.items() if name.startswith(_SHEETS) or name == _STRINGS)
    listing = sum(parts[name].count(b"<") for name in (_BOOK, _BOOK_PARTS) if name in parts)
    if sheets > _MAX_SHEET_TAGS or listing > _MAX_BOOK_TAGS:
        raise DataError(path, f"too much for a table of annotations ({sheets + listing} tags); export it as .csv")
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr("[Content_Types].xml", _CONTENT_TYPES)
        for name, part in parts.items():
            archive.writestr(name, part)
        if _STRINGS not in parts:
            archive.writestr(_STRINGS, "<sst/>")
    return written.getvalue()


def _is_table_part(name: str) -> bool:
    return name in (_BOOK, _BOOK_PARTS, _STRINGS) or (name.startswith(_SHEETS) and name.endswith(".xml"))


def _from_workbook(path: DatasetPath, content: bytes) -> list[Table]:
    # openpyxl takes its parser from defusedxml when that is installed: entities and external references are refused.
    import openpyxl

    if not openpyxl.DEFUSEDXML:
        raise DataError(path, "workbooks are read with defusedxml only, and OPENPYXL_DEFUSEDXML turns it off")
    tables: list[Table] = []
    taken = 0
    try:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
        for sheet in book.worksheets:
            tables.append([])
            for row in sheet.iter_rows(max_row=MAX_ROWS, max_col=MAX_COLUMNS, values_only=True):
                tables[-1].append(tuple(_text(value) for value in row))
                taken += sum(8 + 4 * len(text) for text in tables[-1][-1])
                if taken > MAX_TABLE_BYTES or len(tables) > MAX_SHEETS:
                    raise DataError(
                        path,
                        f"{len(tables)} sheets and more, of {taken} bytes and more; at most {MAX_SHEETS} and "
                        f"{MAX_TABLE_BYTES} are read; export the table as .csv",
                    )
    except (DataError, MemoryError):
        raise
    # Damaged workbooks raise errors of zip, XML, types, keys and more.
    except Exception as error:
        raise DataError(
            path, f"cannot be read as an .xlsx workbook ({one_line(error)}); export the table as .csv"
        ) from error
    return tables


def _from_csv(path: DatasetPath, content: bytes) -> Table:
    if b"\0" in content:
        raise DataError(path, "not a text file; export the table as .csv in UTF-8")
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
        raise DataError(path, f"not a table of text ({one_line(error)})") from error
    return rows


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value)[:_MAX_CELL].strip()
