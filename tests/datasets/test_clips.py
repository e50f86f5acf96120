"""Clips from videos and folders: exact frames in any order, and what damaged ones say."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from ffbench.assets import asset_path
from ffbench.datasets import clips
from ffbench.datasets.clips import find_clips, open_clip
from ffbench.errors import DataError

FRAMES = 23


def make_frame(index: int) -> np.ndarray:
    """A frame whose mean tells its number, with red, green and blue apart."""
    frame = np.zeros((48, 64, 3), np.uint8)
    frame[:, : 2 + 2 * index] = (200, 80, 20)
    return frame


def make_video(path: Path, frames: int = FRAMES) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25, (64, 48))
    assert writer.isOpened()
    for index in range(frames):
        writer.write(cv2.cvtColor(make_frame(index), cv2.COLOR_RGB2BGR))
    writer.release()
    return path


def make_folder(path: Path, frames: int = FRAMES) -> Path:
    path.mkdir()
    for index in range(frames):
        Image.fromarray(make_frame(index)).save(path / f"frame{index}.png")
    (path / ".DS_Store").write_bytes(b"")
    (path / "notes.txt").write_text("not a frame")
    return path


def test_video_frames_are_rgb_and_in_order(tmp_path: Path) -> None:
    clip = open_clip(make_video(tmp_path / "a.avi"))
    assert (len(clip), clip.size, clip.name) == (FRAMES, (64, 48), "a.avi")
    for index, frame in enumerate(clip.frames()):
        assert np.abs(frame.astype(float) - make_frame(index)).mean() < 4
    assert index == FRAMES - 1


def test_frames_are_the_same_in_any_order_and_with_any_cache(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.avi")
    expected = list(open_clip(path).frames())
    order = np.random.default_rng(0).integers(0, FRAMES, 60).tolist()
    for cache_bytes in (0, 5 * expected[0].nbytes, 2**28):
        clip = open_clip(path, cache_bytes)
        assert all(np.array_equal(clip.frame(index), expected[index]) for index in order)


def test_frames_may_be_asked_for_from_several_threads(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.avi")
    expected = list(open_clip(path).frames())
    clip = open_clip(path, 4 * expected[0].nbytes)
    order = np.random.default_rng(1).integers(0, FRAMES, 80).tolist()
    with ThreadPoolExecutor(4) as pool:
        frames = list(pool.map(clip.frame, order))
    assert all(np.array_equal(frame, expected[index]) for frame, index in zip(frames, order, strict=True))


def test_neighbouring_pairs_decode_the_video_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = open_clip(make_video(tmp_path / "a.avi"))
    starts: list[Path] = []
    decode = clips._decode
    monkeypatch.setattr(clips, "_decode", lambda path, file: starts.append(path) or decode(path, file))
    for index in range(FRAMES - 5):
        clip.frame(index), clip.frame(index + 5)
    assert len(starts) == 1


def test_memory_is_bounded(tmp_path: Path) -> None:
    clip = open_clip(make_video(tmp_path / "a.avi"), 6 * 48 * 64 * 3)
    clip.frame(FRAMES - 1)
    assert len(clip._cache) == 6  # type: ignore[attr-defined]


def test_what_a_caller_does_to_a_frame_stays_with_it(tmp_path: Path) -> None:
    clip = open_clip(make_video(tmp_path / "a.avi"))
    expected = clip.frame(3)
    clip.frame(3)[:] = 0
    assert np.array_equal(clip.frame(3), expected)


def test_length_is_that_of_what_can_be_decoded(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.avi")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    clip = open_clip(path)
    header = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG).get(cv2.CAP_PROP_FRAME_COUNT)
    decoded = sum(1 for _ in clip.frames())
    assert len(clip) == decoded < header
    assert clip.frame(decoded - 1).shape == (48, 64, 3)


def test_folder_in_natural_order(tmp_path: Path) -> None:
    clip = open_clip(make_folder(tmp_path / "talk"))
    assert (len(clip), clip.size, clip.name) == (FRAMES, (64, 48), "talk")
    for index, frame in enumerate(clip.frames()):
        assert np.array_equal(frame, make_frame(index))
        assert np.array_equal(clip.frame(index), frame)


def test_no_frame_beyond_the_end(tmp_path: Path) -> None:
    for clip in (open_clip(make_video(tmp_path / "a.avi")), open_clip(make_folder(tmp_path / "b"))):
        for index in (-1, FRAMES):
            with pytest.raises(IndexError, match=f"frames 0 to {FRAMES - 1}"):
                clip.frame(index)


def test_hash_follows_content(tmp_path: Path) -> None:
    video = make_video(tmp_path / "a.avi")
    folder = make_folder(tmp_path / "b")
    before = open_clip(video).sha256(), open_clip(folder).sha256()
    assert (open_clip(video).sha256(), open_clip(folder).sha256()) == before
    make_video(video, FRAMES - 1)
    Image.fromarray(make_frame(9)).save(folder / "frame8.png")
    assert open_clip(video).sha256() != before[0]
    assert open_clip(folder).sha256() != before[1]


def test_frames_of_differing_sizes(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "a", 3)
    Image.fromarray(np.zeros((48, 65, 3), np.uint8)).save(folder / "frame2.png")
    with pytest.raises(DataError, match=r"frame2.png: 65 x 48, but the first frame frame0.png is 64 x 48"):
        open_clip(folder)


@pytest.mark.parametrize("content", [b"", b"no video", b"\0" * 5000])
def test_not_a_video(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "img01.mp4"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"img01.mp4: not a video"):
        open_clip(path)


def test_decoders_print_nothing_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(bytes(5000))
    # In a process of its own: FFmpeg takes its log level once.
    code = "import sys; from ffbench.datasets.clips import open_clip; open_clip(sys.argv[1])"
    run = subprocess.run([sys.executable, "-c", code, str(tmp_path / "a.mp4")], capture_output=True, text=True)
    assert run.stderr.splitlines()[0].startswith("Traceback")
    assert "a.mp4: not a video" in run.stderr.splitlines()[-1]


def test_a_still_image_is_not_taken_for_a_pattern_of_file_names(tmp_path: Path) -> None:
    assert len(open_clip(make_folder(tmp_path / "a", 3) / "frame0.png")) == 1


def test_nothing_there(tmp_path: Path) -> None:
    for call in (open_clip, find_clips):
        with pytest.raises(DataError, match="gone: no such clip"):
            call(tmp_path / "gone")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="empty: no frames"):
        open_clip(tmp_path / "empty")
    with pytest.raises(DataError, match="empty: no clips"):
        find_clips(tmp_path / "empty")


def test_finding_clips(tmp_path: Path) -> None:
    video, folder = make_video(tmp_path / "clip10.avi", 2), make_folder(tmp_path / "clip9", 2)
    (tmp_path / "readme.txt").write_text("")
    (tmp_path / "nothing").mkdir()
    assert find_clips(tmp_path) == [folder, video]
    assert find_clips(video) == [video]
    assert find_clips(folder) == [folder]


@pytest.mark.assets
@pytest.mark.parametrize(
    ("name", "frames", "size"),
    [
        ("clip_carphone", 120, (176, 144)),
        ("clip_single_face", 72, (640, 360)),
        ("clip_face_noface", 169, (960, 540)),
    ],
)
def test_real_clips_give_exact_frames(name: str, frames: int, size: tuple[int, int]) -> None:
    clip = open_clip(asset_path(name), cache_bytes=0)
    assert (len(clip), clip.size) == (frames, size)
    wanted = {frames - 1, frames // 2, 3}
    expected = {index: frame for index, frame in enumerate(clip.frames()) if index in wanted}
    # Seeking in the last of them, an .mov, would land on other frames.
    for index in sorted(wanted, reverse=True):
        assert np.array_equal(clip.frame(index), expected[index])
