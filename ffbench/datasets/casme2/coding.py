"""The coding table of CASME II: who shows what, from which frame to which."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from ffbench.errors import DataError
from ffbench.formats.spreadsheet import Table, read_tables
from ffbench.io.archives.member_path import DatasetPath, relative_name

SelectionRule = Literal["clean", "official", "paper"]
"""Which rows count whose apex does not follow the onset; `Coding.apex_by` says how."""
EMOTIONS = ("happiness", "repression", "disgust", "surprise", "sadness", "fear", "others")
COLUMNS = {
    "subject": "Subject",
    "filename": "Filename",
    "onsetframe": "OnsetFrame",
    "apexframe": "ApexFrame",
    "offsetframe": "OffsetFrame",
    "actionunits": "Action Units",
    "estimatedemotion": "Estimated Emotion",
}
"""The columns that are read, by their name in lower case without spaces; between them stand empty ones."""
_HEADER_ROWS = 10
"""How far down the row of column names may stand."""
_UNKNOWN = ("", "/", "-")
# Becomes a folder's name: nothing that could lead elsewhere.
_FILENAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True)
class Coding:
    """One row: a clip with one micro-expression. Frames are numbers of image files."""

    subject: str
    """Such as `sub01`."""
    name: str
    """Such as `EP02_01f`; unique within a subject."""
    onset: int
    apex: int | None
    """None where the coders gave none."""
    offset: int | None
    action_units: str
    """As coded: `12`, `4+7`, `L10+17`."""
    emotion: str
    """One of `EMOTIONS`."""

    @property
    def key(self) -> str:
        """Such as `sub01/EP02_01f`."""
        return f"{self.subject}/{self.name}"

    def apex_by(self, rule: SelectionRule) -> int:
        """Return the frame that counts as the apex.

        - `clean`: the coded apex, which must follow the onset: nothing moves between a frame and itself.
        - `official`: the coded apex, which may be the onset, as in MMNet's released code.
        - `paper`: as `official`; of a row without an apex, the middle of onset and offset, rounded down. Nothing that
          is published says how the paper read such a row: this is one reading.

        Raises:
            ValueError: the rule leaves this row out; the message is the reason.
        """
        if self.apex is None:
            if rule != "paper":
                raise ValueError("no apex is coded")
            if self.offset is None:
                raise ValueError("neither an apex nor an offset is coded")
            return (self.onset + self.offset) // 2
        if self.apex == self.onset and rule == "clean":
            raise ValueError(f"apex and onset are one frame ({self.onset})")
        return self.apex

    def left_out_by(self, rule: SelectionRule) -> str | None:
        """Return why a rule leaves this row out, or None where the row counts."""
        try:
            self.apex_by(rule)
        except ValueError as reason:
            return str(reason)
        return None


def find_coding(root: DatasetPath) -> DatasetPath:
    """Find the coding table: `CASME2-coding*.xlsx` or `.csv` in `root` or a folder below it.

    Raises:
        DataError: there is none, or more than one.
    """
    found = [
        file
        for depth in ("", "*/")
        for file in sorted(root.glob(f"{depth}*"))
        if file.suffix.lower() in (".xlsx", ".csv") and file.name.lower().startswith(("casme2-coding", "casme2_coding"))
    ]
    if len(found) > 1:
        names = ", ".join(relative_name(file, root) for file in found)
        raise DataError(root, f"{len(found)} coding tables ({names}); keep the one that is to count")
    if not found:
        raise DataError(root, "no coding table; expected CASME2-coding-20140508.xlsx, or its export as .csv")
    return found[0]


def read_coding(path: DatasetPath, *, several: bool = False) -> tuple[list[Coding], list[str]]:
    """Read the coding table; give its rows in their order, and one line for each that does not make sense.

    Args:
        path: the table.
        several: a clip may show several micro-expressions, a row each; otherwise only its first row counts.

    Raises:
        DataError: the file cannot be read, or no sheet of it has the columns.
    """
    table, columns = _sheet(path)
    rows: list[Coding] = []
    problems: list[str] = []
    seen: set[str] = set()
    for number, cells in table:
        if not any(cells):
            continue
        try:
            row = _row({name: cells[at] if at < len(cells) else "" for name, at in columns.items()})
            if row.key in seen and not several:
                raise ValueError(f"{row.key} is coded in an earlier row too")
        except ValueError as error:
            problems.append(f"{path}: row {number}: {error}; the row is left out")
            continue
        seen.add(row.key)
        rows.append(row)
    return rows, problems


def _sheet(path: DatasetPath) -> tuple[list[tuple[int, tuple[str, ...]]], dict[str, int]]:
    """Return the numbered rows below the column names, and where each column stands, of the sheet that has them."""
    best: list[str] = list(COLUMNS)
    for table in read_tables(path):
        for number, cells in enumerate(table[:_HEADER_ROWS], start=1):
            names = [re.sub(r"[\s_]+", "", cell).casefold() for cell in cells]
            missing = [name for name in COLUMNS if name not in names]
            if not missing:
                return _numbered(table, number), {name: names.index(name) for name in COLUMNS}
            best = min(best, missing, key=len)
    raise DataError(
        path,
        f"no row of column names with {', '.join(COLUMNS[name] for name in best)} in its first {_HEADER_ROWS} "
        f"rows; expected the columns {', '.join(COLUMNS.values())}",
    )


def _numbered(table: Table, header: int) -> list[tuple[int, tuple[str, ...]]]:
    return list(enumerate(table[header:], start=header + 1))


def _row(cells: dict[str, str]) -> Coding:
    """Turn the cells of a row into a coding.

    Raises:
        ValueError: a cell that makes no sense.
    """
    subject = cells["subject"].removeprefix("sub")
    if not re.fullmatch(r"\d{1,3}", subject):
        raise ValueError(f"Subject is {cells['subject']!r}, expected a number")
    if not _FILENAME.fullmatch(cells["filename"]):
        raise ValueError(f"Filename is {cells['filename']!r}, expected one such as EP02_01f")
    onset, apex, offset = (_frame(cells[name], COLUMNS[name]) for name in ("onsetframe", "apexframe", "offsetframe"))
    if onset is None:
        raise ValueError("OnsetFrame is empty")
    last = offset if offset is not None else apex
    if (apex is not None and apex < onset) or (last is not None and last < max(onset, apex or 0)):
        raise ValueError(f"onset {onset}, apex {apex}, offset {offset} are not in this order")
    emotion = {"other": "others"}.get(cells["estimatedemotion"].casefold(), cells["estimatedemotion"].casefold())
    if emotion not in EMOTIONS:
        raise ValueError(f"Estimated Emotion is {cells['estimatedemotion']!r}, expected one of {', '.join(EMOTIONS)}")
    return Coding(f"sub{int(subject):02d}", cells["filename"], onset, apex, offset, cells["actionunits"], emotion)


def _frame(text: str, column: str) -> int | None:
    if text in _UNKNOWN:
        return None
    if not re.fullmatch(r"\d{1,7}", text):
        raise ValueError(f"{column} is {text!r}, expected the number of a frame")
    return int(text)
