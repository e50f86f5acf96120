"""Journey: an animator with a clip of a face wants to see its flow, hold the head still, and carry points along.

The clip is one of the assets (a real one, which is never part of the repository); few frames and cheap methods.
"""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest

from ffbench.assets import asset_path
from ffbench.datasets.clips import open_clip
from ffbench.facemesh.tracker import detect_face
from tests.journeys.shell import Shell

pytestmark = [pytest.mark.slow, pytest.mark.assets]


def box_center(frame: np.ndarray) -> np.ndarray:
    box = detect_face(frame)
    assert box is not None
    return np.array([box.x + box.width / 2, box.y + box.height / 2])


def test_own_clip(tmp_path: Path) -> None:
    pytest.importorskip("av", reason="PyAV is not installed: the extra `video`")
    ffbench = Shell(tmp_path)
    shutil.copy(asset_path("clip_single_face"), tmp_path / "talk.mp4")

    # The first attempt is wrong, and says what is missing.
    assert "--video FILE" in ffbench("ffbench flow talk.mp4 -m dis", code=2).err

    said = ffbench("ffbench flow talk.mp4 -m dis --video flow.mp4 --npz flow.npz --start 10 --end 31 --stride 5")
    assert "4 pairs of 640 x 360 px: about" in said.err
    assert len(open_clip(tmp_path / "flow.mp4")) == 4
    with np.load(tmp_path / "flow.npz") as flows:
        assert flows["facial_00003"].shape == (360, 640, 2)

    assert "gives no head flow" in ffbench("ffbench stabilize talk.mp4 -m dis --video still.mp4", code=2).err
    ffbench("ffbench stabilize talk.mp4 -m face_mesh --video still.mp4 --end 11")
    source, held = open_clip(tmp_path / "talk.mp4"), open_clip(tmp_path / "still.mp4")
    start = box_center(source.frame(0))
    assert np.linalg.norm(box_center(held.frame(10)) - start) < np.linalg.norm(box_center(source.frame(10)) - start)

    x, y = start
    said = ffbench(f"ffbench points talk.mp4 -m dis --at {x:.0f},{y:.0f} --out points.csv --end 6")
    assert "1 of 1 points are followed from frame 0 to frame 5" in said.out
    with (tmp_path / "points.csv").open(newline="") as file:
        assert [row["frame"] for row in csv.DictReader(file)] == list("012345")
    assert ffbench.commands == 5
