"""A disk that is really full: a small tmpfs that grows until the run fits. No half of a record at any size."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.results.made_runs import make_run

ENTER = ["unshare", "--map-root-user", "--mount"]

EVALUATE = """
import json, subprocess, sys
from pathlib import Path
from ffbench.errors import DataError
from ffbench.evaluation import evaluate
from ffbench.results.record.run_record import read_record
from ffbench.io.hashing import file_sha256
from tests.toys import BrightnessFlow, Stripes

disk = Path(sys.argv[1])
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", disk], check=True)
sizes, messages = [], []
for kilobytes in range(4, 200, 4):
    subprocess.run(["mount", "-o", f"remount,size={kilobytes}k", disk], check=True)
    try:
        evaluate(BrightnessFlow(), Stripes(60), out=disk / "runs")
    except DataError as error:
        messages.append(str(error))
        for path in disk.rglob("record.json"):
            raise AssertionError(f"a record beside the error {error}")
        assert not [path for path in disk.rglob(".*")], "a temporary file is left"
        continue
    (path,) = disk.rglob("record.json")
    record = read_record(path)
    assert file_sha256(path.with_name("pairs.parquet")) == record.pair_table.sha256
    print(json.dumps({"fits": kilobytes, "messages": messages, "value": record.primary.value,
                      "resumed": record.cost.resumed_pairs}))
    break
"""

STORE = """
import json, subprocess, sys
from pathlib import Path
from ffbench.errors import DataError
from ffbench.results.store.records import add_record, read_rows
from ffbench.results.store.verification import verify_store

disk, run = Path(sys.argv[1]), Path(sys.argv[2])
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", disk], check=True)
messages = []
for kilobytes in range(4, 200, 4):
    subprocess.run(["mount", "-o", f"remount,size={kilobytes}k", disk], check=True)
    try:
        add_record(disk / "store", run, "claimed")
    except DataError as error:
        messages.append(str(error))
        assert not list(disk.rglob("*.json")), "part of a record"
        continue
    assert not verify_store(disk / "store", {}).faults
    print(json.dumps({"fits": kilobytes, "messages": messages, "rows": len(read_rows([disk / "store"]))}))
    break
"""


@pytest.fixture(scope="module", autouse=True)
def _may_mount() -> None:
    try:
        allowed = subprocess.run([*ENTER, "true"], capture_output=True, timeout=10, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        allowed = False
    if not allowed:
        pytest.skip("this machine lets nobody mount a small disk")


def run_on_small_disk(script: str, folder: Path, *arguments: object) -> dict[str, object]:
    disk = folder / "disk"
    disk.mkdir()
    command = [*ENTER, sys.executable, "-c", script, str(disk), *map(str, arguments)]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, capture_output=True, text=True, cwd=root, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_evaluation(tmp_path: Path) -> None:
    found = run_on_small_disk(EVALUATE, tmp_path)
    messages = found["messages"]
    assert isinstance(messages, list)
    assert len(messages) >= 2
    assert all("No space left on device" in message for message in messages)
    # What was scored before the disk was full was not scored again.
    assert found["resumed"] == 60 or int(str(found["resumed"])) > 0


def test_store(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", "a", list(range(500)))
    found = run_on_small_disk(STORE, tmp_path, run)
    messages = found["messages"]
    assert isinstance(messages, list)
    assert messages
    assert all("No space left on device" in message for message in messages)
    assert found["rows"] == 1
