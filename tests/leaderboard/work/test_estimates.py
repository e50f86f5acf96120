"""A method that a visitor starts runs in a process that is bounded, and leaves nothing behind."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from ffbench.errors import MethodError
from ffbench.leaderboard.work import bounded, estimate_task, estimates
from ffbench.leaderboard.work.bounded import Limits
from ffbench.protocol import Pair
from ffbench.registry import load_method

IMAGES = np.random.default_rng(0).integers(0, 256, (2, 40, 48, 3), np.uint8)
PAIR = Pair("a", IMAGES[0], IMAGES[1], None)


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the folders of processes are made; none may be left there."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def silent(ahead: int) -> None:
    assert ahead == 0


@pytest.mark.slow
def test_flows_are_those_of_the_method(scratch: Path) -> None:
    found = estimates.estimate("dis", PAIR, True, silent)
    method = load_method("dis", device="cpu")
    np.testing.assert_array_equal(found.forward.facial, method.estimate(*IMAGES).facial)
    assert found.backward is not None
    np.testing.assert_array_equal(found.backward.facial, method.estimate(IMAGES[1], IMAGES[0]).facial)
    assert found.forward.head is None
    assert found.seconds is not None
    assert found.seconds > 0
    assert not list(scratch.iterdir())


def test_a_method_that_takes_too_long_is_ended_and_said(scratch: Path) -> None:
    with pytest.raises(MethodError, match="dis: it took longer than 0 s; choose a faster method, or smaller images"):
        estimates.estimate("dis", PAIR, False, silent, Limits(seconds=0))
    assert not list(scratch.iterdir())


def test_a_visitor_who_goes_ends_the_method(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []
    popen = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda *a, **k: started.append(popen(*a, **k)) or started[-1])

    class Gone(BaseException):
        pass

    def leave(ahead: int) -> None:
        raise Gone

    with pytest.raises(Gone):
        estimates.estimate("dis", PAIR, False, leave)
    assert started[0].returncode is not None
    assert not list(scratch.iterdir())
    with estimates.PLACE.take(silent):  # free again
        pass


def test_one_method_at_a_time_and_waiting_is_none_of_its_time(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bounds of the process begin with the process: who waits longer than they allow loses nothing by it."""
    monkeypatch.setattr(bounded, "run", lambda *arguments: {"error": "ran"})
    told: list[int] = []
    holder = estimates.PLACE.take(silent)
    holder.__enter__()

    def tell(ahead: int) -> None:
        told.append(ahead)
        assert not list(scratch.iterdir())
        if len(told) == 3:
            holder.__exit__(None, None, None)

    with pytest.raises(MethodError, match="ran"):
        estimates.estimate("dis", PAIR, False, tell, Limits(seconds=0))
    assert told == [1, 1, 1]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone bounds a process's own memory")
def test_a_method_that_wants_too_much_memory_is_an_error_in_words(scratch: Path) -> None:
    large = np.zeros((3000, 3000, 3), np.uint8)
    with pytest.raises(MethodError, match="needs more than 400 MB of memory"):
        estimates.estimate("farneback", Pair("a", large, large, None), False, silent, Limits(memory_bytes=400 * 2**20))
    assert not list(scratch.iterdir())


@pytest.mark.parametrize("words", ["DefaultCPUAllocator: can't allocate memory", "std::bad_alloc"])
def test_other_ways_to_say_that_memory_is_short(words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(name: str, **_: object) -> None:
        raise RuntimeError(words)

    monkeypatch.setattr("ffbench.registry.load_method", load)
    np.savez(tmp_path / estimate_task.PAIR, image1=IMAGES[0], image2=IMAGES[1])
    request = {"method": "dis", "backward": False}
    with pytest.raises(MemoryError):
        estimate_task.answer(tmp_path, request)
