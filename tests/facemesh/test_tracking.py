"""Tracks of whole datasets: which clips and frames are tracked, and that nothing is done twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ffbench.datasets.mead import videos as mead
from ffbench.datasets.tracks.plain import read_track
from ffbench.errors import DataError
from ffbench.facemesh import tracking
from ffbench.facemesh.tracker import FaceTrack
from ffbench.facemesh.tracking import Source, find_sources, track_source
from tests.commands import run_command
from tests.datasets.ck_plus_folder import make_ck_plus


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Stand in for the network: points at the mean grey level of the frame, lost where a frame is dark."""
    counted: list[int] = []

    def track(frames: Iterable[np.ndarray]) -> Iterator[FaceTrack]:
        for frame in frames:
            counted.append(len(counted))
            level = float(frame.mean())
            yield FaceTrack(None if level < 50 else np.full((468, 2), level), 1.0)

    monkeypatch.setattr(tracking, "track", track)
    return counted


def clip_of(folder: Path, levels: Iterable[int]) -> Path:
    for number, level in enumerate(levels):
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((24, 32, 3), level, np.uint8)).save(folder / f"{number:03d}.png")
    return folder


def test_the_network_runs_on_one_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[int] = []

    def track(frames: Iterable[np.ndarray]) -> Iterator[FaceTrack]:
        for _ in frames:
            threads.append(torch.get_num_threads())
            yield FaceTrack(np.zeros((468, 2)), 1.0)

    monkeypatch.setattr(tracking, "track", track)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        track_source(Source("talk", clip_of(tmp_path / "talk", [60, 62])), tmp_path / "out")
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert threads == [1, 1]


def test_a_clip(tmp_path: Path, calls: list[int]) -> None:
    clip_of(tmp_path / "clips" / "talk", [60, 62, 64, 66, 68, 10, 70])
    sources, problems = find_sources(tmp_path / "clips")
    assert (sources, problems) == ([Source("talk", tmp_path / "clips" / "talk")], [])
    assert find_sources(tmp_path / "clips" / "talk")[0] == sources
    track_source(sources[0], tmp_path / "out")
    track = read_track(tmp_path / "out" / "talk")
    assert track.info.frames == tuple(range(7))
    assert track.points[:, 0, 0].tolist()[:5] == [60, 62, 64, 66, 68]
    assert np.isnan(track.points[5]).all()
    assert track.clip.resolve() == (tmp_path / "clips" / "talk").resolve()
    assert track.info.origin == "real"
    assert track.info.jitter_px == pytest.approx(0, abs=1e-12)  # the points move evenly
    assert len(calls) == 7
    track_source(sources[0], tmp_path / "out")
    assert len(calls) == 7
    clip_of(tmp_path / "clips" / "talk", [61])
    track_source(sources[0], tmp_path / "out")
    assert len(calls) == 14
    (tmp_path / "out" / "talk" / "track.json").write_text("{}")
    track_source(sources[0], tmp_path / "out")
    assert read_track(tmp_path / "out" / "talk").info.frames == tuple(range(7))


def test_first_and_last_frames_of_ck_plus(tmp_path: Path, calls: list[int]) -> None:
    root = make_ck_plus(tmp_path / "CK+")
    (root / "ffbench-mini.json").write_text("{}")
    sources, problems = find_sources(root)
    assert problems == []
    assert [source.name for source in sources] == ["S005_001", "S005_002", "S010_001"]
    track_source(sources[1], tmp_path / "out")
    track = read_track(tmp_path / "out" / "S005_002")
    assert track.info.frames == (0, 11)
    assert track.points.shape == (2, 468, 2)
    assert track.info.jitter_px is None
    assert track.info.origin == "synthetic"
    assert len(calls) == 2


def test_prepared_frames_of_mead(tmp_path: Path, calls: list[int]) -> None:
    clip_of(tmp_path / "M003_a" / "source", [60, 61])
    entry = mead.PreparedVideo(source="x", sha256="0", frames=2, width=32, height=24)
    (tmp_path / mead.MANIFEST).write_text(mead.VideoManifest(videos={"M003_a": entry}).model_dump_json())
    assert find_sources(tmp_path)[0] == [Source("M003_a", tmp_path / "M003_a" / "source")]


def test_clips_without_a_face_or_of_one_name(tmp_path: Path, calls: list[int]) -> None:
    clip = clip_of(tmp_path / "dark", [1, 2])
    with pytest.raises(DataError, match="no face was found in any of the 2 frames"):
        track_source(Source("dark", clip), tmp_path / "out")
    assert not (tmp_path / "out" / "dark").exists()
    for suffix in (".mp4", ".avi"):
        (tmp_path / "clips" / f"a{suffix}").parent.mkdir(exist_ok=True)
        (tmp_path / "clips" / f"a{suffix}").write_bytes(b"")
    with pytest.raises(DataError, match="2 clips are called a"):
        find_sources(tmp_path / "clips")


def test_command(
    tmp_path: Path, calls: list[int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clip_of(tmp_path / "clips" / "talk", [60, 61])
    assert run_command(monkeypatch, "track", tmp_path / "clips", "--out", tmp_path / "out") == 0
    assert "tracks of 1 clips" in capsys.readouterr().out
    clip_of(tmp_path / "clips" / "dark", [1, 2])
    assert run_command(monkeypatch, "track", tmp_path / "clips", "--out", tmp_path / "out") == 3
    assert "dark: no face was found" in " ".join(capsys.readouterr().err.split())
