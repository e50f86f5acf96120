"""MEAD's layout, the list of videos, and frames that are extracted once."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from ffbench.datasets.images import read_image
from ffbench.datasets.mead import videos as mead
from ffbench.errors import DataError
from tests.commands import run_command


def write_video(path: Path, frames: int, shade: int = 40) -> None:
    """Write a video of plain frames that grow brighter."""
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 30, (64, 48))
    for number in range(frames):
        writer.write(np.full((48, 64, 3), shade + 10 * number, np.uint8))
    writer.release()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "MEAD"
    write_video(root / "M003" / "video" / "front" / "angry" / "level_1" / "001.mp4", 5)
    write_video(root / "M003" / "video" / "front" / "angry" / "level_1" / "010.mp4", 3)
    write_video(root / "M003" / "video" / "left_30" / "angry" / "level_1" / "001.mp4", 2)
    write_video(root / "W009" / "video" / "front" / "sad" / "level_3" / "002.mp4", 4)
    return root


NAMES = ["M003_front_angry_level_1_001", "M003_front_angry_level_1_010", "W009_front_sad_level_3_002"]


def test_frontal_videos_are_found(root: Path) -> None:
    videos, problems = mead.find_videos(root)
    assert [video.name for video in videos] == NAMES
    assert problems == []
    assert [video.name for video in mead.find_videos(root.parent)[0]] == NAMES
    assert [video.name for video in mead.find_videos(root / "W009")[0]] == NAMES[2:]
    assert [video.name for video in mead.find_videos(root, "left_30")[0]] == ["M003_left_30_angry_level_1_001"]


def test_what_does_not_fit_the_layout_is_named(root: Path) -> None:
    (root / "M005").mkdir()
    stray = root / "M003" / "video" / "front" / "angry" / "001.mp4"
    write_video(stray, 1)
    (root / "M003" / "video" / "front" / ".DS_Store").write_text("")
    videos, problems = mead.find_videos(root)
    assert len(videos) == 3
    assert len(problems) == 2
    assert str(stray) in problems[0]
    assert "M005" in problems[1]
    with pytest.raises(DataError, match="no such folder; expected MEAD"):
        mead.find_videos(root / "none")
    with pytest.raises(DataError, match="no up videos"):
        mead.find_videos(root, "up")


def test_a_list_of_videos(root: Path, tmp_path: Path) -> None:
    videos, _ = mead.find_videos(root)
    listing = tmp_path / "list.txt"
    listing.write_text("# two\nW009/video/front/sad/level_3/002.mp4\n\nM003_front_angry_level_1_001  # again\n" * 2)
    assert [video.name for video in mead.choose_videos(videos, listing)] == [NAMES[2], NAMES[0]]
    listing.write_text("M003/video/front/happy/level_1/001.mp4")
    with pytest.raises(DataError, match="1 of the 1 videos are not there, the first: M003_front_happy_level_1_001"):
        mead.choose_videos(videos, listing)
    listing.write_text("# nothing")
    with pytest.raises(DataError, match="empty"):
        mead.choose_videos(videos, listing)
    with pytest.raises(DataError, match="cannot be read"):
        mead.choose_videos(videos, tmp_path / "none")


def test_every_frame_is_extracted(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "frames"
    manifest, problems = mead.prepare(mead.find_videos(root)[0], out)
    assert problems == []
    assert [manifest.videos[name].frames for name in NAMES] == [5, 3, 4]
    assert manifest == mead.read_manifest(out)
    assert manifest.videos[NAMES[0]].source == "M003/video/front/angry/level_1/001.mp4"
    shades = [read_image(out / NAMES[0] / "source" / f"{number:05d}.png").mean() for number in range(1, 6)]
    assert shades == pytest.approx([40, 50, 60, 70, 80], abs=5)  # mp4v loses a little
    assert sorted(item.name for item in out.iterdir()) == [*NAMES, "mead-frames.json"]


def test_an_interrupted_run_goes_on(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "frames"
    videos, _ = mead.find_videos(root)
    extract, calls = mead._extract, []

    def counted(video: mead.Video, digest: str, folder: Path, made: bool) -> mead.PreparedVideo:
        calls.append(video.name)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return extract(video, digest, folder, made)

    monkeypatch.setattr(mead, "_extract", counted)
    with pytest.raises(KeyboardInterrupt):
        mead.prepare(videos, out)
    assert list(mead.read_manifest(out).videos) == NAMES[:1]
    mead.prepare(videos, out)
    assert calls == [NAMES[0], NAMES[1], NAMES[1], NAMES[2]]
    # A frame that was lost, and a video that was replaced, are made again; the rest is left alone.
    (out / NAMES[0] / "source" / "00002.png").unlink()
    (out / NAMES[0] / "tracker-output").mkdir()
    write_video(videos[2].path, 2)
    calls.clear()
    monkeypatch.setattr(mead, "_extract", lambda *args: (calls.append(args[0].name), extract(*args))[1])
    manifest, _ = mead.prepare(videos, out)
    assert calls == [NAMES[0], NAMES[2]]
    assert manifest.videos[NAMES[2]].frames == mead.count_frames(out, NAMES[2]) == 2
    assert (out / NAMES[0] / "tracker-output").is_dir()


def test_a_damaged_video_is_named_and_the_others_are_done(root: Path, tmp_path: Path) -> None:
    videos, _ = mead.find_videos(root)
    videos[1].path.write_bytes(b"no video")
    manifest, problems = mead.prepare(videos, tmp_path / "frames")
    assert list(manifest.videos) == [NAMES[0], NAMES[2]]
    assert len(problems) == 1
    assert "010.mp4" in problems[0]
    assert not (tmp_path / "frames" / NAMES[1]).exists()


def test_a_damaged_manifest(root: Path, tmp_path: Path) -> None:
    (tmp_path / mead.MANIFEST).write_text('{"videos": 1}')
    with pytest.raises(DataError, match=r"not a manifest of frames; remove it, .* makes it again: videos"):
        mead.prepare(mead.find_videos(root)[0], tmp_path)


def test_command(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    listing = tmp_path / "list.txt"
    listing.write_text(NAMES[2])
    assert run_command(monkeypatch, "data", "prepare", "mead", root, "--out", tmp_path / "a", "--list", listing) == 0
    assert "4 frames of 1 videos" in capsys.readouterr().out
    (root / "M003" / "video" / "front" / "angry" / "level_1" / "010.mp4").write_bytes(b"")
    assert run_command(monkeypatch, "data", "prepare", "mead", root, "--out", tmp_path / "b") == 3
    assert "1 of 3 videos cannot be decoded" in " ".join(capsys.readouterr().err.split())
    assert run_command(monkeypatch, "data", "prepare", "ck_plus", root, "--out", tmp_path / "c") == 2
