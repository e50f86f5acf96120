"""The table of methods and protocols, as HTML: names of strangers are escaped here and nowhere before."""

from __future__ import annotations

from collections.abc import Sequence

from ffbench.io.escape import html
from ffbench.results.numbers import format_value
from ffbench.results.record.row import Board
from ffbench.results.report.leaderboard_formats import ranks_cell

from ..boards.board_naming import board_names, protocol_title, task_of
from ..boards.method_naming import method_key
from ..boards.standings import MethodStandings, Standing
from ..look import theme
from ..look.html_tables import attribute, heat, link, scrolling
from ..state import page_address


def heat_table(
    methods: Sequence[MethodStandings], boards: Sequence[Board], every: Sequence[Board], labels: dict[str, str]
) -> str:
    """Return the table of positions: a row a method, a column a board, and the mean position.

    Args:
        methods: rows, in order.
        boards: columns, of one section.
        every: all boards that there are, which decide what a board is called.
        labels: names of methods in addresses, by `method_key`.
    """
    named = {board: name for name, board in board_names([b for b in every if b.origin == boards[0].origin]).items()}
    addresses = {board: page_address("board", {"data": board.origin, "board": named[board]}) for board in boards}
    heads = "".join(
        f'<th scope="col" title="{html(named[board])}">{link(protocol_title(board.protocol), addresses[board])}'
        f"{_detail(board)}</th>"
        for board in boards
    )
    several = len(boards) > 1
    mean = '<th scope="col">mean position</th>' if several else ""
    rows = "".join(_row(method, boards, addresses, labels, several) for method in methods)
    by = ", by robustness" if task_of(boards[0].protocol) == "robustness" else ""
    return scrolling(
        f"Positions on {boards[0].origin} data{by}",
        f'<table class="ff-table"><thead><tr><th scope="col">method</th>{mean}{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table>",
    )


def _detail(board: Board) -> str:
    reference = {"pseudo": "pseudo reference", "no": "without reference"}.get(board.reference, "")
    return f'<span class="ff-small">{html(reference)}</span>' if reference else ""


def _row(
    method: MethodStandings, boards: Sequence[Board], addresses: dict[Board, str], labels: dict[str, str], several: bool
) -> str:
    address = page_address("method", {"method": labels[method_key(method.row)]})
    whole = len(method.on) == len(boards)
    on = "" if whole else f'<span class="ff-small">on {len(method.on)} of {len(boards)}</span>'
    mean = f"<td><b>{method.mean:.1f}</b>{on}</td>" if several else ""
    cells = "".join(_cell(method.on.get(board), addresses[board]) for board in boards)
    return f'<tr><th scope="row">{link(theme.plain(method.title, 60), address)}</th>{mean}{cells}</tr>'


def _cell(standing: Standing | None, address: str) -> str:
    if standing is None:
        return '<td><span aria-label="not measured">–</span></td>'
    line = standing.line
    said = "" if line.measured is None else format_value(line.measured)
    if line.ci_low is not None and line.ci_high is not None:
        said += f" [{format_value(line.ci_low)}, {format_value(line.ci_high)}]"
    return heat(
        standing.share,
        f'<a href="{attribute(address)}" title="{html(said)}">'
        f'<b>{line.position}</b><span class="ff-small">({html(ranks_cell(line))})</span></a>',
    )
