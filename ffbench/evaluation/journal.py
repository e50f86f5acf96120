"""The journal of an evaluation: a line a batch, so that a killed run loses at most the batch it was in.

Descriptors of pairs lie beside it, a file each, written before the line that counts on them.

A line holds a whole batch, not a pair: a resumed run then forms the same batches as an uninterrupted one, and a
network whose last digits depend on the batch gives the same ones.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from ffbench.atomic import atomic_path
from ffbench.errors import DataError, writing
from ffbench.protocol import PairScore, Term

Waiting = Callable[[str], None]
"""Called with a line that says what is waited for."""


class Journal:
    """Appends scored batches to a file, and gives back those that an interrupted run left there."""

    def __init__(self, path: Path, fingerprint: str, waiting: Waiting | None = None) -> None:
        """Open `path`; a journal of another fingerprint is of another run and is started anew.

        Args:
            path: the file.
            fingerprint: of the run.
            waiting: told when another process has the journal open, which is waited for then; None: an error.

        Raises:
            DataError: the file cannot be opened or written, or another process has it open.
        """
        self.path = path
        self._waiting = waiting
        self.scores: list[PairScore] = []
        self.method_seconds = 0.0
        with writing(path):
            self._open()
            whole = self._read(fingerprint)
            # Whatever follows the last whole line was cut off by the interruption.
            self._file.truncate(whole)
            self._file.seek(whole)
            if not whole:
                self._write({"fingerprint": fingerprint})

    def append(self, scores: Sequence[PairScore], method_seconds: float) -> None:
        """Add one scored batch.

        Raises:
            DataError: the disk is full; what was scored before is kept, and the run can be resumed.
        """
        for score in scores:
            if score.descriptor is not None:
                self._save(score.key, score.descriptor)
        batch = [_plain(score) for score in scores]
        end = self._file.tell()
        kept = f"; the {len(self.scores)} pairs scored so far are kept: make room and run the same command again"
        with writing(self.path, more=kept):
            try:
                self._write({"seconds": method_seconds, "pairs": batch})
            except OSError:
                self._file.truncate(end)
                raise
        self.scores.extend(scores)
        self.method_seconds += method_seconds

    def remove(self) -> None:
        """Delete the file: its content stands in the record now."""
        self._file.close()
        self.path.unlink(missing_ok=True)

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file.closed:
            return
        try:
            # Of two errors the one that came first is told.
            with contextlib.nullcontext() if error is None else contextlib.suppress(DataError), writing(self.path):
                os.fsync(self._file.fileno())
        finally:
            self._file.close()

    def _open(self) -> None:
        while True:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.touch()  # also says when it was used last (`prune_pairs`)
            try:
                self._file = self.path.open("r+b", buffering=0)
            except FileNotFoundError:
                continue
            self._lock()
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(self._file.fileno()), self.path.stat()):
                    return
            # Another run removed the file before it was locked here.
            self._file.close()

    def _lock(self) -> None:
        with contextlib.suppress(ImportError):
            import fcntl  # not on Windows, where two runs of one evaluation are the user's affair

            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                if self._waiting is None:
                    raise DataError(self.path, "another process is evaluating this; wait for it to end") from error
                self._waiting(f"waiting for another process that estimates the same flows ({self.path.parent})")
                fcntl.flock(self._file, fcntl.LOCK_EX)

    def _descriptor(self, key: str) -> Path:
        # Keys may hold anything, file names may not.
        return self.path.parent / "descriptors" / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.npy"

    def _save(self, key: str, descriptor: npt.NDArray[np.floating]) -> None:
        path = self._descriptor(key)
        path.parent.mkdir(exist_ok=True)
        with atomic_path(path) as temporary, temporary.open("wb") as file:
            np.save(file, descriptor, allow_pickle=False)

    def _scores(self, pairs: Sequence[dict[str, Any]]) -> list[PairScore] | None:
        """Give the scores of one line, or None if one of its descriptors is lost."""
        try:
            return [
                PairScore(
                    pair["key"],
                    {name: Term(*term) for name, term in pair["terms"].items()},
                    pair["labels"],
                    np.load(self._descriptor(pair["key"]), allow_pickle=False) if pair.get("descriptor") else None,
                )
                for pair in pairs
            ]
        except (OSError, ValueError, EOFError):
            return None

    def _write(self, line: dict[str, Any]) -> None:
        content = json.dumps(line, allow_nan=True).encode() + b"\n"
        written = self._file.write(content)
        if written != len(content):
            # A regular file takes fewer bytes than it is given only when the disk is full.
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _read(self, fingerprint: str) -> int:
        """Take over the whole lines of an earlier run; give the length of what is valid, in bytes."""
        whole = 0
        with self.path.open("rb") as file:
            for number, raw in enumerate(file):
                line = _parse(raw)
                if line is None:
                    break
                if number == 0:
                    if line.get("fingerprint") != fingerprint:
                        return 0
                else:
                    scores = self._scores(line["pairs"])
                    if scores is None:
                        break
                    self.scores.extend(scores)
                    self.method_seconds += line["seconds"]
                whole += len(raw)
        return whole


def _parse(raw: bytes) -> dict[str, Any] | None:
    """Give one line's content, or None if the line was cut off."""
    if not raw.endswith(b"\n"):
        return None
    try:
        line = json.loads(raw)
    except ValueError:
        return None
    return line if isinstance(line, dict) else None


def _plain(score: PairScore) -> dict[str, Any]:
    terms = {name: (term.sum, term.count) for name, term in score.terms.items()}
    line: dict[str, Any] = {"key": score.key, "labels": dict(score.labels), "terms": terms}
    return line if score.descriptor is None else {**line, "descriptor": True}
