"""Running a method inside the server of the pages: one at a time, on few threads."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ffbench.evaluation.source import MethodSource
from ffbench.method import Method
from ffbench.protocol import NumpyFlows, Pair, Protocol

_ONE_AT_A_TIME = threading.Lock()


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


def estimate(method: Method, pair: Pair[Any], backward: bool) -> Estimate:
    """Run a method on a pair, and on the swapped images too if the backward flow is wanted.

    Raises:
        MethodError: the method failed.
    """
    with _few_threads():
        forward, back, seconds = MethodSource(method).flows([pair], backward)
    return Estimate(forward[0], back[0], seconds)


def pair_values(protocol: Protocol[Any], pair: Pair[Any], found: Estimate) -> list[Value]:
    """Score one pair, as `ffbench eval` scores it; empty where only all pairs together have a score.

    Raises:
        DataError: the protocol cannot score such a flow.
    """
    if protocol.learns:
        return []
    score = protocol.score(pair, found.forward, found.backward)
    terms = {name: score.terms[name] for name in protocol.card.metrics if name in score.terms}
    cards = protocol.card.metrics
    return [
        Value(cards[name].title, cards[name].unit, term.sum / term.count) for name, term in terms.items() if term.count
    ]


@contextlib.contextmanager
def _few_threads() -> Iterator[None]:
    """Hold the one place, and leave half of the processors to the pages."""
    import cv2
    import torch
    from threadpoolctl import threadpool_limits

    with _ONE_AT_A_TIME:
        before, before_cv2 = torch.get_num_threads(), cv2.getNumThreads()
        threads = max(1, before // 2)
        with threadpool_limits(threads):
            torch.set_num_threads(threads)
            cv2.setNumThreads(threads)
            try:
                yield
            finally:
                torch.set_num_threads(before)
                cv2.setNumThreads(before_cv2)
