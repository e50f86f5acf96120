"""Results wait under names that nobody can guess, only the last ones, and not for ever."""

from __future__ import annotations

import pytest

from ffbench.leaderboard.work import tickets
from ffbench.leaderboard.work.tickets import Tickets


def test_results_come_back_until_there_are_too_many_or_they_are_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(tickets.time, "monotonic", lambda: now)
    kept: Tickets[str] = Tickets(most=2, seconds=10)
    names = [kept.keep(result) for result in ("a", "b", "c")]
    assert [kept.find(name) for name in names] == [None, "b", "c"]
    assert kept.find("") is None
    assert len({*names}) == 3
    assert min(map(len, names)) >= 22  # 128 bits
    kept.keep("d", names[1])
    assert kept.find(names[1]) == "d"
    now = 111.0
    assert [kept.find(name) for name in names] == [None, None, None]
