"""What methods are called on the pages: one card of one kind is one method, on whichever boards it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ffbench.io.escape import plain
from ffbench.results.ranking.titles import disambiguate_titles
from ffbench.results.record.row import Row


def method_labels(rows: Sequence[Row]) -> dict[str, Row]:
    """Name the rows of one board so that no two share a name: title, id, and a number where that is not enough."""
    names = disambiguate_titles(rows)
    return numbered(
        (plain(row.title if row.title == row.method else f"{names[row.path]} ({row.method})", 90), row) for row in rows
    )


def numbered(named: Iterable[tuple[str, Row]]) -> dict[str, Row]:
    """Return rows by name; names that come again get a number."""
    found: dict[str, Row] = {}
    for base, row in named:
        name, number = base, 2
        while name in found:
            name, number = f"{base} #{number}", number + 1
        found[name] = row
    return found


def rows_by_method(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Return all rows of each method by the name that it has on the pages: one card of one kind is one method."""
    cards: dict[str, list[Row]] = {}
    for row in rows:
        cards.setdefault(method_key(row), []).append(row)
    labels = method_labels([several[0] for several in cards.values()])
    return {label: cards[method_key(first)] for label, first in labels.items()}


def find_label(labels: Sequence[str], rows: Mapping[str, Sequence[Row]], wanted: str) -> str | None:
    """Return the name that an address means by a name, a title or an id: the first that is it, or begins with it."""
    sought = wanted.casefold()
    for fits in (
        lambda label: label.casefold() == sought,
        lambda label: sought in (rows[label][0].method.casefold(), rows[label][0].title.casefold()),
        lambda label: label.casefold().startswith(sought),
    ):
        for label in labels if wanted else ():
            if fits(label):
                return label
    return None


def method_key(row: Row) -> str:
    """Return what rows of one method share on all boards."""
    return f"{row.kind} {row.identity}"
