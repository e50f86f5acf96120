"""All methods of a board against each other, as a matrix of wins in HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ffbench.io.escape import html
from ffbench.results.ranking.order import Ranking
from ffbench.results.record.row import Row

from ..look import theme
from ..look.html_tables import scrolling

MOST = 12
"""Methods that the matrix has room for."""


def matrix(found: Ranking, titles: Mapping[str, str]) -> str:
    """Return the matrix: in each cell how far the method of the row is from that of the column.

    Args:
        found: of one board; the first methods by position are shown.
        titles: of methods by the path of their record.
    """
    rows = found.compared[:MOST]
    heads = "".join(f'<th scope="col">{number}</th>' for number in range(1, len(rows) + 1))
    lines = []
    for index, row in enumerate(rows):
        cells = "".join(_cell(found, rows, index, other) for other in range(len(rows)))
        wins, losses = tally(found, index, len(rows))
        name = html(theme.plain(titles[row.path], 60))
        lines.append(f'<tr><th scope="row">{index + 1} {name}</th>{cells}<td><b>{wins}</b></td><td>{losses}</td></tr>')
    return scrolling(
        "All methods against each other",
        f'<table class="ff-table"><thead><tr><th scope="col">method</th>{heads}<th scope="col">wins</th>'
        f'<th scope="col">losses</th></tr></thead><tbody>{"".join(lines)}</tbody></table>',
    )


def tally(found: Ranking, index: int, of: int) -> tuple[int, int]:
    """Return against how many of the first `of` methods one is better, and worse, where the data tell them apart."""
    others = [other for other in range(of) if other != index and found.sets.told_apart(index, other)]
    wins = sum(_is_better(found, index, other) for other in others)
    return wins, len(others) - wins


def _is_better(found: Ranking, index: int, other: int) -> bool:
    return found.sets.positions[index] < found.sets.positions[other]


def _cell(found: Ranking, rows: Sequence[Row], index: int, other: int) -> str:
    if index == other:
        return '<td aria-label="the same method"></td>'
    said = gap(rows[index], rows[other])
    if not found.sets.told_apart(index, other):
        return f'<td title="not told apart">≈ <span class="ff-small">{said}</span></td>'
    better = _is_better(found, index, other)
    ground, ink = theme.win(better=better)
    word, sign = ("better", "▲") if better else ("worse", "▼")
    return (
        f'<td style="background:{ground};color:{ink}" title="{word}">{sign} <span class="ff-small">{said}</span></td>'
    )


def gap(row: Row, other: Row) -> str:
    """Return how far a value is from another: in percent of it, or in points where the unit is percent."""
    difference = row.value - other.value
    if row.unit == "%":
        return f"{difference:+.1f} points".replace("-", "−")
    return "" if other.value == 0 else f"{100 * difference / abs(other.value):+.0f} %".replace("-", "−")
