"""Validation by the protocols' own code: there is one implementation of every metric."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ffbench.datasets.ffn.dataset import FFN
from ffbench.datasets.minis import make_mini, mini_folder
from ffbench.errors import DataError
from ffbench.method import Method
from ffbench.protocol import Protocol
from ffbench.registry import load_protocol
from ffbench.training.samples import MAKES_SPLITS

# Of a seed that the mini dataset of the benchmark does not have: other people than those that methods are ranked on.
_SEED = 1


def validation_protocols(names: Sequence[str], data: Path | None) -> list[Protocol[Any]]:
    """Build protocols over what is validated on.

    Args:
        names: protocols that read FFN's layout.
        data: FFN, whose `val` split is taken; None makes a mini dataset of other people than the benchmark's.

    Raises:
        UsageError, DataError: as `load_protocol`; of `data` without a `val` split the message says what makes one.
    """
    if data is not None:
        try:
            return [load_protocol(name, data=data, options={"split": "val"}) for name in names]
        except DataError as error:
            raise error.plus(f"{MAKES_SPLITS}; `--set validation.every=0` leaves validation out") from error
    folder = mini_folder(FFN, _SEED)
    if not folder.is_dir():
        make_mini(FFN, folder, _SEED)
    return [load_protocol(name, data=folder) for name in names]


def validate(
    method: Method, protocols: Sequence[Protocol[Any]], pairs: int, tick: Callable[[], None] = lambda: None
) -> Mapping[str, float]:
    """Score a method on some pairs of each protocol, spread evenly over all of them.

    Returns:
        The primary metric over all pairs, as `val/PROTOCOL`.
    """
    found = {}
    for protocol in protocols:
        keys = list(protocol.keys())
        chosen = np.unique(np.linspace(0, len(keys) - 1, min(pairs, len(keys))).round().astype(int))
        scores = []
        for place in chosen:
            pair = protocol.load(keys[place])
            scores.append(protocol.score(pair, method.estimate(pair.image1, pair.image2), None))
            tick()
        summary = protocol.summarize(scores)
        primary = next(s for s in summary if s.metric == protocol.card.primary and s.group == "all")
        found[f"val/{protocol.card.id}"] = primary.value
    return found
