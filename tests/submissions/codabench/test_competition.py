"""A competition on Codabench: its bundle is unpacked and its program called as Codabench does, without a network."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

from ffbench.datasets.mark import SYNTHETIC_MARK
from ffbench.datasets.minis import mini_dataset
from ffbench.datasets.registry import load_dataset
from ffbench.errors import DataError, UsageError
from ffbench.flow import write_flow
from ffbench.registry import load_protocol
from ffbench.submissions.codabench.bundle import Phase, make_task, write_bundle
from ffbench.submissions.codabench.scoring import score
from ffbench.submissions.submit import Submitter, submit
from tests.commands import run_command

PROTOCOL = "ck_landmarks"
PHASE = Phase(date(2030, 1, 1), date(2030, 6, 1), "lab/ffbench:1")
OFFLINE = """
import socket
def refuse(*_, **__): raise OSError("no network in a test")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
"""


@pytest.fixture(scope="session")
def mini() -> Path:
    return mini_dataset(load_dataset("ck_plus"))


def write(out: Path, data: Path | None) -> zipfile.ZipFile:
    protocol = load_protocol(PROTOCOL, data=data)
    write_bundle(out, protocol, make_task(PROTOCOL, protocol, None, {}), PHASE, data)
    return zipfile.ZipFile(out)


@pytest.fixture(scope="session")
def bundle(mini: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bundle") / "competition.zip"
    write(path, mini).close()
    return path


@pytest.fixture(scope="session")
def unpacked(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="session")
def flows(mini: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Flows of 1 px to the right for every pair."""
    folder = tmp_path_factory.mktemp("flows")
    protocol = load_protocol(PROTOCOL, data=mini)
    for key in list(protocol.keys()):
        flow = np.zeros((*protocol.load(key).image1.shape[:2], 2), np.float32)
        flow[..., 0] = 1
        write_flow(folder / "facial" / f"{key}.flo", flow)
    return folder


def lay_out(unpacked: Path, root: Path, submission: Path) -> Path:
    """Lay out /app below `root` as Codabench's worker does, and return its folder of inputs."""
    for name, place in (("scoring_program.zip", "program"), ("reference_data.zip", "input/ref")):
        with zipfile.ZipFile(unpacked / name) as archive:
            archive.extractall(root / place)
    shutil.copytree(submission, root / "input/res")
    # The worker's step before this one writes how it ended among the files that were sent in.
    (root / "input/res/metadata").write_text("elapsedTime: null\nexitCode: null\n")
    (root / "output").mkdir()
    return root / "input"


def call_program(unpacked: Path, root: Path, submission: Path) -> subprocess.CompletedProcess[str]:
    """Call the program as Codabench's worker does, where no network can be reached."""
    lay_out(unpacked, root, submission)
    (root / "site").mkdir()
    (root / "site/sitecustomize.py").write_text(OFFLINE)
    command = yaml.safe_load((root / "program/metadata.yaml").read_text())["command"]
    arguments = shlex.split(command.replace("/app/", f"{root}/"))
    assert arguments[0] == "python3"
    return subprocess.run(
        [sys.executable, *arguments[1:]], cwd=root / "program", capture_output=True, text=True, timeout=300,
        env={"PATH": os.environ["PATH"], "HOME": str(root / "home"), "PYTHONUNBUFFERED": "1",
             "PYTHONPATH": str(root / "site")},
    )  # fmt: skip


def test_the_bundle_is_one_that_codabench_unpacks(unpacked: Path) -> None:
    found: dict[str, Any] = yaml.safe_load((unpacked / "competition.yaml").read_text())
    assert found["version"] == 2
    assert found["docker_image"] == PHASE.image
    for page in [*found["pages"], {"file": found["terms"]}]:
        assert (unpacked / page["file"]).read_text()
    with Image.open(unpacked / found["image"]) as logo:
        assert logo.size == (256, 256)
    (task,), (phase,), (board,) = found["tasks"], found["phases"], found["leaderboards"]
    assert phase["tasks"] == [task["index"]]
    assert (phase["start"], phase["end"]) == ("2030-01-01 00:00:00", "2030-06-01 00:00:00")
    assert phase["accepts_only_result_submissions"] is True
    for name in (task["scoring_program"], task["reference_data"], phase["public_data"]):
        assert zipfile.is_zipfile(unpacked / name)
    card = load_protocol(PROTOCOL).card
    assert board["columns"][0]["key"] == card.primary
    assert {column["key"] for column in board["columns"]} == set(card.metrics)
    assert [column["index"] for column in board["columns"]] == list(range(len(card.metrics)))
    assert {column["key"]: column["sorting"] for column in board["columns"]}["landmarks_inside"] == "desc"
    assert board["columns"][0]["sorting"] == "asc"


def test_the_pages_say_what_the_data_are(unpacked: Path) -> None:
    assert "**synthetic**" in (unpacked / "overview.md").read_text()
    assert "nothing of how it does on real faces" in (unpacked / "overview.md").read_text()
    assert "facial/KEY.flo" in (unpacked / "participate.md").read_text()


def test_participants_get_images_and_no_labels(unpacked: Path) -> None:
    with zipfile.ZipFile(unpacked / "public_data.zip") as archive:
        names = archive.namelist()
    assert {"README.md", "pairs.csv", "manifest.json"} < set(names)
    assert len([name for name in names if name.endswith(".png")]) == 2 * len(load_protocol(PROTOCOL).keys())
    assert all(name in ("README.md", "pairs.csv", "manifest.json") or name.startswith("images/") for name in names)


def test_the_program_scores_as_ffbench_does(unpacked: Path, mini: Path, flows: Path, tmp_path: Path) -> None:
    done = call_program(unpacked, tmp_path / "app", flows)
    assert done.returncode == 0, done.stderr
    scores = json.loads((tmp_path / "app/output/scores.json").read_text())
    record = submit(flows, load_protocol(PROTOCOL, data=mini), Submitter("x"), out=tmp_path / "runs")
    columns = yaml.safe_load((unpacked / "competition.yaml").read_text())["leaderboards"][0]["columns"]
    assert set(scores) == {column["key"] for column in columns}
    for name, value in scores.items():
        assert value == pytest.approx(record.score(name).value, abs=1e-9)
    details = (tmp_path / "app/output/detailed_results.html").read_text()
    assert "<table>" in details
    assert "synthetic data" in details
    # The worker writes this file itself, and refuses to go on where the program did.
    assert not (tmp_path / "app/output/metadata").exists()


def test_a_submission_that_is_not_whole_has_no_scores_and_says_why(unpacked: Path, flows: Path, tmp_path: Path) -> None:
    shutil.copytree(flows, tmp_path / "cut")
    first = sorted((tmp_path / "cut/facial").iterdir())[0]
    first.unlink()
    done = call_program(unpacked, tmp_path / "app", tmp_path / "cut")
    assert done.returncode == DataError.exit_code
    assert f"facial/{first.name}" in done.stderr
    assert "Traceback" not in done.stderr
    assert list((tmp_path / "app/output").iterdir()) == []


def test_licensed_data_stay_out(mini: Path, tmp_path: Path, flows: Path) -> None:
    """The same files without the mark stand for data that ffbench did not make."""
    licensed = tmp_path / "CK+"
    shutil.copytree(mini, licensed)
    (licensed / SYNTHETIC_MARK).unlink()
    for number, data in enumerate((licensed, None)):
        with write(tmp_path / f"{number}.zip", data) as archive:
            found = yaml.safe_load(archive.read("competition.yaml"))
            assert "public_data" not in found["phases"][0]
            assert "public_data.zip" not in archive.namelist()
            archive.extractall(tmp_path / str(number))
        with zipfile.ZipFile(tmp_path / str(number) / "reference_data.zip") as archive:
            assert sorted(archive.namelist()) == ["README.md", "task.json"]
    given = lay_out(tmp_path / "0", tmp_path / "app", flows)
    with pytest.raises(DataError, match="the organizer must add the dataset"):
        score(given, tmp_path)
    shutil.copytree(mini, given / "ref/data")  # the organizer adds it
    assert score(given, tmp_path)["epe"] > 0


def test_other_data_than_the_competition_was_made_with_are_refused(
    unpacked: Path, mini: Path, flows: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "unpacked"
    copy.mkdir()
    shutil.copy(unpacked / "scoring_program.zip", copy)
    with zipfile.ZipFile(unpacked / "reference_data.zip") as archive:
        archive.extractall(tmp_path / "ref")
    for labels in (tmp_path / "ref/data").rglob("*_landmarks.txt"):
        labels.write_text(labels.read_text().replace("1", "2"))
    shutil.make_archive(str(copy / "reference_data"), "zip", tmp_path / "ref")
    given = lay_out(copy, tmp_path / "app", flows)
    with pytest.raises(DataError, match="is another dataset than the competition was made with"):
        score(given, tmp_path)
    task = json.loads((given / "ref/task.json").read_text())
    (given / "ref/task.json").write_text(json.dumps({**task, "version": "0.1"}))
    with pytest.raises(UsageError, match=r"made with version 0\.1; run it in an image with ffbench"):
        score(given, tmp_path)
    (given / "ref/task.json").write_text(json.dumps({**task, "more": "x"}))
    with pytest.raises(DataError, match="is no task"):
        score(given, tmp_path)
    assert not (tmp_path / "scores.json").exists()


def test_the_same_command_makes_the_same_bytes(bundle: Path, mini: Path, tmp_path: Path) -> None:
    write(tmp_path / "again.zip", mini).close()
    assert (tmp_path / "again.zip").read_bytes() == bundle.read_bytes()


def test_links_and_wrong_dates_are_refused(mini: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(mini, data)
    (data / "link.txt").symlink_to("/etc/hostname")
    with pytest.raises(DataError, match=r"link\.txt: is a link"):
        write(tmp_path / "a.zip", data)
    assert not (tmp_path / "a.zip").exists()
    protocol = load_protocol(PROTOCOL, data=mini)
    task = make_task(PROTOCOL, protocol, None, {})
    with pytest.raises(UsageError, match="ends on 2030-01-01"):
        write_bundle(tmp_path / "a.zip", protocol, task, PHASE._replace(end=PHASE.start), None)
    with pytest.raises(UsageError, match="ends in"):
        write_bundle(tmp_path / "a.tar", protocol, task, PHASE, None)


def test_command(
    mini: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "c.zip"
    common = ("protocols", "codabench", PROTOCOL, "--out", out, "--image", "lab/ffbench:1", "--start", "2030-01-01")
    assert run_command(monkeypatch, *common, "--end", "2031-01-01") == 0
    said = capsys.readouterr()
    assert "without reference data" in said.out
    assert "ffbench data make-mini" in said.err
    assert run_command(monkeypatch, *common, "--data", mini) == 0
    assert "with reference data and images" in capsys.readouterr().out
    found = yaml.safe_load(zipfile.ZipFile(out).read("competition.yaml"))
    assert found["phases"][0]["end"] == "2031-01-01 00:00:00"
