"""Clips of the user's own: a folder with `clips.csv`."""

from __future__ import annotations

from ffbench.datasets.microexpressions.frames import AnnotatedClip, find_frames
from ffbench.datasets.microexpressions.tables import TableRow, frame_number, plain_name, read_rows
from ffbench.datasets.onset_apex import OnsetApexClips
from ffbench.errors import DataError
from ffbench.io.archives.member_path import DatasetPath, open_tree

TABLE = "clips.csv"
COLUMNS = {name: name for name in ("clip", "subject", "onset", "apex", "offset", "label", "folder")}
OPTIONAL = {"crop": "crop"}
LAYOUT = f"{TABLE} with the columns {','.join(COLUMNS)}, and the folders of frames that it names"


def list_own(root: DatasetPath | str) -> OnsetApexClips:
    """List the clips of `clips.csv`.

    `folder` holds the frames of a clip, and `crop`, if there is such a column, its registered faces; both below the
    folder of the table. `apex` may be empty: the clip is left out then. `offset` may be empty.

    Raises:
        DataError: no such folder or table, or a table without the columns.
    """
    root = open_tree(root)
    table = root / TABLE
    if not table.is_file():
        raise DataError(table, f"no such file; expected {LAYOUT}")
    rows, problems = [], []
    for row in read_rows(table, COLUMNS, OPTIONAL):
        try:
            rows.append(_annotated(root, row))
        except ValueError as error:
            problems.append(f"{table}: row {row.number}: {error}; the row is left out")
    return find_frames(rows, problems)


def _annotated(root: DatasetPath, row: TableRow) -> AnnotatedClip:
    cells = row.cells
    subject, clip = plain_name(cells["subject"], "subject"), plain_name(cells["clip"], "clip")
    onset = frame_number(cells["onset"], "onset")
    if onset is None:
        raise ValueError("onset is empty")
    return AnnotatedClip(
        key=f"{subject}/{clip}",
        subject=subject,
        label=plain_name(cells["label"], "label"),
        onset=onset,
        apex=frame_number(cells["apex"], "apex"),
        offset=frame_number(cells["offset"], "offset"),
        folder=_below(root, cells["folder"], "folder"),
        crops=_below(root, cells["crop"], "crop") if cells["crop"] else None,
    )


def _below(root: DatasetPath, text: str, field: str) -> DatasetPath:
    """Return a folder below the table's.

    Raises:
        ValueError: it leads elsewhere.
    """
    parts = text.replace("\\", "/").strip("/").split("/")
    if text.startswith(("/", "\\")) or ":" in text or not all(parts) or {".", ".."} & set(parts):
        raise ValueError(f"{field} is {text!r}, expected a folder below that of {TABLE}, such as frames/s01/clip1")
    place = root
    for part in parts:
        place = place / part
    return place
