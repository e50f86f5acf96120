"""What readers choose methods by, from what a record's card says."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal, get_args

from ffbench.cards import RANDOM_WEIGHTS
from ffbench.io.escape import plain
from ffbench.results.record.row import Row

Kind = Literal["network", "without training", "flows sent in"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Size = Literal["none", "under 1 M", "1 to 10 M", "over 10 M", "not told"]
SIZES: tuple[Size, ...] = get_args(Size)
_NO_DATA = "none"
_TRAINING_DATA = "training/data"
"""Option of a card that names the training data; without it the name of the weights tells them, such as `things`."""


@dataclass(frozen=True)
class MethodFacts:
    """Kind of method, what it was trained on, how many parameters it has, and whether anybody can have its weights."""

    kind: Kind
    training: str
    size: Size
    available: bool


def facts_of(row: Row) -> MethodFacts:
    """Read the facts of a row's method."""
    card = json.loads(row.identity)[1]
    weights = card["weights"]
    if row.kind == "submitted":
        return MethodFacts("flows sent in", "not told", "not told", row.code is not None)
    trained = weights is not None or bool(row.parameters)
    training = card["options"].get(_TRAINING_DATA) or (weights["name"] if weights else _NO_DATA)
    available = weights is None or (weights["source"] != "file" and weights["name"] != RANDOM_WEIGHTS)
    return MethodFacts(
        "network" if trained else "without training", plain(str(training), 40), _size(row.parameters), available
    )


def _size(parameters: int | None) -> Size:
    if not parameters:
        return "none"
    return "under 1 M" if parameters < 1e6 else "1 to 10 M" if parameters <= 1e7 else "over 10 M"
