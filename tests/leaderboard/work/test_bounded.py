"""A process that does a visitor's work can take only so much, and says in words what it wanted more of."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ffbench.leaderboard.work import bounded
from ffbench.leaderboard.work.bounded import Limits


def child(body: str, seconds: int = 20) -> subprocess.CompletedProcess[str]:
    code = (
        "from ffbench.leaderboard.work.worker import bound_this_process\n"
        f"bound_this_process({seconds}, {300 * 2**20}, {2**20})\n{body}"
    )
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone bounds a process's own memory")
def test_memory_is_bounded() -> None:
    assert "MemoryError" in child(f"bytearray({600 * 2**20})").stderr
    assert child(f"bytearray({50 * 2**20})").returncode == 0


def test_files_and_time_are_bounded(tmp_path: Path) -> None:
    file = tmp_path / "large"
    assert "File too large" in child(f"open({str(file)!r}, 'wb').write(bytes({2**21}))").stderr
    assert file.stat().st_size <= 2**20
    assert child("while True: pass", seconds=1).returncode in (-signal.SIGXCPU, -signal.SIGALRM, -signal.SIGKILL)
    assert child("import time; time.sleep(30)", seconds=1).returncode == -signal.SIGALRM


@pytest.mark.parametrize(
    ("code", "log", "said"),
    [
        (-signal.SIGKILL, "", "signal 9, such as for want of memory (at most 3072 MB)): it said nothing"),
        (1, "Traceback\nImportError: x", "ended early (code 1): ImportError: x"),
        (-signal.SIGXCPU, "", "longer than 600 s; do less"),
    ],
)
def test_an_end_without_a_result_is_put_into_words(code: int, log: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "log").write_text(log)
    assert said in str(bounded._why(code, tmp_path, Limits(), "do less"))
