"""Videos that ffbench writes: their pictures, size and time stamps, read back by OpenCV and PyAV."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from ffbench.animation.video import RATE, frame_times, require_video, video_writer
from ffbench.datasets.clips import open_clip
from ffbench.errors import DataError, UsageError
from tests.datasets.test_clips import make_folder, make_video

pytest.importorskip("av")
UNEVEN = [0.0, 0.04, 0.08, 0.5, 0.52, 1.7]


def picture(number: int, size: tuple[int, int] = (48, 64)) -> np.ndarray:
    made = np.zeros((*size, 3), np.uint8)
    made[..., 0], made[: size[0] // 2, :, 1] = 40 * number, 200
    return made


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
@pytest.mark.parametrize("size", [(48, 64), (47, 63)])
def test_pictures_and_times_come_back(tmp_path: Path, suffix: str, size: tuple[int, int]) -> None:
    path = tmp_path / f"a{suffix}"
    with video_writer(path, UNEVEN) as add:
        for number, seconds in enumerate(UNEVEN):
            add(picture(number, size), seconds)
    clip = open_clip(path)
    assert clip.size == (64, 48)  # even, as H.264 wants
    assert len(clip) == len(UNEVEN)
    for number, frame in enumerate(clip.frames()):
        assert np.abs(frame[: size[0], : size[1]].astype(int) - picture(number, size)).mean() < 6
    assert frame_times(clip) == pytest.approx(UNEVEN, abs=2e-3)
    assert [item.name for item in tmp_path.iterdir()] == [path.name]


def test_times_of_clips_that_say_none(tmp_path: Path) -> None:
    folder = open_clip(make_folder(tmp_path / "frames", 4))
    assert frame_times(folder) == [number / RATE for number in range(4)]
    video = open_clip(make_video(tmp_path / "a.avi", 4))
    assert frame_times(video) == pytest.approx([number / 25 for number in range(4)])


def test_a_body_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def write(pictures: int) -> None:
        with video_writer(tmp_path / "a.mp4", UNEVEN) as add:
            for number in range(pictures):
                add(picture(number), UNEVEN[number])
            raise DataError("the frame is damaged")

    for pictures in (0, 3):
        with pytest.raises(DataError, match="the frame is damaged"):
            write(pictures)
        assert not list(tmp_path.iterdir())


def test_what_cannot_be_written_is_said_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match=r"a\.gif: expected a video named \.mp4, \.mkv, \.mov"):
        require_video(tmp_path / "a.gif")
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="cannot be written"), video_writer(tmp_path / "file" / "a.mp4", UNEVEN):
        pass
    with pytest.raises(DataError, match="expected at most 8192"), video_writer(tmp_path / "a.mp4", UNEVEN) as add:
        add(np.zeros((2, 9000, 3), np.uint8), 0.0)
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(UsageError, match=r"pip install 'ffbench\[video\]'"):
        require_video(tmp_path / "a.mp4")
