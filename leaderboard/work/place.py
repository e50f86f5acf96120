"""The one place of a kind of work, and the queue of visitors who wait for it."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

from ffbench.errors import FfbenchError

_POLL_SECONDS = 0.2
LONGEST = 20
"""Visitors who may wait for one place."""


class Busy(FfbenchError):
    """As many visitors as may wait are waiting already."""


class Place:
    """Who comes first works first; at most `longest` others wait."""

    def __init__(self, work: str, longest: int = LONGEST) -> None:
        """Open a place for `work`, which is a plural that errors name."""
        self._work, self._longest = work, longest
        self._tickets: list[object] = []  # the first one works, the others wait in this order
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def take(self, tell: Callable[[int], None]) -> Iterator[None]:
        """Wait for the place, have it to oneself, and give it up in the end.

        Args:
            tell: called five times a second with how many are ahead, while any are. What it raises, such as that the
                visitor has gone, gives up the place in the queue.

        Raises:
            Busy: the queue is full.
        """
        ticket = object()
        with self._lock:
            if len(self._tickets) > self._longest:
                raise Busy(f"{self._longest} {self._work} are waiting already; try again in some minutes")
            self._tickets.append(ticket)
        try:
            while ahead := self._ahead(ticket):
                tell(ahead)
                time.sleep(_POLL_SECONDS)
            yield
        finally:
            with self._lock:
                self._tickets.remove(ticket)

    def _ahead(self, ticket: object) -> int:
        with self._lock:
            return self._tickets.index(ticket)
