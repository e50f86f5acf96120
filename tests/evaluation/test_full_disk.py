"""A full disk: what was scored is kept, and no half of a record is left."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from ffbench.errors import DataError
from ffbench.evaluation import evaluate
from ffbench.evaluation.journal import Journal
from ffbench.protocol import PairScore, Term
from tests.toys import BrightnessFlow, Stripes


class FullDisk:
    """A file that takes `room` more bytes, as a disk does that runs full in the middle of a write."""

    def __init__(self, file, room: int) -> None:  # type: ignore[no-untyped-def]
        self.file, self.room = file, room

    def write(self, content: bytes) -> int:
        if self.room == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        taken = self.file.write(content[: self.room])
        self.room -= taken
        return taken

    def __getattr__(self, name: str):  # type: ignore[no-untyped-def]
        return getattr(self.file, name)


@pytest.mark.parametrize("room", [0, 30])
def test_full_journal_keeps_whole_lines(tmp_path: Path, room: int) -> None:
    path = tmp_path / "journal.jsonl"
    with Journal(path, "f") as journal:
        journal.append([PairScore("a", {"epe": Term(0.1, 3)}, {})], 1.5)
        journal._file = FullDisk(journal._file, room)  # type: ignore[assignment]
        with pytest.raises(DataError, match=r"journal\.jsonl.*No space.*1 pairs.*same command"):
            journal.append([PairScore("b", {"epe": Term(0.2, 3)}, {})], 1.5)
    with Journal(path, "f") as journal:
        assert journal.scores == [PairScore("a", {"epe": Term(0.1, 3)}, {})]
        assert journal.method_seconds == 1.5


def test_full_disk_at_the_record_leaves_the_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_space(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", no_space)
        with pytest.raises(DataError, match=r"pairs\.parquet.*No space"):
            evaluate(BrightnessFlow(), Stripes(4), out=tmp_path)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["journal.jsonl"]
    method = BrightnessFlow()
    assert evaluate(method, Stripes(4), out=tmp_path).pairs == 4
    assert method.batches == []
