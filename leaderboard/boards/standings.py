"""Where each method stands on the main board of every protocol, and its mean position."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ffbench.results.ranking.titles import disambiguate_titles
from ffbench.results.record.row import ORIGINS, Board, Row
from ffbench.results.report.leaderboard import BoardLine, BoardTable

from .board_naming import in_reading_order, task_of
from .method_naming import method_key


@dataclass(frozen=True)
class Standing:
    """A method on one board: its line, among `of` methods that have a position there."""

    line: BoardLine
    of: int

    @property
    def share(self) -> float:
        """How far down it stands: 0 first, 1 last."""
        return ((self.line.position or 1) - 1) / max(self.of - 1, 1)


@dataclass(frozen=True)
class MethodStandings:
    """One method on the main boards of data of one origin. `row` is one of its records."""

    row: Row
    title: str
    on: Mapping[Board, Standing]

    @property
    def mean(self) -> float:
        """The mean of its positions (Borda): less is better; it depends on who else is on the boards."""
        return sum(standing.line.position or 0 for standing in self.on.values()) / len(self.on)


def main_boards(rows: Sequence[Row]) -> list[Board]:
    """Return one board for each protocol and origin of data: that with most methods, of equals the first to be read."""
    methods: dict[Board, set[str]] = {}
    for row in rows:
        if not row.not_rankable and row.level in ("verified", "local"):
            methods.setdefault(row.board, set()).add(method_key(row))
    chosen: dict[tuple[str, str], Board] = {}
    for board in in_reading_order(list(methods)):
        known = chosen.get((board.origin, board.protocol))
        if known is None or len(methods[board]) > len(methods[known]):
            chosen[board.origin, board.protocol] = board
    return in_reading_order(list(chosen.values()))


@dataclass(frozen=True)
class Section:
    """Boards whose positions may be put together: of one origin of data, and of accuracy or of robustness."""

    origin: str
    robustness: bool
    boards: Sequence[Board]


def sections(boards: Sequence[Board]) -> list[Section]:
    """Group boards, in order: by origin of data, and those of robustness apart, last.

    What hardly changes when images are corrupted need not be right: zero flow, which sees no image, never changes.
    """
    groups = [
        Section(
            origin,
            robust,
            [b for b in boards if b.origin == origin and (task_of(b.protocol) == "robustness") == robust],
        )
        for robust in (False, True)
        for origin in ORIGINS
    ]
    return [group for group in groups if group.boards]


def standings(tables: Sequence[BoardTable], rows: Sequence[Row]) -> list[MethodStandings]:
    """Collect the positions of all methods on some boards.

    Args:
        tables: of the boards, all of data of one origin.
        rows: of all their records.

    Returns:
        Methods that stand on all boards by their mean position, then those on fewer boards, fewest last.
    """
    by_path = {row.path: row for row in rows}
    found: dict[str, dict[Board, Standing]] = {}
    first: dict[str, Row] = {}
    for table in tables:
        ranked = [line for line in table.lines if line.position is not None and line.record in by_path]
        for line in ranked:
            row = by_path[line.record]
            # Two owners of one method are two lines; the better one, which comes first, stands for it.
            found.setdefault(method_key(row), {}).setdefault(table.board, Standing(line, len(ranked)))
            first.setdefault(method_key(row), row)
    titles = disambiguate_titles(list(first.values()))
    methods = [MethodStandings(first[key], titles[first[key].path], on) for key, on in found.items()]
    return sorted(methods, key=lambda method: (-len(method.on), method.mean, method.title.casefold()))
