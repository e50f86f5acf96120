"""Titles under which the rows of one table are told apart."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from ffbench.results.record.row import Row


def disambiguate_titles(rows: Sequence[Row]) -> dict[str, str]:
    """Return a title for each row by the path of its record; methods that share one get what tells them apart.

    That is, in this order and only as far as needed: id, name of the weights, their hash, iterations, precision, and
    options. Rows of one and the same method keep one title.
    """
    sharing: dict[str, list[Row]] = {}
    for row in rows:
        sharing.setdefault(row.title, []).append(row)
    names: dict[str, str] = {}
    for title, group in sharing.items():
        parts = {row.path: [title] for row in group}
        methods = len({row.identity for row in group})
        for marks in _marks([_card(row) for row in group]) if methods > 1 else ():
            if len({tuple(said) for said in parts.values()}) == methods:
                break
            for row, mark in zip(group, marks, strict=True):
                parts[row.path] += [mark] if mark and len(set(marks)) > 1 else []
        names |= {path: " · ".join(said) for path, said in parts.items()}
    return names


def from_file(row: Row) -> bool:
    """Whether a row's method ran with weights from a file that the user named: they can be anybody's."""
    weights = _card(row)["weights"]
    return weights is not None and weights["source"] == "file"


def _card(row: Row) -> dict[str, Any]:
    card: dict[str, Any] = json.loads(row.identity)[1]
    return card


def _marks(cards: Sequence[dict[str, Any]]) -> Iterator[list[str]]:
    """Say in a few words what methods can differ in, one thing at a time, for all of them."""
    weights = [card["weights"] or {} for card in cards]
    yield [card["id"] for card in cards]
    yield [said.get("name", "") for said in weights]
    yield [(said.get("sha256") or "")[:8] for said in weights]
    yield ["" if card["iterations"] is None else f"{card['iterations']} iterations" for card in cards]
    yield [card["precision"] for card in cards]
    for name in sorted({name for card in cards for name in card["options"]}):
        yield [f"{name} {card['options'][name]}" if name in card["options"] else "" for card in cards]
