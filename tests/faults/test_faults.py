"""Every operation of the commands on their files fails once, and the process is killed at every one.

After each the folder is sound, the error is one line, and the same command then succeeds and leaves what it would have
left without the fault. As SQLite's tests do it (sqlite.org/testing.html, 3.1 to 3.4).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ffbench.threads import variables

WORKS = ("evaluate", "publish", "bundle", "export", "predict", "train", "generate")
MODES = ("fail", "kill")
Results = dict[tuple[str, str], dict[str, Any]]


def torment(folder: Path, every: int) -> Results:
    """Run the driver; an `every` of 0 takes what each work has for the quick tests."""
    compiler = shutil.which("cc")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("needs a C compiler and Linux's way to preload a library")
    here = Path(__file__).parent
    shim = folder / "shim.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", shim, here / "shim.c", "-ldl"], check=True)
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.driver", folder, str(every)],
        cwd=here.parents[1],
        env={**os.environ, "LD_PRELOAD": str(shim), **variables(1)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return {(line["work"], line["mode"]): line for line in lines}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return torment(tmp_path_factory.mktemp("faults"), 0)


def check(found: dict[str, Any], mode: str) -> None:
    assert not found["faults"], found["faults"][0]
    assert found["done at the second go"] == found["tried"] >= 3
    # What is caught and does no harm, such as the flush of a folder, may go on; most is not.
    assert found.get("refused" if mode == "fail" else "killed", 0) > found["tried"] / 2


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("work", WORKS)
def test_nothing_is_left_that_fails_later(results: Results, work: str, mode: str) -> None:
    check(results[work, mode], mode)


@pytest.mark.parametrize("mode", MODES)
def test_a_careless_writer_is_found_out(results: Results, mode: str) -> None:
    found = results["careless", mode]
    assert found["unsound"]
    assert "is not sound" in found["faults"][0]


@pytest.mark.campaign
def test_every_operation(tmp_path: Path) -> None:
    found = torment(tmp_path, 1)
    assert all(line["tried"] == line["operations"] for line in found.values())
    for work in WORKS:
        for mode in MODES:
            check(found[work, mode], mode)
