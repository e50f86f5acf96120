from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from ffbench.flow import flow_to_color, read_flow
from tests.commands import run_command
from tests.flow.commands import FACIAL, HEAD, install, save_image

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _methods(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    install(monkeypatch)
    monkeypatch.chdir(tmp_path)


def test_a_pair_gives_three_flows_and_their_pictures(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    save_image(Path("in/a.png"), 1)
    save_image(Path("in/b.png"), 2)
    assert run_command(monkeypatch, "flow", "in/a.png", "in/b.png", "-m", "decomposing", "--out", "out") == 0
    names = [f"out/a_b_{kind}.{suffix}" for kind in ("facial", "head", "expression") for suffix in ("flo", "png")]
    assert capsys.readouterr().out.split() == names
    assert sorted(str(path) for path in Path("out").iterdir()) == sorted(names)
    expected = {"facial": FACIAL, "head": HEAD, "expression": (FACIAL[0] - HEAD[0], FACIAL[1] - HEAD[1])}
    longest = np.hypot(*FACIAL)
    for kind, flow in expected.items():
        field = np.full((24, 32, 2), flow, np.float32)
        np.testing.assert_array_equal(read_flow(f"out/a_b_{kind}.flo"), field)
        picture = np.asarray(Image.open(f"out/a_b_{kind}.png"))
        left = (picture.shape[1] - 32) // 2
        # All three are drawn on the scale of the longest, so that they can be compared.
        colors = flow_to_color(field, float(np.quantile([longest], 0.99)))
        assert np.abs(picture[:24, left : left + 32].astype(int) - colors).max() <= 1


def test_one_flow_where_the_method_does_not_decompose(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    save_image(Path("a.png"), 1)
    assert run_command(monkeypatch, "flow", "a.png", "a.png", "-m", "plain", "--out", "out") == 0
    assert capsys.readouterr().out.split() == ["out/a_a_facial.flo", "out/a_a_facial.png"]


def test_scale_sets_the_colors(monkeypatch: pytest.MonkeyPatch) -> None:
    save_image(Path("a.png"), 1)
    assert run_command(monkeypatch, "flow", "a.png", "a.png", "-m", "plain", "--out", "out", "--scale", "10") == 0
    picture = np.asarray(Image.open("out/a_a_facial.png"))
    color = flow_to_color(np.array([[FACIAL]], np.float32), 10)[0, 0]
    np.testing.assert_array_equal(picture[5, picture.shape[1] // 2], color)


@pytest.mark.parametrize(("step", "last"), [(1, 4), (3, 4)])
def test_a_clip_gives_all_pairs(monkeypatch: pytest.MonkeyPatch, capsys: Capture, step: int, last: int) -> None:
    for number in range(5):
        save_image(Path(f"clip/{number}.png"), number)
    assert run_command(monkeypatch, "flow", "clip", "-m", "plain", "--out", "out", "--step", step) == 0
    captured = capsys.readouterr()
    assert captured.out == f"out: flows of {5 - step} pairs, as .flo and .png\n"
    pairs = [f"clip_{number:05d}_{number + step:05d}_facial" for number in range(last - step + 1)]
    assert sorted(path.stem for path in Path("out").glob("*.flo")) == pairs
    assert sorted(path.stem for path in Path("out").glob("*.png")) == pairs


def test_a_video_and_its_frames(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    writer = cv2.VideoWriter("v.avi", cv2.VideoWriter.fourcc(*"MJPG"), 25, (32, 24))
    for number in range(4):
        writer.write(np.full((24, 32, 3), 40 * number, np.uint8))
    writer.release()
    assert run_command(monkeypatch, "flow", "v.avi", "-m", "plain", "--out", "all") == 0
    assert len(list(Path("all").glob("v_*_facial.flo"))) == 3
    assert run_command(monkeypatch, "flow", "v.avi:0", "v.avi:3", "-m", "plain", "--out", "out") == 0
    assert "out/v_00000_v_00003_facial.flo" in capsys.readouterr().out
    assert run_command(monkeypatch, "flow", "v.avi:0", "v.avi:4", "-m", "plain", "--out", "out") == 3
    assert capsys.readouterr().err == "ffbench: v.avi: has 4 frames, so there is no frame 4 (they count from 0)\n"


def test_errors_are_one_line(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    save_image(Path("a.png"), 1)
    save_image(Path("b.png"), 2, (20, 32))
    save_image(Path("clip/1.png"), 3)
    for arguments, code, message in (
        (["a.png", "b.png"], 3, "b.png: is 32 x 20 pixels, expected 32 x 24 as a.png"),
        (["a.png", "none.png"], 3, "none.png: "),
        (["a.png"], 2, "a.png: one image has no flow; give a second one, a video or a folder of frames"),
        (["a.png", "a.png", "--step", "2"], 2, "--step is for a clip: two images are one pair"),
        (["clip"], 3, "clip: has 1 frames, expected at least 2 for --step 1"),
        (["none"], 3, "none: no such clip"),
        (["a.png", "a.png", "--device", "warp"], 2, "device 'warp' cannot be used here"),
    ):
        assert run_command(monkeypatch, "flow", *arguments, "-m", "plain", "--out", "out") == code
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err.startswith(f"ffbench: {message}")
        assert captured.err.count("\n") == 1
    assert run_command(monkeypatch, "flow", "a.png", "a.png", "-m", "plane", "--out", "out") == 2
    assert "unknown method 'plane' - did you mean 'plain'?" in capsys.readouterr().err
    assert not Path("out").exists()


def test_confidence_is_written_when_asked_for(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    save_image(Path("a.png"), 1)
    arguments = ("flow", "a.png", "a.png", "-m", "plain", "--out", "out", "--save-confidence")
    assert run_command(monkeypatch, *arguments) == 0
    assert capsys.readouterr().out.split()[2:] == ["out/a_a_confidence.npy", "out/a_a_confidence.png"]
    confidence = np.load("out/a_a_confidence.npy")
    assert (confidence.shape, confidence.dtype) == ((24, 32), np.float32)
    # The method moves everything by FACIAL there and back again alike: off by twice that, or out of the image.
    assert confidence[:23, :29] == pytest.approx(1 / (1 + 2 * np.hypot(*FACIAL)))
    assert not confidence[23:].any()
    assert not confidence[:, 29:].any()
    picture = np.asarray(Image.open("out/a_a_confidence.png"))
    np.testing.assert_array_equal(picture[:, :, 0], np.rint(255 * confidence))
    for number in range(3):
        save_image(Path(f"clip/{number}.png"), number)
    assert run_command(monkeypatch, "flow", "clip", "-m", "plain", "--out", "clips", "--save-confidence") == 0
    assert len(list(Path("clips").glob("*_confidence.npy"))) == 2
