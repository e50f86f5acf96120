"""Running a method for a visitor: one at a time, in a process of its own that is bounded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ffbench.errors import DataError, MethodError
from ffbench.method import Flows
from ffbench.protocol import LearningProtocol, NumpyFlows, Pair, Protocol
from ffbench.threads import usable_cores

from . import bounded
from .bounded import Limits
from .estimate_task import FLOWS, PAIR
from .place import Place
from .private import private_folder

LIMITS = Limits(seconds=180, memory_bytes=4 * 2**30, threads=max(1, usable_cores() // 2))
"""Of one pair, the loading of the method included; half of the processors are left to the pages."""
PLACE = Place("pairs of other visitors")
FALLBACK_HINT = "choose a faster method, or smaller images"


@dataclass(frozen=True)
class Estimate:
    """Flows of a pair, and the seconds that a method took for them (None: they were read)."""

    forward: NumpyFlows
    backward: NumpyFlows | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class Value:
    """One metric of one pair."""

    title: str
    unit: str
    value: float


def estimate(
    method: str, pair: Pair[Any], backward: bool, tell: Callable[[int], None], limits: Limits = LIMITS
) -> Estimate:
    """Run a method on a pair, and on the swapped images too if the backward flow is wanted.

    Args:
        method: `family[/variant][:checkpoint]`.
        pair: its images, (H, W, 3) uint8.
        backward: whether the backward flow is wanted.
        tell: called five times a second with how many pairs are ahead in the queue, 0 while the method runs; what it
            raises gives up the place in the queue, or ends the method.
        limits: of the process; time counts from when it starts.

    Raises:
        Busy: too many others are waiting.
        MethodError: the method cannot be loaded, failed, or asked for more than `limits`.
    """
    with PLACE.take(tell), private_folder("estimate") as folder:
        np.savez(folder / PAIR, image1=pair.image1, image2=pair.image2)
        request = {"method": method, "backward": backward}
        try:
            result = bounded.run(folder, "estimate", request, limits, lambda _: tell(0), FALLBACK_HINT)
        except DataError as error:
            raise MethodError(f"{method}: {error}") from error
        if "error" in result:
            raise MethodError(str(result["error"]))
        with np.load(folder / FLOWS, allow_pickle=False) as found:
            arrays = {name: found[name] for name in found.files}
    back = Flows(arrays["backward_facial"], arrays.get("backward_head")) if backward else None
    return Estimate(Flows(arrays["facial"], arrays.get("head")), back, float(result["seconds"]))


def pair_values(protocol: Protocol[Any], pair: Pair[Any], found: Estimate) -> list[Value]:
    """Score one pair, as `ffbench eval` scores it; empty where only all pairs together have a score.

    Raises:
        DataError: the protocol cannot score such a flow.
    """
    if isinstance(protocol, LearningProtocol):
        return []
    score = protocol.score(pair, found.forward, found.backward)
    terms = {name: score.terms[name] for name in protocol.card.metrics if name in score.terms}
    cards = protocol.card.metrics
    return [
        Value(cards[name].title, cards[name].unit, term.sum / term.count) for name, term in terms.items() if term.count
    ]
