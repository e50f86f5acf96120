"""`ffbench flow` of a clip, `stabilize` and `points`, with methods whose flows are known; bad clips are one line."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest

from ffbench.animation.video import frame_times, video_writer
from ffbench.datasets.clips import open_clip
from ffbench.facemesh import tracker
from ffbench.facemesh.tracker import Box
from tests.commands import run_command
from tests.flow.commands import FACIAL, HEAD, install, save_image

av = pytest.importorskip("av")
Capture = pytest.CaptureFixture[str]
SIZE = (24, 32)


@pytest.fixture(autouse=True)
def _methods(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    install(monkeypatch)
    monkeypatch.chdir(tmp_path)
    for number in range(7):
        save_image(Path(f"clip/{number}.png"), number, SIZE)


def test_a_clip_becomes_a_video_and_an_archive(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    arguments = ("clip", "-m", "decomposing", "--video", "a.mp4", "--npz", "a.npz", "--out", "files")
    assert run_command(monkeypatch, "flow", *arguments, "--start", 1, "--end", 6, "--stride", 2, "--scale", 4) == 0
    captured = capsys.readouterr()
    assert captured.out.splitlines() == [
        "files: flows of 2 pairs, as .flo and .png",
        "a.npz: flows of 2 pairs",
        "a.mp4: 2 pictures, rim of the color wheel 4 px",
    ]
    assert captured.err.startswith("2 pairs of 32 x 24 px: about 1 s (")
    assert "on the disk" in captured.err
    assert sorted(path.name for path in Path("files").glob("*_head.flo")) == [
        "clip_00001_00002_head.flo",
        "clip_00003_00004_head.flo",
    ]
    with np.load("a.npz") as archive:
        assert archive["frames"].tolist() == [[1, 2], [3, 4]]
        assert sorted(archive.files) == ["facial_00000", "facial_00001", "frames", "head_00000", "head_00001"]
        np.testing.assert_array_equal(archive["facial_00001"], np.full((*SIZE, 2), FACIAL, np.float32))
        np.testing.assert_array_equal(archive["head_00000"], np.full((*SIZE, 2), HEAD, np.float32))
    made = open_clip("a.mp4")
    assert len(made) == 2
    assert made.size[0] == 4 * 32 + 3 * 4
    # Image, facial and expression flow stand where they should, in one scale.
    picture = made.frame(0).astype(int)
    shown, image = picture[26:50, :32].mean(2), cv2.imread("clip/1.png").mean(2)
    assert np.corrcoef(shown.ravel(), image.ravel())[0, 1] > 0.8  # the noise's colors are coded coarsely
    facial, head, expression = (picture[30:46, x : x + 24].mean((0, 1)) for x in (40, 76, 112))
    assert np.abs(facial - head).max() > 20 < np.abs(facial - expression).max()


def test_pictures_of_a_clip_share_one_scale(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    assert run_command(monkeypatch, "flow", "clip", "-m", "plain", "--video", "a.mp4") == 0
    rim = np.hypot(*FACIAL)
    assert f"rim of the color wheel {rim:.3g} px" in capsys.readouterr().out
    assert len(open_clip("a.mp4")) == 6


def test_a_variable_rate_stays_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    times = [0.0, 0.04, 0.3, 0.9, 1.0]
    with video_writer(Path("in.mp4"), times) as add:
        for number, seconds in enumerate(times):
            add(np.full((*SIZE, 3), 40 * number, np.uint8), seconds)
    assert run_command(monkeypatch, "flow", "in.mp4", "-m", "plain", "--video", "out.mp4") == 0
    assert frame_times(open_clip("out.mp4")) == pytest.approx(times[:4], abs=2e-3)


def test_a_gray_video_is_taken_as_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    with av.open("gray.mp4", "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 32, 24, "gray"
        for number in range(3):
            frame = av.VideoFrame.from_ndarray(np.full(SIZE, 60 * number, np.uint8), format="gray")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert run_command(monkeypatch, "flow", "gray.mp4", "-m", "plain", "--video", "out.mp4") == 0
    assert len(open_clip("out.mp4")) == 2


def test_bad_clips_and_options_are_one_line(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    Path("bad.mp4").write_bytes(b"\0\0\0\x20ftypisom" + bytes(5000))
    save_image(Path("one/0.png"), 1, SIZE)
    video = ("--video", "a.mp4")
    for arguments, code, message in (
        (["flow", "bad.mp4", *video], 3, "bad.mp4: not a video that can be decoded"),
        (["flow", "one", *video], 3, "one: has 1 frames, expected at least 2 for --step 1"),
        (["flow", "none.mp4", *video], 3, "none.mp4: no such clip"),
        (["flow", "clip"], 2, "expected what to write: --out FOLDER, --video FILE or --npz FILE"),
        (["flow", "clip", "--video", "a.gif"], 2, "a.gif: expected a video named .mp4, .mkv, .mov"),
        (["flow", "clip", "--npz", "a.zip"], 2, "--npz a.zip: expected a name that ends in .npz"),
        (["flow", "clip", *video, "--start", "9"], 3, "clip: has 7 frames, expected at least 11 for --step 1 from"),
        (["flow", "clip", *video, "--save-confidence"], 2, "--save-confidence writes into --out"),
        (["flow", "clip/0.png", "clip/1.png", *video], 2, "--video, --npz, --start, --end and --stride are for a clip"),
        (["flow", "clip/0.png", "clip/1.png"], 2, "expected --out, a folder for the flow"),
        (["stabilize", "clip", *video], 3, "clip: no face is found in frame 0; begin with one that shows a face"),
        (["stabilize", "bad.mp4", *video], 3, "bad.mp4: not a video that can be decoded"),
        (["stabilize", "one", *video], 3, "one: has 1 frames, expected at least 2"),
        (["points", "clip", "--out", "a.csv"], 2, "expected points: --at X,Y (may be repeated) or --grid N"),
        (["points", "clip", "--out", "a.csv", "--at", "1;2"], 2, "--at 1;2: expected X,Y in px"),
        (["points", "clip", "--out", "a.csv", "--at", "40,2"], 2, "--at 40,2: lies outside of the image, expected 0"),
        (["points", "bad.mp4", "--out", "a.csv", "--at", "1,2"], 3, "bad.mp4: not a video that can be decoded"),
    ):
        assert run_command(monkeypatch, *arguments, "-m", "plain") == code, arguments
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err.startswith(f"ffbench: {message}")
        assert captured.err.count("\n") == 1
    assert not [path for path in Path().iterdir() if path.name not in ("clip", "one", "bad.mp4")]


def test_a_head_is_held_still(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setattr(tracker, "detect_face", lambda image: Box(4, 2, 20, 20))
    assert run_command(monkeypatch, "stabilize", "clip", "-m", "plain", "--video", "a.mp4") == 2
    assert "plain gives no head flow" in capsys.readouterr().err
    arguments = ("clip", "-m", "decomposing", "--video", "a.mp4", "--csv", "a.csv")
    assert run_command(monkeypatch, "stabilize", *arguments, "--start", 2) == 0
    assert "a.mp4: 5 frames, the head as in frame 2" in capsys.readouterr().out
    with Path("a.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["frame"]) for row in rows] == [2, 3, 4, 5, 6]
    # The method sees the head move by HEAD each time.
    for number, row in enumerate(rows, start=1):
        assert [float(row[name]) for name in "abxcdy"] == pytest.approx(
            [1, 0, number * HEAD[0], 0, 1, number * HEAD[1]], abs=1e-3
        )
    assert len(open_clip("a.mp4")) == 5


def test_points_are_written_as_long_as_they_are_followed(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    # There and back the method moves everything alike, so it misses by twice its flow.
    arguments = ("points", "clip", "-m", "plain", "--at", "2,3", "--at", "30,3", "--out", "a.csv")
    assert run_command(monkeypatch, *arguments, "--tolerance", 99, "--start", 1, "--end", 5) == 0
    captured = capsys.readouterr()
    assert captured.out == "a.csv: 1 of 2 points are followed from frame 1 to frame 4\n"
    assert "1 left the image, 0 were lost" in captured.err
    with Path("a.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["point"] + "@" + row["frame"] for row in rows] == ["0@1", "1@1", "0@2", "0@3", "0@4"]
    last = rows[-1]
    assert (float(last["x"]), float(last["y"])) == (2 + 3 * FACIAL[0], 3 + 3 * FACIAL[1])
    assert float(last["there_and_back_px"]) == pytest.approx(2 * np.hypot(*FACIAL), abs=1e-3)
    assert run_command(monkeypatch, *arguments) == 0
    assert "a.csv: 0 of 2 points are followed" in capsys.readouterr().out
    assert run_command(monkeypatch, "points", "clip", "-m", "plain", "--grid", "10", "--out", "b.csv") == 0
    first = [row for row in csv.DictReader(Path("b.csv").read_text().splitlines()) if row["frame"] == "0"]
    assert [(row["x"], row["y"]) for row in first][:3] == [("5.000", "5.000"), ("15.000", "5.000"), ("25.000", "5.000")]
