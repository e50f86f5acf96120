"""Visitors who wait see their place in the queue; a server that is killed leaves no worker, and no folder for long."""

from __future__ import annotations

import fcntl
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.leaderboard import uploads
from tests.leaderboard.e2e.conftest import PORT, Server, serve

SLEEPER = """
import fcntl, os, time
from ffbench import MethodEntry

def load(request):
    with open(os.environ["SLEEPER"], "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        time.sleep(600)

entry = MethodEntry("takes longer than anybody waits", load=load, quick=True)
"""
PATIENCE = 300
ADDRESS = f"explorer?protocol={uploads.PROTOCOL}&method=sleeper"


@contextmanager
def sleepy(folder: Path) -> Iterator[Server]:
    """Serve the pages with a method whose process holds the file `sleeping` for as long as it lives."""
    (folder / "tmp").mkdir(exist_ok=True)
    (folder / "sleeper.py").write_text(SLEEPER)
    package = folder / "sleeper-1.0.dist-info"
    package.mkdir(exist_ok=True)
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: sleeper\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text("[ffbench.methods]\nsleeper = sleeper:entry\n")
    environment = {
        "PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]),
        "SLEEPER": str(folder / "sleeping"),
        "TMPDIR": str(folder / "tmp"),
        "FFBENCH_DATA": str(uploads.make_dataset(folder / "data")),
    }
    start = "from ffbench.cli import main; main()"
    command = [sys.executable, "-c", start, "app", "--no-browser", "--port", PORT, str(folder)]
    with serve(command, folder, **environment) as server:
        yield server


def sleeping(folder: Path) -> bool:
    """Whether the method runs."""
    try:
        with (folder / "sleeping").open() as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        pass
    return False


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_places_in_the_queue_and_a_killed_server(tmp_path: Path, browser: Any) -> None:
    with sleepy(tmp_path) as server:
        visitors = [browser.new_page() for _ in range(3)]
        for visitor, shown in zip(visitors, ("Estimating the flow", "number 1 in", "number 2 in"), strict=True):
            visitor.goto(f"{server.address}/{ADDRESS}")
            visitor.get_by_text(shown).wait_for()
        until(lambda: sleeping(tmp_path))
        # Who changes the page, or closes it, gives up the place.
        visitors[1].goto("about:blank")
        visitors[2].get_by_text("number 1 in").wait_for()
        visitors[0].close()
        until(lambda: not sleeping(tmp_path))
        visitors[2].get_by_text("Estimating the flow").wait_for()
        until(lambda: sleeping(tmp_path))
        server.process.kill()
        until(lambda: not sleeping(tmp_path))
        (left,) = (tmp_path / "tmp").glob("ffbench-app-*")
        for visitor in visitors[1:]:
            visitor.close()
    with sleepy(tmp_path):
        assert not left.exists()
