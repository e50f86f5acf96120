"""What boards are called on the pages, and which one an address means."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import get_args

from ffbench.errors import FfbenchError
from ffbench.io.escape import plain
from ffbench.protocol import ProtocolEntry, Task
from ffbench.registry import protocol_entry
from ffbench.results.record.row import ORIGINS, Board

_TASKS: tuple[Task, ...] = get_args(Task)
_EARLIER_TASKS: Mapping[str, tuple[Task, ...]] = {
    "Flow": ("facial flow",),
    "Decomposition": ("head and expression flow",),
    "Real-face protocols": ("points on the face",),
    "Recognition": ("recognition",),
}
"""What `task` in an address could be before protocols said their task themselves."""


@cache
def entry_of(protocol: str) -> ProtocolEntry | None:
    """Return the entry of a protocol; None for one that is not installed."""
    try:
        return protocol_entry(protocol)
    except FfbenchError:
        return None


def protocol_title(protocol: str) -> str:
    """Return the title of a protocol for readers; its id where it is not installed or has none."""
    entry = entry_of(protocol)
    return plain((entry and entry.title) or protocol, 60)


def task_of(protocol: str) -> Task:
    """Return what a protocol asks of a method."""
    entry = entry_of(protocol)
    return entry.task if entry is not None and entry.task in _TASKS else "other"


def needs_data(protocol: str) -> bool:
    """Whether a protocol runs on the user's own data alone: it has no mini dataset."""
    entry = entry_of(protocol)
    return entry is not None and entry.needs_data


def in_reading_order(boards: Sequence[Board]) -> list[Board]:
    """Sort boards: real data first, then by task and title.

    Of one protocol what it runs by default comes first: its main variant, the newest version, its own options.
    """

    def place(board: Board) -> tuple[object, ...]:
        version = [-int(part) if part.isdecimal() else 0 for part in board.version.split(".")]
        return (
            ORIGINS.index(board.origin),
            _TASKS.index(task_of(board.protocol)),
            protocol_title(board.protocol),
            _variant_place(board),
            version,
            _unusual_options(board),
            board.title,
            board.manifest_sha256,
        )

    return sorted(boards, key=place)


def _variant_place(board: Board) -> int:
    """Return the place of a board's variant among those of its protocol: 0 is the default, one not listed is last."""
    entry = entry_of(board.protocol)
    variants = entry.variants if entry is not None and entry.variants else ("paper",)
    return variants.index(board.variant) if board.variant in variants else len(variants)


def _unusual_options(board: Board) -> int:
    """Return how many options of a board have a value that the protocol names another default for."""
    entry, stated = entry_of(board.protocol), json.loads(board.options)
    words = {name: entry.options.get(name, "") for name in stated} if entry is not None else {}
    return sum(
        "(default" in said and f"{stated[name]} (default)" not in said and f"(default {stated[name]})" not in said
        for name, said in words.items()
    )


def board_names(boards: Sequence[Board]) -> dict[str, Board]:
    """Name each board in a short line, in reading order; boards that would share a name get options, or a hash.

    The options are those in which a board differs from the first of that name.

    A name is what stands in addresses, so it depends on no other board unless the two would be called the same.
    """
    return _named(in_reading_order(boards), protocol_title)


def _names_with_all_options(boards: Sequence[Board]) -> dict[str, Board]:
    """Name each board as addresses did when they held all options of boards that share a name."""
    return _named(in_reading_order(boards), protocol_title, all_options=True)


def _names_by_id(boards: Sequence[Board]) -> dict[str, Board]:
    """Name each board as addresses did when they held the protocol's id."""
    ordered = sorted(boards, key=lambda board: (board.title, board.manifest_sha256))
    return _named(ordered, lambda protocol: protocol, all_options=True)


def _named(boards: Sequence[Board], title: Callable[[str], str], *, all_options: bool = False) -> dict[str, Board]:
    named: dict[str, Board] = {}
    for board in boards:
        options = json.loads(board.options)
        name = plain(f"{title(board.protocol)} {board.version} {board.variant} · {board.dataset}", 100)
        if name in named:
            usual = {} if all_options else json.loads(named[name].options)
            stated = [f"{key} {value}" for key, value in options.items() if value != usual.get(key)]
            name = f"{name} · {plain(', '.join(stated), 60)}" if stated else name
        if name in named:
            name = f"{name} · {board.manifest_sha256[:8]}"
        named[name if name not in named else f"{name} ({len(named)})"] = board
    return named


_EARLIER_NAMES = (_names_with_all_options, _names_by_id)


def find(boards: Sequence[Board], wanted: str = "", origin: str = "", task: str = "") -> Board | None:
    """Return the board that an address means: by its name, an earlier name, a protocol's id, or the start of one.

    Args:
        boards: those that there are.
        wanted: what the address says of the board; may be empty.
        origin: what it says of the data, such as `synthetic`; ignored where no such board is meant.
        task: what it says of the task.

    Returns:
        The first board in reading order that fits; None if nothing was asked for or nothing fits.
    """
    tasks = (*_EARLIER_TASKS.get(task, ()), task)
    candidates = in_reading_order(boards)
    for narrower in (
        [board for board in candidates if origin and board.origin == origin.split(" ")[0].casefold()],
        [board for board in candidates if task and task_of(board.protocol) in tasks],
    ):
        candidates = [board for board in candidates if board in narrower] or candidates
    if not wanted:
        return candidates[0] if candidates and (origin or task) else None
    for some in (candidates, in_reading_order(boards)):
        names = [(name.casefold(), board) for of in (board_names, *_EARLIER_NAMES) for name, board in of(some).items()]
        sought = wanted.casefold()
        exact = [board for name, board in names if name == sought or board.protocol.casefold() == sought]
        begun = [board for name, board in names if name.startswith(sought)]
        for found in (exact, begun):
            if found:
                return min(found, key=some.index)
    return None
