"""The journal of an evaluation: a line a batch, so that a killed run loses at most the batch it was in.

A line holds a whole batch, not a pair: a resumed run then forms the same batches as an uninterrupted one, and a
network whose last digits depend on the batch gives the same ones.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, TypeVar

from ffbench.errors import DataError, writing
from ffbench.protocol import PairScore, Term

Scored = TypeVar("Scored", bound=PairScore)
Journaled = TypeVar("Journaled", bound="BaseJournal[Any]")


class BaseJournal(ABC, Generic[Scored]):
    """Appends scored batches to a file, and gives back those that an interrupted run left there.

    Subclasses say how a score becomes a line and back.
    """

    def __init__(self, path: Path, fingerprint: str) -> None:
        """Open `path`; a journal of another fingerprint is of another run and is started anew.

        Args:
            path: the file.
            fingerprint: of the run.

        Raises:
            DataError: the file cannot be opened or written, or another process has it open.
        """
        self.path = path
        self.scores: list[Scored] = []
        self.method_seconds = 0.0
        with writing(path):
            self._open()
            whole = self._read(fingerprint)
            # Whatever follows the last whole line was cut off by the interruption.
            self._file.truncate(whole)
            self._file.seek(whole)
            if not whole:
                self._write({"fingerprint": fingerprint})

    def append(self, scores: Sequence[Scored], method_seconds: float) -> None:
        """Add one scored batch.

        Raises:
            DataError: the disk is full; what was scored before is kept, and the run can be resumed.
        """
        batch = [self._keep(score) for score in scores]
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

    def __enter__(self: Journaled) -> Journaled:
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
                self._wait_for_lock(error)

    def _wait_for_lock(self, error: BlockingIOError) -> None:
        """Wait until another process has closed the file; here nobody waits."""
        raise DataError(self.path, "another process is evaluating this; wait for it to end") from error

    @abstractmethod
    def _keep(self, score: Scored) -> dict[str, Any]:
        """Keep what is not for the line of the batch, and return what that line says of the pair."""

    @abstractmethod
    def _restore(self, pair: dict[str, Any]) -> Scored:
        """Return what `_keep` was given; an OSError, ValueError or EOFError says that it cannot be had any more."""

    def _scores(self, pairs: Sequence[dict[str, Any]]) -> list[Scored] | None:
        """Return the scores of one line, or None if one of them cannot be had any more."""
        try:
            return [self._restore(pair) for pair in pairs]
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
    """Return one line's content, or None if the line was cut off."""
    if not raw.endswith(b"\n"):
        return None
    try:
        line = json.loads(raw)
    except ValueError:
        return None
    return line if isinstance(line, dict) else None


def plain_score(score: PairScore) -> dict[str, Any]:
    """Return key, labels and terms of a pair as JSON has them."""
    terms = {name: (term.sum, term.count) for name, term in score.terms.items()}
    return {"key": score.key, "labels": dict(score.labels), "terms": terms}


def terms_of(pair: dict[str, Any]) -> dict[str, Term]:
    """Return the terms of what `plain_score` made."""
    return {name: Term(*term) for name, term in pair["terms"].items()}


class Journal(BaseJournal[PairScore]):
    """The journal of scored pairs."""

    def _keep(self, score: PairScore) -> dict[str, Any]:
        return plain_score(score)

    def _restore(self, pair: dict[str, Any]) -> PairScore:
        return PairScore(pair["key"], terms_of(pair), pair["labels"])
