"""One owner of the number of threads: what it holds, what it gives back, and that nobody else sets any."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import cv2
import numba
import pytest
import torch

from ffbench.errors import UsageError
from ffbench.threads import default_threads, limited, usable_cores, variables

ROOT = Path(__file__).parents[1]
SETTERS = re.compile(
    r"set_num_threads|setNumThreads|threadpool_limits|set_num_interop_threads|NUM_THREADS|OMP_WAIT_POLICY"
)
REPORT = """
import json, os, sys
from threadpoolctl import threadpool_info
import cv2, numpy
pools = {p["num_threads"] for p in threadpool_info() if p["user_api"] in ("openmp", "blas")}
torch = sys.modules["torch"].get_num_threads() if "torch" in sys.modules else None
print(json.dumps([torch, cv2.getNumThreads(), sorted(pools), os.environ.get("OMP_WAIT_POLICY")]))
"""


def numbers() -> tuple[int, ...]:
    return torch.get_num_threads(), cv2.getNumThreads(), numba.get_num_threads()


def report(before: str = "", **environment: str) -> list[object]:
    """Return the threads of PyTorch if it is loaded, of OpenCV and of all pools, and how OpenMP waits, of a process."""
    clean = {name: text for name, text in os.environ.items() if name not in (*variables(1), "OMP_WAIT_POLICY")}
    done = subprocess.run(
        [sys.executable, "-c", f"{before}\n{REPORT}"],
        env={**clean, **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    found: list[object] = json.loads(done.stdout.splitlines()[-1])
    return found


def setters(root: Path) -> dict[str, list[str]]:
    """Return, by file, the lines of code of the product that name a library's own setting of threads."""
    found: dict[str, list[str]] = {}
    for tree in ("ffbench", "methods", "protocols", "leaderboard"):
        for file in sorted((root / tree).rglob("*.py")):
            if lines := [line.strip() for line in file.read_text().splitlines() if SETTERS.search(line)]:
                found[file.relative_to(root).as_posix()] = lines
    return found


def test_a_block_has_its_number_and_all_get_back_what_they_had() -> None:
    before = numbers()
    with contextlib.suppress(UsageError), limited(1):
        assert numbers() == (1, 1, 1)
        raise UsageError("stop")
    assert numbers() == before


def test_blocks_nest() -> None:
    with limited(2):
        with limited(1):
            assert torch.get_num_threads() == 1
        assert (torch.get_num_threads(), cv2.getNumThreads()) == (2, 2)


@pytest.mark.parametrize("before", ["", "import cv2, numpy, numba; "])
def test_a_limit_holds_what_is_loaded_and_what_comes_later(before: str) -> None:
    assert report(f"{before}from ffbench.threads import limit; limit(1)")[1:3] == [1, [1]]


def test_a_process_that_is_started_with_the_variables_has_its_number() -> None:
    assert report("import torch", **variables(1))[:3] == [1, 1, [1]]


@pytest.mark.skipif(usable_cores() == 1, reason="on one core every number is 1")
def test_nothing_else_holds_such_a_process() -> None:
    """The control of the two tests above."""
    assert report()[1:] == [usable_cores(), [usable_cores()], None]


@pytest.mark.parametrize(("stated", "found"), [({}, "PASSIVE"), ({"OMP_WAIT_POLICY": "ACTIVE"}, "ACTIVE")])
def test_the_command_line_lets_threads_sleep_unless_told_otherwise(stated: dict[str, str], found: str) -> None:
    command = "import sys; sys.argv = ['ffbench', '--version']; from ffbench.cli import main"
    assert report(f"{command}\ntry: main()\nexcept SystemExit: pass", **stated)[3] == found


@pytest.mark.parametrize(("stated", "found"), [("3", 3), ("4,2", 4), ("0", None), ("many", None), ("", None)])
def test_the_number_that_the_environment_states(
    stated: str, found: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", stated)
    assert default_threads() == (usable_cores() if found is None else found)


def test_no_other_module_sets_a_number_of_threads() -> None:
    assert list(setters(ROOT)) == ["ffbench/threads.py"]


def test_a_module_that_sets_one_is_found(tmp_path: Path) -> None:
    (tmp_path / "methods").mkdir()
    (tmp_path / "methods" / "mine.py").write_text("import torch\ntorch.set_num_threads(4)\n")
    assert setters(tmp_path) == {"methods/mine.py": ["torch.set_num_threads(4)"]}
