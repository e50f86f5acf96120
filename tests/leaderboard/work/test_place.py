"""Visitors have the place one after another in the order in which they came, and see how many are ahead."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from ffbench.leaderboard.work import place
from ffbench.leaderboard.work.place import Busy, Place

PATIENCE = 30


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place, "_POLL_SECONDS", 0.005)


class Left(BaseException):
    """What Streamlit raises in the script of a visitor who has gone."""


class Visitor:
    """Waits in a thread of its own, has the place until `done`, and may leave before."""

    def __init__(self, queue: Place, log: list[str], name: str) -> None:
        self.told: list[int] = []
        self.done, self.leaves = threading.Event(), threading.Event()
        self.left = False
        self._take = (queue, log, name)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        queue, log, name = self._take
        try:
            with queue.take(self._tell):
                log.append(f"{name} begins")
                assert self.done.wait(PATIENCE)
                log.append(f"{name} ends")
        except Left:
            self.left = True

    def _tell(self, ahead: int) -> None:
        self.told.append(ahead)
        if self.leaves.is_set():
            raise Left

    def join(self) -> None:
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.002)


@contextmanager
def visitors(queue: Place, names: str) -> Iterator[tuple[list[str], list[Visitor]]]:
    """Let visitors come one after another; all are sent home in the end."""
    log: list[str] = []
    found = []
    for number, name in enumerate(names):
        found.append(Visitor(queue, log, name))
        until(lambda number=number: len(queue._tickets) == number + 1)
    try:
        yield log, found
    finally:
        for visitor in found:
            visitor.done.set()
        for visitor in found:
            visitor.join()
        assert not queue._tickets


def test_first_come_first_served_and_positions_count_down() -> None:
    with visitors(Place("pairs"), "abcd") as (log, (a, b, c, d)):
        for visitor in (a, b, c, d):
            visitor.done.set()
            visitor.join()
    assert log == [f"{name} {what}" for name in "abcd" for what in ("begins", "ends")]
    assert a.told == []
    for ahead, visitor in enumerate((b, c, d), start=1):
        assert visitor.told == sorted(visitor.told, reverse=True)
        assert visitor.told[0] == ahead


def test_who_leaves_gives_up_the_place_and_the_others_move_up() -> None:
    with visitors(Place("pairs"), "abcd") as (log, (a, b, c, d)):
        until(lambda: bool(b.told and c.told and d.told))
        b.leaves.set()
        b.join()
        assert b.left
        until(lambda: c.told[-1] == 1 and d.told[-1] == 2)
        a.done.set()
        until(lambda: "c begins" in log)
        assert "b begins" not in log
        until(lambda: d.told[-1] == 1)


def test_work_that_fails_gives_up_the_place() -> None:
    queue = Place("pairs")
    with pytest.raises(ZeroDivisionError), queue.take(pytest.fail):
        raise ZeroDivisionError
    with queue.take(pytest.fail):
        pass


def test_the_queue_is_bounded_and_opens_again() -> None:
    queue = Place("pairs of other visitors", longest=2)
    with visitors(queue, "abc") as (_, (a, *_)):
        with pytest.raises(Busy) as error, queue.take(pytest.fail):
            pass
        assert str(error.value) == "2 pairs of other visitors are waiting already; try again in some minutes"
        a.done.set()
        until(lambda: len(queue._tickets) == 2)
        late = Visitor(queue, [], "late")
        until(lambda: bool(late.told))
        late.leaves.set()
        late.join()


def test_many_at_once_never_share_the_place() -> None:
    queue, inside, most = Place("pairs"), [0], [0]

    def visit() -> None:
        with queue.take(lambda ahead: None):
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            time.sleep(0.001)
            inside[0] -= 1

    threads = [threading.Thread(target=visit) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert (inside, most) == ([0], [1])
