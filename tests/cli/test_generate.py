from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from ffbench import cli
from ffbench.cli.datasets import generate
from ffbench.errors import DataError, UsageError
from ffbench.synth.heads.head import HeadModel
from ffbench.synth.pairs import writer
from tests.synth.posing_head import PosingHead


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The toy head in place of the real one."""
    monkeypatch.setattr(generate, "_load_head", lambda flame: PosingHead())


def run(*arguments: object) -> str:
    result = CliRunner().invoke(cli.app, ["generate", *map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.usefixtures("toy")
def test_it_writes_a_dataset_and_says_what_it_is(tmp_path: Path) -> None:
    out = tmp_path / "data"
    told = run("--out", out, "--identities", 2, "--renderer", "raster", "--size", 64, "--seed", 3, "--split", "test")
    assert "13 pairs of 2 identities (2 test)" in told
    assert "synthetic" in told
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["origin"]["seed"] == 3
    assert manifest["splits"] == {"train": [], "test": [0, 1], "val": []}
    assert json.loads((out / "ffbench-mini.json").read_text())["synthetic"] is True
    assert manifest["origin"]["jaw"] == "expression"


@pytest.mark.usefixtures("toy")
def test_the_jaw_can_count_to_the_pose(tmp_path: Path) -> None:
    run("--out", tmp_path / "data", "--identities", 1, "--size", 64, "--jaw", "pose")
    assert json.loads((tmp_path / "data" / "manifest.json").read_text())["origin"]["jaw"] == "pose"


@pytest.mark.usefixtures("toy")
def test_the_preview_is_a_picture(tmp_path: Path) -> None:
    path = tmp_path / "sheet.png"
    assert run("--preview", path, "--identities", 2, "--size", 64).strip() == str(path)
    assert np.asarray(Image.open(path)).std() > 10


@pytest.mark.usefixtures("toy")
def test_a_full_disk_says_how_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise DataError("data/flow: cannot be written (No space left on device)")

    monkeypatch.setattr(writer, "write_sequence", full)
    with pytest.raises(DataError, match=r"No space left.*the same command goes on"):
        run("--out", tmp_path, "--identities", 1, "--size", 64)


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ([], "--out DIR"),
        (["--out", "x"], "--identities"),
        (["--preview", "sheet.jpg"], "PNG"),
        (["--out", "x", "--identities", "1", "--head", "flame"], "--flame FOLDER"),
        (["--out", "x", "--identities", "1", "--flame", "f"], "--head flame"),
        (["--out", "x", "--codes", "c"], "--head flame"),
        (["--out", "x", "--identities", "1", "--samples", "4"], "--samples needs --renderer blender"),
        (["--preview", "x.png", "--blender-python", "p"], "--blender-python needs --renderer blender"),
    ],
)
def test_wrong_combinations(arguments: list[str], fault: str) -> None:
    with pytest.raises(UsageError, match=fault):
        run(*arguments)


def test_codes_say_how_many_there_can_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def head(flame: Path | None) -> HeadModel:
        raise AssertionError("the codes are looked at first")

    monkeypatch.setattr(generate, "_load_head", head)
    for name in ("happy/1", "sad/2"):
        (tmp_path / name).mkdir(parents=True)
        for part, size in (("shape", 100), ("exp", 50), ("pose", 6)):
            np.save(tmp_path / name / f"{part}.npy", np.zeros(size))
    given = ("--head", "flame", "--flame", tmp_path, "--codes", tmp_path, "--out", tmp_path / "out")
    with pytest.raises(UsageError, match="codes of 2 images, fewer than --identities 3"):
        run(*given, "--identities", 3)
    with pytest.raises(DataError, match="not found"):
        run("--head", "flame", "--flame", tmp_path, "--codes", tmp_path / "none", "--out", tmp_path / "out")


def test_a_renderer_that_is_not_installed_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("FFBENCH_BLENDER_PYTHON", raising=False)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr(
        sys, "argv", ["ffbench", "generate", "--out", "x", "--identities", "1", "--renderer", "blender"]
    )
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 2
    told = capsys.readouterr().err
    assert "pip install bpy==4.5.15 OpenEXR==3.5.3" in told
    assert told.count("\n") == 1
