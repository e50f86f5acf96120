"""The score of one pair."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ffbench.protocol import NumpyFlows, Pair, Protocol
from ffbench.scores import NOT_FOUND


def score_pair(protocol: Protocol[Any], pair: Pair[Any], forward: NumpyFlows, backward: NumpyFlows | None) -> Any:
    """Score a pair, and mark it where the method found nothing to go by in one of the two directions."""
    score = protocol.score(pair, forward, backward)
    found = [flows.found.all() for flows in (forward, backward) if flows is not None and flows.found is not None]
    return score if all(found) else replace(score, labels={**score.labels, "found": NOT_FOUND})
