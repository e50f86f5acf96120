"""The journal of an evaluation: a line a batch, so that a killed run loses at most the batch it was in.

A line holds a whole batch, not a pair: a resumed run then forms the same batches as an uninterrupted one, and a
network whose last digits depend on the batch gives the same ones.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from ffbench.errors import DataError
from ffbench.protocol import PairScore, Term


class Journal:
    """Appends scored batches to a file, and gives back those that an interrupted run left there."""

    def __init__(self, path: Path, fingerprint: str) -> None:
        """Open `path`; a journal of another fingerprint is of another run and is started anew.

        Raises:
            DataError: the file cannot be opened or written.
        """
        self.path = path
        self.scores: list[PairScore] = []
        self.method_seconds = 0.0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
            self._file = path.open("r+b", buffering=0)
            self._lock()
            whole = self._read(fingerprint)
            # Whatever follows the last whole line was cut off by the interruption.
            self._file.truncate(whole)
            self._file.seek(whole)
            if not whole:
                self._write({"fingerprint": fingerprint})
        except OSError as error:
            raise DataError(f"{path}: cannot be written ({error.strerror})") from error

    def append(self, scores: Sequence[PairScore], method_seconds: float) -> None:
        """Add one scored batch.

        Raises:
            DataError: the disk is full; what was scored before is kept, and the run can be resumed.
        """
        batch = [{"key": s.key, "labels": dict(s.labels), "terms": _plain(s.terms)} for s in scores]
        end = self._file.tell()
        try:
            self._write({"seconds": method_seconds, "pairs": batch})
        except OSError as error:
            self._file.truncate(end)
            raise DataError(
                f"{self.path}: cannot be written ({error.strerror}); the {len(self.scores)} pairs scored so far are "
                "kept: make room and run the same command again"
            ) from error
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
        if not self._file.closed:
            os.fsync(self._file.fileno())
            self._file.close()

    def _lock(self) -> None:
        with contextlib.suppress(ImportError):
            import fcntl  # not on Windows, where two runs of one evaluation are the user's affair

            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise DataError(f"{self.path}: another process is evaluating this; wait for it to end") from error

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
                    self.scores.extend(_score(pair) for pair in line["pairs"])
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


def _plain(terms: Mapping[str, Term]) -> dict[str, tuple[float, float]]:
    return {name: (term.sum, term.count) for name, term in terms.items()}


def _score(pair: dict[str, Any]) -> PairScore:
    return PairScore(pair["key"], {name: Term(*term) for name, term in pair["terms"].items()}, pair["labels"])
