"""A clip that a visitor sends is bounded before and while it is read, and its flows are those of the method."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from ffbench.errors import DataError, FfbenchError
from ffbench.leaderboard.work import bounded, clip_task, clips
from ffbench.registry import load_method
from tests.leaderboard.pages import in_this_process

FRAMES = 9


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the folders of processes are made; none may be left there. The task runs in this process."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    in_this_process(monkeypatch)
    return folder


def video(path: Path, frames: int = FRAMES, size: tuple[int, int] = (64, 48)) -> bytes:
    """Encode a bright square that moves by 2 px a frame."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 25, size)
    for number in range(frames):
        image = np.zeros((size[1], size[0], 3), np.uint8)
        image[10:30, 4 + 2 * number : 24 + 2 * number] = 200
        writer.write(image)
    writer.release()
    return path.read_bytes()


def silent(ahead: int) -> None:
    assert ahead == 0


def test_flows_are_those_between_the_frames_that_are_used(tmp_path: Path, scratch: Path) -> None:
    content = video(tmp_path / "a.mp4")
    found = clips.clip_flows("a.mp4", content, "farneback", 2, silent)
    assert (found.size, len(found.frames), len(found.flows)) == ((64, 48), 5, 4)
    method = load_method("farneback", device="cpu")
    for number, flow in enumerate(found.flows):
        expected = method.estimate(found.frames[number], found.frames[number + 1]).facial
        np.testing.assert_array_equal(flow.facial, expected)
        assert flow.head is None
    assert not list(scratch.iterdir())


def test_no_more_frames_and_pixels_than_are_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clips, "MAX_FRAMES", 4)
    monkeypatch.setattr(clips, "MAX_SIDE", 32)
    decoded: list[int] = []
    smaller = clip_task._smaller
    monkeypatch.setattr(clip_task, "_smaller", lambda frame, side: decoded.append(side) or smaller(frame, side))
    found = clips.clip_flows("a.MP4", video(tmp_path / "a.mp4"), "zero", 1, silent)
    assert found.frames[0].shape == (24, 32, 3)
    assert len(found.frames) == len(decoded) == 4
    assert found.flows[0].head is not None


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("<b>.gif", b"GIF89a", "expected a video"),
        ("a.mp4", b"", "not a video"),
        ("a.mp4", b"\x80\x04\x95cposix\nsystem\n.", "not a video"),
        ("a.mp4", b"#EXTM3U\nfile:///etc/passwd\n", "not a video"),
        ("a.mp4", bytes(clips.MAX_MEGABYTES * 2**20 + 1), "at most 20 MB"),
    ],
    ids=["suffix", "empty", "pickle", "playlist", "heavy"],
)
def test_a_hostile_clip_is_refused_by_its_name(name: str, content: bytes, said: str, scratch: Path) -> None:
    with pytest.raises(FfbenchError, match=said) as error:
        clips.clip_flows(name, content, "zero", 1, silent)
    assert str(error.value).startswith(f"{name}: ")
    assert "ffbench-app" not in str(error.value)
    assert not list(scratch.iterdir())


def test_a_clip_that_is_cut_or_too_short_is_said(tmp_path: Path) -> None:
    content = video(tmp_path / "a.mp4")
    with pytest.raises(DataError, match=r"a.mp4"):
        clips.clip_flows("a.mp4", content[: len(content) // 3], "zero", 1, silent)
    with pytest.raises(DataError, match="no two frames that are 10 apart"):
        clips.clip_flows("a.mp4", content, "zero", 10, silent)


def test_what_takes_too_long_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_long(*arguments: Any) -> None:
        raise DataError("it took longer than 180 s")

    monkeypatch.setattr(bounded, "run", too_long)
    with pytest.raises(FfbenchError, match="zero: it took longer"):
        clips.clip_flows("a.mp4", video(tmp_path / "a.mp4"), "zero", 1, silent)


def test_frames_of_ours_need_no_file(scratch: Path) -> None:
    frames = list(np.random.default_rng(0).integers(0, 256, (3, 24, 32, 3), np.uint8))
    found = clips.clip_flows("sample", frames, "zero", 1, silent)
    np.testing.assert_array_equal(np.stack(found.frames), np.stack(frames))
    assert not list(scratch.iterdir())
