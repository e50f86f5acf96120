"""The folder that `ffbench texture` writes, through the command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from ffbench import cli
from ffbench.errors import DataError, UsageError
from ffbench.synth.heads.makehuman import MakeHumanHead
from ffbench.synth.scenes.image_folder import list_textures
from ffbench.texturing import folder as module
from ffbench.texturing.extract import Extracted
from ffbench.texturing.folder import find_portraits
from tests.texturing.round_trip import Portrait


def run(*arguments: object) -> Any:
    return CliRunner().invoke(cli.app, [str(argument) for argument in arguments])


def save(path: Path, value: int = 90, size: tuple[int, int] = (80, 60)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (value, value, value)).save(path)
    return path


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A stand-in for the extraction, which needs the network; its answer follows from the photograph."""
    calls: list[int] = []

    def extract(head: MakeHumanHead, photo: np.ndarray, size: int) -> Extracted:
        calls.append(size)
        if photo.mean() < 10:
            raise DataError("no face was found; expected a portrait, upright and from the front")
        texture = np.full((size, size, 3), int(photo[0, 0, 0]), np.uint8)
        blank = np.zeros((size, size), np.float32)
        faces = 2 if photo.mean() > 200 else 1
        return Extracted(texture, blank, blank, 1.25, 180.0, 0.7, faces, np.array([40.2, 29.6]))

    monkeypatch.setattr(module, "extract", extract)
    return calls


@pytest.fixture
def no_assets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither head nor network are needed where the extraction is a stand-in."""
    monkeypatch.setattr("ffbench.synth.heads.makehuman.load_makehuman", lambda: MakeHumanHead.__new__(MakeHumanHead))
    monkeypatch.setattr("ffbench.assets.asset_path", lambda name: Path(name))


def test_photographs_are_named_by_their_place(tmp_path: Path) -> None:
    save(tmp_path / "in" / "b.png")
    save(tmp_path / "in" / "deep" / "b.jpg")
    (tmp_path / "in" / "notes.txt").write_text("no photograph")
    single = save(tmp_path / "alone.webp")
    found = find_portraits([single, tmp_path / "in"])
    assert [one.name for one in found] == ["alone", "b", "deep/b"]
    save(tmp_path / "in" / "alone.png")
    with pytest.raises(UsageError, match=r"alone\.webp and .*alone\.png would both make alone\.png; rename one"):
        find_portraits([single, tmp_path / "in"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="empty: no images; expected portraits"):
        find_portraits([tmp_path / "empty"])


@pytest.mark.usefixtures("no_assets")
def test_textures_are_written_once(tmp_path: Path, quick: list[int]) -> None:
    photos, out = tmp_path / "in", tmp_path / "out"
    save(photos / "a.png", 90)
    save(photos / "deep" / "b.png", 220)
    first = run("texture", photos, "-o", out, "--size", 256)
    assert first.exit_code == 0, first.output
    assert f"{out}: 2 textures" in first.stdout
    assert "b.png: 2 faces; the largest, about (40, 30) px, is taken" in first.output.replace("\n", " ")
    assert np.asarray(Image.open(out / "a.png")).shape == (256, 256, 3)
    note = json.loads((out / "deep" / "b.json").read_text())
    assert (note["layout"], note["size"], note["faces"], note["coverage"]) == ("ffbench-makehuman", 256, 2, 0.7)
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in out.rglob("*.*")}
    again = run("texture", photos, "-o", out, "--size", 256)
    assert "0 textures, 2 were there" in again.stdout
    assert quick == [256, 256]
    assert before == {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in out.rglob("*.*")}
    (out / "a.png").unlink()  # what was stopped in the middle is made again, the rest kept
    assert "1 textures, 1 were there" in run("texture", photos, "-o", out, "--size", 256).stdout


@pytest.mark.usefixtures("no_assets", "quick")
def test_what_is_of_something_else_is_kept_until_forced(tmp_path: Path) -> None:
    photo, out = save(tmp_path / "a.png", 90), tmp_path / "out"
    run("texture", photo, "-o", out, "--size", 256)
    result = run("texture", photo, "-o", out, "--size", 512)
    assert isinstance(result.exception, DataError)
    assert "is there from another size than" in result.output
    assert "--force writes it anew" in result.output
    save(photo, 120)
    assert "is there from another photograph than" in run("texture", photo, "-o", out, "--size", 256).output
    (out / "a.json").write_text("{")
    assert "from another photograph" in run("texture", photo, "-o", out, "--size", 256).output
    (out / "a.json").unlink()
    assert "a.png: is there, but not a.json" in run("texture", photo, "-o", out, "--size", 256).output
    assert int(np.asarray(Image.open(out / "a.png"))[0, 0, 0]) == 90
    assert run("texture", photo, "-o", out, "--size", 256, "--force").exit_code == 0
    assert int(np.asarray(Image.open(out / "a.png"))[0, 0, 0]) == 120


@pytest.mark.usefixtures("no_assets", "quick")
def test_a_photograph_is_never_written_over(tmp_path: Path) -> None:
    photo = save(tmp_path / "a.png")
    before = photo.read_bytes()
    result = run("texture", photo, "-o", tmp_path, "--force")
    assert isinstance(result.exception, UsageError)
    assert "is the photograph itself" in str(result.exception)
    assert photo.read_bytes() == before


@pytest.mark.usefixtures("no_assets", "quick")
def test_all_problems_are_told_and_the_rest_is_made(tmp_path: Path) -> None:
    photos, out = tmp_path / "in", tmp_path / "out"
    save(photos / "wall.png", 0)
    (photos / "torn.jpg").write_bytes(b"\xff\xd8\xff nothing")
    save(photos / "good.png")
    result = run("texture", photos, photos / "none.png", "-o", out, "--size", 256)
    told = result.output
    assert isinstance(result.exception, DataError)
    assert f"3 of 4 photographs have the problems above; 1 textures are written to {out}" in str(result.exception)
    assert f"problem: {photos / 'wall.png'}: no face was found" in told
    assert f"problem: {photos / 'torn.jpg'}" in told
    assert f"problem: {photos / 'none.png'}" in told
    assert sorted(path.name for path in out.iterdir()) == ["good.json", "good.png"]


@pytest.mark.usefixtures("no_assets", "quick")
def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    result = run("texture", save(tmp_path / "a.png"), "-o", tmp_path / "file" / "out", "--size", 256)
    assert isinstance(result.exception, DataError)
    assert "cannot be written" in result.output
    assert run("texture", save(tmp_path / "a.png"), "-o", tmp_path, "--size", 100).exit_code == 2


@pytest.mark.assets
def test_from_a_portrait_to_a_contact_sheet(head: MakeHumanHead, known: Portrait, tmp_path: Path) -> None:
    """The folder is what `generate --textures` takes, and the same photograph gives the same bytes."""
    photo = tmp_path / "portrait.png"
    Image.fromarray(known.frame.image).save(photo)
    for out in ("one", "two"):
        result = run("texture", photo, "-o", tmp_path / out, "--size", 512)
        assert result.exit_code == 0, result.output
    assert (tmp_path / "one" / "portrait.png").read_bytes() == (tmp_path / "two" / "portrait.png").read_bytes()
    assert (tmp_path / "one" / "portrait.json").read_bytes() == (tmp_path / "two" / "portrait.json").read_bytes()
    assert list_textures(tmp_path / "one", head).names == ("portrait.png",)
    walls = save(tmp_path / "walls" / "grey.png", 128, (200, 200)).parent
    sheets = []
    for extra in ([], ["--textures", tmp_path / "one"]):
        sheet = tmp_path / f"sheet{len(extra)}.png"
        options = ["--preview", sheet, "--identities", 1, "--size", 128, "--backgrounds", walls]
        result = run("generate", *options, *extra)
        assert result.exit_code == 0, result.output
        sheets.append(np.asarray(Image.open(sheet)).astype(int))
    plain, worn = sheets
    assert plain.shape == worn.shape
    # Another skin in the two images at the left; flow, depth, mask and regions are the same.
    changed = np.abs(plain - worn).sum(axis=2) > 30
    assert changed[:, :460].mean() > 0.02
    assert not changed[:, 470:].any()
