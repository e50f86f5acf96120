"""The command corrupt: a picture of every corruption, and clips of which there is none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ffbench.facemesh import tracker
from ffbench.facemesh.tracker import FaceTrack
from tests.commands import run_command


@pytest.fixture
def clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Six frames, of which the last, a black one, shows no face."""
    points = np.random.default_rng(0).uniform((20, 12), (60, 52), (468, 2))
    points[[33, 133, 362, 263]] = [(28, 26), (35, 26), (45, 26), (52, 26)]

    def track(images: Iterable[np.ndarray]) -> Iterator[FaceTrack]:
        return (FaceTrack(points if image.any() else None, 0.9) for image in images)

    monkeypatch.setattr(tracker, "track", track)
    folder = tmp_path / "talk"
    folder.mkdir()
    for number in range(6):
        pixels = np.random.default_rng(number).integers(0, 256, (64, 80, 3), np.uint8)
        Image.fromarray(pixels * np.uint8(number < 5)).save(folder / f"{number}.png")
    return folder


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    return run_command(monkeypatch, "corrupt", *arguments)


def test_a_picture_of_all(clip: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("av")
    out = clip.parent / "all.png"
    assert run(monkeypatch, clip, "--out", out, "--frame", 3) == 0
    assert capsys.readouterr().out == f"{out}\n"
    picture = np.asarray(Image.open(out))
    assert picture.shape[1] == 10 * 164
    assert picture.std() > 20


@pytest.mark.parametrize(
    ("frame", "said"),
    [(5, "no face was found in frame 5; name another one with --frame"), (6, "has 6 frames, so there is no frame 6")],
)
def test_frames_without_a_picture(
    clip: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], frame: int, said: str
) -> None:
    assert run(monkeypatch, clip, "--out", clip.parent / "all.png", "--frame", frame) == 3
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert not (clip.parent / "all.png").exists()
