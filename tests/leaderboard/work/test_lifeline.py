"""A worker ends with its server, also when that is killed and can do nothing about it any more."""

from __future__ import annotations

import fcntl
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

SERVER = """
import signal, sys
from pathlib import Path
# A shell that starts the tests in the background has them ignore Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)
from ffbench.leaderboard.work import bounded
bounded._WORKER = ("-c", sys.argv[2])
bounded.run(Path(sys.argv[1]), "none", {}, bounded.Limits(), lambda progress: None, "")
"""
HOLD = """
import fcntl, os, sys
def hold(name):
    file = open(os.path.join(sys.argv[1], name), "w")
    fcntl.flock(file, fcntl.LOCK_EX)
    file.write(str(os.getpid()))
    file.flush()
    return file
"""
CHILD = f"{HOLD}\nimport time\nkept = hold('child')\ntime.sleep(60)"
WORKER = f"""
import ctypes, os, subprocess, time
from ffbench.leaderboard.work import lifeline
{{tie}}
{HOLD}
kept = hold("worker")
subprocess.Popen([sys.executable, "-c", {CHILD!r}, sys.argv[1]])
{{work}}
"""
BOTH = "lifeline.end_with_the_starter()"
WATCHER_ALONE = f"lifeline.kill_when_the_starter_ends = lambda: None\n{BOTH}"
KERNEL_ALONE = f"lifeline.watch = lambda: os._exit(0)\n{BOTH}"
SLEEP = "time.sleep(60)"
NEVER_YIELD = "ctypes.PyDLL(None).sleep(60)"  # C code that keeps other threads of Python from running
PATIENCE = 60


def alive(folder: Path, name: str) -> bool:
    """Whether the process that holds a file lives. The kernel gives the file up with it."""
    try:
        with (folder / name).open() as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        pass
    return False


def soon(true: Callable[[], bool], seconds: float = PATIENCE) -> bool:
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@contextmanager
def server(folder: Path, tie: str, work: str = SLEEP) -> Iterator[subprocess.Popen[bytes]]:
    """Start a server that waits for a worker, which has started a child; none of them is left in the end."""
    command = [sys.executable, "-c", SERVER, str(folder), WORKER.format(tie=tie, work=work)]
    with subprocess.Popen(command) as process:
        try:
            assert soon(lambda: alive(folder, "worker") and alive(folder, "child"))
            yield process
        finally:
            process.kill()
            for name in ("worker", "child"):
                if alive(folder, name):
                    subprocess.run(["kill", "-9", (folder / name).read_text()], check=False)


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda end: end.name)
def test_a_worker_and_what_it_started_end_with_the_server(end: signal.Signals, tmp_path: Path) -> None:
    with server(tmp_path, BOTH) as process:
        process.send_signal(end)
        assert soon(lambda: not alive(tmp_path, "worker") and not alive(tmp_path, "child"))


@pytest.mark.parametrize("work", [SLEEP, NEVER_YIELD], ids=["sleeps", "never yields"])
def test_the_watcher_alone_is_enough(work: str, tmp_path: Path) -> None:
    with server(tmp_path, WATCHER_ALONE, work) as process:
        process.kill()
        assert soon(lambda: not alive(tmp_path, "worker") and not alive(tmp_path, "child"))


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone kills a process with the one that started it")
def test_the_kernel_alone_ends_the_worker(tmp_path: Path) -> None:
    with server(tmp_path, KERNEL_ALONE) as process:
        process.kill()
        assert soon(lambda: not alive(tmp_path, "worker"))


def test_without_a_lifeline_the_worker_outlives_the_server(tmp_path: Path) -> None:
    """The control: what the other tests see is not how processes end anyway."""
    with server(tmp_path, "") as process:
        process.kill()
        process.wait(PATIENCE)
        assert not soon(lambda: not alive(tmp_path, "worker") or not alive(tmp_path, "child"), seconds=3)
