"""Journey: somebody's own program predicts, makes the usual mistakes, is told each of them, and gets a number.

Export, wrong predictions (axes swapped, files in the wrong place), what `validate` says, right predictions, `submit`.
The labels stay with the scorer until the last command; the mini CK+ stands for them.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.journeys.shell import Shell

pytestmark = [pytest.mark.slow, pytest.mark.assets]


def predict(images: Path, flows: Path, *, swapped: bool) -> None:
    """A program that knows nothing of ffbench but what the README of the export says."""
    method = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    with (images / "pairs.csv").open(newline="") as table:
        for row in csv.DictReader(table):
            first, second = (cv2.imread(str(images / row[name]), cv2.IMREAD_GRAYSCALE) for name in ("image1", "image2"))
            flow = method.calc(first, second, None)
            path = (flows / row["facial"]).with_suffix(".npy")
            path.parent.mkdir(parents=True, exist_ok=True)
            np.save(path, flow[..., ::-1] if swapped else flow)


def test_own_predictions(tmp_path: Path) -> None:
    ffbench = Shell(tmp_path)
    ffbench("ffbench export -p ck_landmarks --out images")
    assert "to the right" in (tmp_path / "images" / "README.md").read_text()

    predict(tmp_path / "images", tmp_path / "flows", swapped=True)
    (tmp_path / "flows" / "facial").rename(tmp_path / "misplaced")
    said = ffbench("ffbench validate misplaced -p images", code=3)
    assert "hint: 24 files have the names of pairs but no folder: put them under facial/" in said.out
    (tmp_path / "misplaced").rename(tmp_path / "flows" / "facial")

    said = ffbench("ffbench validate flows -p images")
    assert "24 files expected, 24 found and sound" in said.out
    assert "hint: looks as if x and y are swapped: image 2 warped back differs" in said.out
    # With the labels the same is said in px.
    said = ffbench("ffbench submit flows -p ck_landmarks --name Mine --json")
    assert "hint: looks as if x and y are swapped: endpoint error" in said.err
    wrong = json.loads(said.out)["primary"]["value"]

    predict(tmp_path / "images", tmp_path / "flows", swapped=False)
    said = ffbench("ffbench validate flows -p images")
    assert "hint" not in said.out
    said = ffbench("ffbench submit flows -p ck_landmarks --name Mine --json")
    assert "hint" not in said.err
    right = json.loads(said.out)["primary"]["value"]
    assert right < wrong / 4
    assert ffbench.commands == 6
