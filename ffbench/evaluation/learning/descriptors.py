"""The store of a learning protocol: a journal of pairs, and beside it a file each for the descriptor to learn from.

It stays when the record is written: whoever learns from the same flows again, with other options, does not estimate
them again. A descriptor is written before the line that counts on it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ffbench.evaluation.journal import BaseJournal, plain_score, terms_of
from ffbench.io.atomic import atomic_path
from ffbench.protocol import DescribedPair

Waiting = Callable[[str], None]
"""Called with a line that says what is waited for."""


class DescriptorJournal(BaseJournal[DescribedPair]):
    """The journal of pairs with descriptors."""

    def __init__(self, path: Path, fingerprint: str, waiting: Waiting | None = None) -> None:
        """Open `path`; a journal of another fingerprint is of other flows and is started anew.

        Args:
            path: the file; the descriptors lie in the folder `descriptors` beside it.
            fingerprint: of the flows.
            waiting: told when another process has the journal open, which is waited for then; None: an error.

        Raises:
            DataError: the file cannot be opened or written, or another process has it open.
        """
        self._waiting = waiting
        super().__init__(path, fingerprint)

    def _wait_for_lock(self, error: BlockingIOError) -> None:
        if self._waiting is None:
            super()._wait_for_lock(error)
            return
        import fcntl  # there, since it was refused a lock

        self._waiting(f"waiting for another process that estimates the same flows ({self.path.parent})")
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def _keep(self, score: DescribedPair) -> dict[str, Any]:
        path = self._descriptor(score.key)
        path.parent.mkdir(exist_ok=True)
        with atomic_path(path) as temporary, temporary.open("wb") as file:
            np.save(file, score.descriptor, allow_pickle=False)
        return plain_score(score)

    def _restore(self, pair: dict[str, Any]) -> DescribedPair:
        descriptor = np.load(self._descriptor(pair["key"]), allow_pickle=False)
        return DescribedPair(pair["key"], terms_of(pair), pair["labels"], descriptor=descriptor)

    def _descriptor(self, key: str) -> Path:
        # Keys may hold anything, file names may not.
        return self.path.parent / "descriptors" / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.npy"
