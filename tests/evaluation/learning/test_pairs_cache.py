"""The folders of pairs' flows: the last used stay, and none goes that a run has open."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from ffbench.evaluation.learning.descriptors import DescriptorJournal
from ffbench.evaluation.learning.pairs_cache import prune_pairs
from ffbench.protocol import DescribedPair


def made(folder: Path, number: int) -> Path:
    place = folder / f"pairs-{number}"
    with DescriptorJournal(place / "journal.jsonl", "made") as journal:
        journal.append([DescribedPair("a", {}, {}, descriptor=np.zeros(3, np.float16))], 0.0)
    os.utime(place / "journal.jsonl", (number, number))
    return place


def test_the_last_used_stay_and_what_is_open(tmp_path: Path) -> None:
    places = [made(tmp_path, number) for number in range(6)]
    (tmp_path / "0123456789ab").mkdir()
    with DescriptorJournal(places[0] / "journal.jsonl", "made"):
        os.utime(places[0] / "journal.jsonl", (0, 0))
        assert prune_pairs(tmp_path, keep=2) == [places[3], places[2], places[1]]
    # Whoever opens a journal uses it.
    with DescriptorJournal(places[4] / "journal.jsonl", "made") as journal:
        assert len(journal.scores) == 1
    assert prune_pairs(tmp_path, keep=1) == [places[5], places[0]]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0123456789ab", "pairs-4"]


def test_a_journal_that_is_removed_while_it_is_opened_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "pairs-0" / "journal.jsonl"
    made(tmp_path, 0)

    class Late(DescriptorJournal):
        times = 0

        def _lock(self) -> None:
            if not self.times:
                prune_pairs(tmp_path, keep=0)
            self.times += 1
            super()._lock()

    with Late(path, "made") as late:
        assert late.scores == []
        late.append([DescribedPair("b", {}, {}, descriptor=np.ones(3, np.float16))], 0.0)
    with DescriptorJournal(path, "made") as journal:
        assert [score.key for score in journal.scores] == ["b"]
