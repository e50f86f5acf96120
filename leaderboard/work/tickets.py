"""Results under names that nobody can guess, so that a page that is loaded again shows them again."""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from typing import Generic, TypeVar

SECONDS = 3600
MOST = 32
T = TypeVar("T")


class Tickets(Generic[T]):
    """The last results, in memory alone, each for at most `seconds`; safe to use from several threads at once."""

    def __init__(self, most: int = MOST, seconds: float = SECONDS) -> None:
        self._most, self._seconds = most, seconds
        self._kept: OrderedDict[str, tuple[float, T]] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, result: T, ticket: str | None = None) -> str:
        """Keep a result, in place of that of a ticket if one is given; return its ticket, of 128 random bits."""
        name = ticket or secrets.token_urlsafe(16)
        with self._lock:
            self._kept[name] = time.monotonic(), result
            self._kept.move_to_end(name)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return name

    def find(self, ticket: str) -> T | None:
        """Return the result of a ticket; None if there is none, or no longer."""
        with self._lock:
            born, result = self._kept.get(ticket, (0.0, None))
            return result if result is not None and time.monotonic() - born <= self._seconds else None
