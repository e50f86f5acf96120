"""Two checkpoints of one plug-in network: an interrupted run of one never goes on with the other, tables show both."""

from __future__ import annotations

import csv
import io
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from ffbench.io.hashing import file_sha256
from ffbench.results.record.run_record import RunRecord, read_record
from tests.commands import run_command

ROOT = Path(__file__).parents[2]
PAIRS = 6
PLUG_IN = '''
import time
import torch
from ffbench import Flows, Method, MethodCard, MethodEntry, WeightsCard


class TinyNet(Method):
    """Moves everything by the network's bias."""

    def __init__(self, request, states):
        self.network = torch.nn.Conv2d(6, 2, 1)
        if request.weights is not None:
            self.network.load_state_dict(torch.load(request.weights, weights_only=True))
        weights = WeightsCard(name=str(request.weights), source="file") if states else None
        self.card = MethodCard(id=request.name, title="Tiny net", weights=weights)

    def forward(self, image1, image2):
        time.sleep(SECONDS)
        return Flows(self.network(torch.cat([image1, image2], 1)))


tinynet = MethodEntry("names its weights", lambda request: TinyNet(request, True))
mutenet = MethodEntry("names none", lambda request: TinyNet(request, False))
'''
ENTRY_POINTS = """[ffbench.methods]
tinynet = tinynet:tinynet
mutenet = tinynet:mutenet
[ffbench.protocols]
stripes = tests.toys:stripes
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with an installed package of a stranger's and two checkpoints that differ in one value."""
    site = tmp_path / "site"
    (site / "tinynet-1.0.dist-info").mkdir(parents=True)
    (site / "tinynet.py").write_text(PLUG_IN.replace("SECONDS", "0.5"))
    (site / "tinynet-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: tinynet\nVersion: 1.0\n")
    (site / "tinynet-1.0.dist-info" / "entry_points.txt").write_text(ENTRY_POINTS)
    for name, bias in (("a.pth", 1.0), ("b.pth", 3.0)):
        torch.save({"weight": torch.zeros(2, 6, 1, 1), "bias": torch.tensor([bias, 0.0])}, tmp_path / name)
    return tmp_path


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": f"{folder / 'site'}{os.pathsep}{ROOT}", "COLUMNS": "200",
                   "FFBENCH_CACHE": str(folder / "cache")}  # fmt: skip
    command = [sys.executable, "-m", "ffbench", *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command, cwd=folder, env=environment, stdout=pipe, stderr=pipe, text=True, preexec_fn=_take_ctrl_c
    )


def _take_ctrl_c() -> None:
    """Undo what a shell does to commands that it starts in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def evaluated(folder: Path, method: str, weights: str) -> RunRecord:
    process = start(folder, "eval", "-m", method, "-p", "stripes", "--weights", weights, "--json")
    out, said = process.communicate(timeout=900)
    assert process.returncode == 0, said
    return RunRecord.model_validate_json(out)


def interrupt(folder: Path, method: str, weights: str) -> int:
    """Start an evaluation, press Ctrl-C in its middle, and return how many pairs it has scored."""
    before = set((folder / "runs").rglob("journal.jsonl"))
    process = start(folder, "eval", "-m", method, "-p", "stripes", "--weights", weights)
    try:
        deadline = time.monotonic() + 900
        while time.monotonic() < deadline and process.poll() is None:
            journals = [path for path in (folder / "runs").rglob("journal.jsonl") if path not in before]
            if journals and journals[0].read_bytes().count(b"\n") > 2:
                break
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=900)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "the same command goes on from there" in said
    return journals[0].read_bytes().count(b"\n") - 1


def truth(bias: float) -> float:
    """What a flow of (bias, 0) scores on the toy pairs, whose true flows are (0, 0), (1, 0), ..."""
    return sum(abs(bias - number) for number in range(PAIRS)) / PAIRS


@pytest.mark.slow
@pytest.mark.parametrize("method", ["tinynet", "mutenet"])
def test_an_interrupted_run_never_goes_on_with_another_checkpoint(
    folder: Path, method: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    scored = interrupt(folder, method, "a.pth")
    assert 2 <= scored < PAIRS
    other = evaluated(folder, method, "b.pth")
    assert other.primary.value == pytest.approx(truth(3.0))
    assert other.cost.resumed_pairs == 0
    # The control: the same checkpoint does go on from there.
    same = evaluated(folder, method, "a.pth")
    assert same.cost.resumed_pairs == scored
    assert same.primary.value == pytest.approx(truth(1.0))
    for record, weights in ((same, "a.pth"), (other, "b.pth")):
        assert record.method.weights is not None
        assert record.method.weights.sha256 == file_sha256(folder / weights)
    # Neither run has taken the other's place, and their folders say which is which.
    found = {path.parents[1].name: read_record(path) for path in (folder / "runs").rglob("record.json")}
    hashes = {name: file_sha256(folder / name)[:8] for name in ("a.pth", "b.pth")}
    assert found == {
        f"{method}@a.pth-{hashes['a.pth']}": same,
        f"{method}@b.pth-{hashes['b.pth']}": other,
    }
    monkeypatch.chdir(folder)
    assert run_command(monkeypatch, "leaderboard", "runs", "--format", "csv") == 0
    board, said = capsys.readouterr()
    lines = list(csv.DictReader(io.StringIO(board)))
    if method == "mutenet":
        # Nobody knows whether it made anything of its file.
        assert lines == []
        reasons = re.findall(r"the method does not say that it uses the weights [ab]\.pth", " ".join(said.split()))
        assert len(set(reasons)) == 2
        return
    assert [line["title"] for line in lines] == ["Tiny net · b.pth", "Tiny net · a.pth"]
    assert [float(line["verified"] or line["local"]) for line in lines] == [truth(3.0), truth(1.0)]


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ("none.pth", "ffbench: none.pth: no such weights file"),
        ("site", "ffbench: site: is a folder, expected a weights file"),
        ("wrong.pth", "ffbench: tinynet cannot be built with --weights wrong.pth: RuntimeError: "),
        ("random", "ffbench: tinynet cannot be built with --weights random: FileNotFoundError: "),
    ],
)
def test_weights_that_cannot_be_used_end_in_one_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], weights: str, message: str
) -> None:
    torch.save({"other": torch.zeros(1)}, folder / "wrong.pth")
    monkeypatch.syspath_prepend(folder / "site")
    monkeypatch.chdir(folder)
    assert run_command(monkeypatch, "eval", "-m", "tinynet", "-p", "stripes", "--weights", weights) == 4
    sys.modules.pop("tinynet", None)
    said = capsys.readouterr().err
    assert said.startswith(message)
    assert said.count("\n") == 1
