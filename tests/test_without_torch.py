"""Commands that read records and files of flow import no PyTorch, which alone takes more CPU than they do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ffbench.flow import write_flow
from tests.torchless import PAIRS, SIZE

ROOT = Path(__file__).parents[1]


def run(folder: Path, *arguments: str, core_only: bool = True) -> tuple[str, str]:
    """Run a command in `folder`, which must succeed; give its stdout, and the last line of its stderr.

    Unless told otherwise, what the extras install (PyTorch, ptlflow, Lightning, OpenCV, SciPy, ...) cannot be imported.
    """
    done = subprocess.run(
        [sys.executable, "-m", "tests.torchless", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "FFBENCH_CACHE": str(folder / "cache")}
        | ({"CORE_ONLY": "1"} if core_only else {}),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout, done.stderr.splitlines()[-1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Predictions of two methods in `a` and `b`, the runs that score them, and a store that holds both."""
    place = tmp_path_factory.mktemp("torchless")
    for name, error in (("a", 0.5), ("b", 1.5)):
        for number in range(PAIRS):
            flow = np.zeros((*SIZE, 2), np.float32)
            flow[..., 0] = number + error + 0.01 * number
            write_flow(place / name / "facial" / f"{number:03d}.flo", flow)
        run(place, "submit", name, "-p", "plain", "--name", name, "--out", f"runs_{name}")
        run(place, "publish", str(record(place, name).parent), "--store", "store", "--verified")
    return place


def record(folder: Path, name: str) -> Path:
    """Return the record of one of the two methods."""
    return next((folder / f"runs_{name}").rglob("record.json"))


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("validate a -p plain", f"{PAIRS} files expected, {PAIRS} found and sound"),
        ("submit a -p plain --name a --out again", "record: again"),
        ("bundle a -p plain --out a.bundle", "sha256 of the whole predictions"),
        ("validate a.zip -p plain", f"{PAIRS} found and sound"),
        ("leaderboard store", "| 1 | 1 | a |"),
        ("leaderboard store --format text", "ranks"),
        ("compare {a} {b}", "epe"),
        ("export -p plain --out exported", "6 pairs"),
        ("site store --out pages", ""),
        ("table 2 --runs runs_a", "DecFlow(Ours)"),
        ("publish {a} --store new", "new/claimed/plain/a-"),
        ("verify store --predictions a --predictions b", "2 records, 2 confirmed, 0 faults"),
    ],
)
def test_commands_that_read_files_import_no_torch(folder: Path, command: str, said: str) -> None:
    if "a.zip" in command:
        subprocess.run([sys.executable, "-m", "zipfile", "-c", "a.zip", "a/facial"], cwd=folder, check=True)
    words = command.format(a=record(folder, "a"), b=record(folder, "b")).split()
    out, last = run(folder, *words)
    assert said in out
    assert last == "torch: False"


def test_a_command_that_runs_a_method_imports_torch(folder: Path) -> None:
    command = ("eval", "-m", "zero", "-p", "plain", "--out", "evaluated")
    assert run(folder, *command, core_only=False)[1] == "torch: True"


def test_no_protocol_imports_torch_before_it_is_run() -> None:
    code = (
        "import sys; from ffbench import registry; names = registry.protocol_names();"
        "[registry.protocol_entry(name) for name in names]; print(len(names), 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    count, imported = done.stdout.split()
    assert int(count) >= 12, done.stderr
    assert imported == "False"
