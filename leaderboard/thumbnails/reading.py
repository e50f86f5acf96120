"""Reading the pictures of methods that ship, for rows whose method is still the one that they were made of."""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from ffbench.protocol import FLOW_PARTS, FlowPart
from ffbench.results.record.row import Board, Row

from ..boards.board_naming import entry_of

FOLDER = Path(__file__).parent / "pictures"
INDEX = "index.json"
REFERENCE = "reference"
"""Name of the strips of image 1 and the true flow."""
WORDS = "three fixed pairs of rendered faces, each the flow and its error"
NOTE = (
    "Rendered faces: most expression, most head motion, and half of that. Above image 1 and the true flow, below "
    "the method's flow and its endpoint error, in the scale of the true flow, bright yellow for an error as long. "
    "Where a method gives no head flow, one is fitted to its facial flow, as the protocols do; grey is not scored."
)
"""What is to be said of a method's strips below those of the reference."""


class Index(BaseModel):
    """What the pictures were made of: the dataset, its pairs, and for each method the hash of its card."""

    model_config = ConfigDict(frozen=True)

    manifest_sha256: str
    pairs: tuple[str, ...]
    methods: dict[str, str]


def part_of_board(board: Board) -> FlowPart:
    """Return the part of the flow that a board ranks by."""
    stated = json.loads(board.options).get("flow")
    if stated in FLOW_PARTS:
        return FLOW_PARTS[FLOW_PARTS.index(stated)]
    entry = entry_of(board.protocol)
    return "facial" if entry is None else entry.scored_part


def card_sha256(identity: str) -> str:
    """Hash the card of a method as `Row.identity` states it."""
    return hashlib.sha256(json.dumps(json.loads(identity)[1], sort_keys=True).encode()).hexdigest()


def read_index(folder: Path = FOLDER) -> Index | None:
    """Return the index of the pictures; None where there are none."""
    file = folder / INDEX
    return Index.model_validate_json(file.read_text("utf-8")) if file.is_file() else None


def strip(row: Row, part: FlowPart) -> Path | None:
    """Return the file (WebP) with the strip of pictures of a row's method.

    Six tiles: flow and error of each pair. None where there are none, or where the method has changed since.
    """
    return picture(row.method, part) if _has_pictures(row) else None


def strips(row: Row) -> list[tuple[FlowPart, Path, Path]]:
    """Return for each part of the flow the strip of the reference and that of a row's method, where `strip` has one."""
    if not _has_pictures(row):
        return []
    files = [(part, picture(REFERENCE, part), picture(row.method, part)) for part in FLOW_PARTS]
    return [(part, true, own) for part, true, own in files if true is not None and own is not None]


@cache
def picture(name: str, part: FlowPart) -> Path | None:
    """Return the file of a strip by the id of its method, or `REFERENCE`; None: there is none."""
    file = FOLDER / f"{name}-{part}.webp"
    # Ids of methods that have pictures are those of the index, so no other file can be meant.
    return file if file.is_file() else None


@cache
def address(file: Path) -> str:
    """Return an address that holds a picture, for a page that has no file beside it."""
    return "data:image/webp;base64," + base64.b64encode(file.read_bytes()).decode()


def _has_pictures(row: Row) -> bool:
    """Tell whether the pictures of a row's method are of the method as it is now."""
    index = _index()
    made_of = None if index is None or row.kind != "evaluated" else index.methods.get(row.method)
    return made_of is not None and made_of == card_sha256(row.identity)


@cache
def _index() -> Index | None:
    return read_index()
