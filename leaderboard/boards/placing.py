"""Where a new number would stand on a board, and whose files are meant where a submission fits no pair."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from ffbench.errors import FfbenchError
from ffbench.protocol import Protocol
from ffbench.results.ranking.compare import pair_values
from ffbench.results.record.row import Board, Row
from ffbench.results.report.leaderboard import BoardTable

_KINDS = ("facial", "head", "backward", "confidence")


@dataclass(frozen=True)
class Stand:
    """A place on a board: `position` of `of` methods, this one counted; the titles of those next to it, if any."""

    position: int
    of: int
    above: str | None
    below: str | None


def board_of(rows: Sequence[Row], protocol: Protocol[object]) -> Board | None:
    """Return the board of the data that a protocol is open on, if any record is on it."""
    card, sha256 = protocol.card, protocol.dataset.manifest_sha256
    wanted = (card.id, card.version, card.variant, sha256)
    for row in rows:
        board = row.board
        found = (board.protocol, board.version, board.variant, board.manifest_sha256)
        if found == wanted and json.loads(board.options) == card.options and not row.not_rankable:
            return board
    return None


def stand(table: BoardTable, value: float) -> Stand:
    """Return where a value would stand among the measured ones; of equals the earlier one stays above."""
    sign = -1.0 if table.higher_is_better else 1.0
    ahead = [line for line in table.lines if line.measured is not None]
    better = [line for line in ahead if sign * (line.measured or 0.0) <= sign * value]
    return Stand(
        len(better) + 1,
        len(ahead) + 1,
        better[-1].title if better else None,
        ahead[len(better)].title if len(better) < len(ahead) else None,
    )


def ordinal(number: int) -> str:
    """Return a place in words.

    >>> [ordinal(number) for number in (1, 2, 3, 4, 11, 12, 13, 21, 112)]
    ['1st', '2nd', '3rd', '4th', '11th', '12th', '13th', '21st', '112th']
    """
    special = {1: "st", 2: "nd", 3: "rd"}
    return f"{number}{'th' if number // 10 % 10 == 1 else special.get(number % 10, 'th')}"


def meant_protocol(names: Sequence[str], rows: Sequence[Row]) -> str | None:
    """Return the protocol whose pairs most of some files are named after; None where no half of them fits any.

    Args:
        names: of files that belong to no pair, such as `facial/happy/0010/0002.flo`.
        rows: whose pair tables know the names of their protocols' pairs.
    """
    keys = {key for name in names for key in _keys(name)}
    best: tuple[int, str] | None = None
    seen: set[str] = set()
    for row in rows:
        if row.board.protocol in seen or not names:
            continue
        try:
            known = pair_values(row)
        except FfbenchError:
            continue  # another record of the protocol may have its table
        seen.add(row.board.protocol)
        count = len(keys & known.keys())
        if 2 * count >= len(names) and (best is None or count > best[0]):
            best = count, row.board.protocol
    return None if best is None else best[1]


def _keys(name: str) -> list[str]:
    """Return the keys that the name of a file can mean, whichever folders stand around it."""
    parts = name.rpartition(".")[0].split("/")
    starts = [0, *(place + 1 for place, part in enumerate(parts[:-1]) if part in _KINDS)]
    return ["/".join(parts[start:]) for start in starts]
