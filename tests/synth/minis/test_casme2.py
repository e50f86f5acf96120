"""The mini CASME II: its layout, how little moves in it, and that the head's motion says nothing of the class."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ffbench.datasets.casme2.scan import FIVE, scan, select, select_megc
from ffbench.datasets.images import read_image
from ffbench.synth.heads.head import HeadModel, Pose
from ffbench.synth.minis.casme2 import CLIPS, CROP_SIZE, crop_transform, make_casme2, workbook
from ffbench.synth.motion.micro import (
    UNITS,
    VARIANTS,
    added,
    amplitude_factor,
    sample_drift,
    sample_micro,
    sample_micro_expression_style,
)
from ffbench.synth.render.camera import Camera
from ffbench.synth.scenes.scene import sample_person


def test_the_whole_plan_has_what_the_protocols_need() -> None:
    assert set(CLIPS) == {*FIVE, "sadness", "fear"}
    assert min(CLIPS.values()) >= 2
    assert all(unit in UNITS for ways in VARIANTS.values() for way in ways for unit in way)


def test_the_same_rows_give_the_same_workbook() -> None:
    rows: list[tuple[str | int | None, ...]] = [("01", "EP02_01f", None, 1, 3, 4, None, "12", "happiness")]
    assert workbook(rows) == workbook(rows)


@pytest.mark.assets
def test_the_layout_and_the_irregular_rows(tmp_path: Path, head: HeadModel) -> None:
    told = []
    clips = {"happiness": 2, "surprise": 2, "others": 2}
    make_casme2(tmp_path, head, 1, 2, clips, lambda *done: told.append(done))
    assert told[-1] == (8, 8)
    found = scan(tmp_path)
    assert found.problems == ()
    assert sorted(line.partition(": ")[2][:4] for line in found.left_out) == ["apex", "no a"]
    selection = select(found, FIVE)
    assert [name for _, name in selection.clips].count("happiness") == 2
    assert all(
        sorted(path.name for path in clip.onset_image.parent.iterdir())
        == sorted(f"img{number}.jpg" for number in range(1, (clip.coding.offset or 0) + 1))
        for clip in found.clips
    )
    assert read_image(found.clips[0].onset_image).shape == (480, 640, 3)
    assert read_image(found.clips[0].onset_crop).shape == (*CROP_SIZE[::-1], 3)
    assert len(select_megc(found).clips) == 4
    assert json.loads((tmp_path / "ffbench-mini.json").read_text())["recipe"] == "ffbench.synth.casme2"
    with pytest.raises(ValueError, match="subjects"):
        make_casme2(tmp_path, head, subjects=0)


@pytest.mark.assets
def test_micro_amplitudes_and_drift_of_the_head(head: HeadModel) -> None:
    rng = np.random.default_rng(0)
    person = sample_person(head, 3, 64)
    camera = Camera(480, 640, 170 * 12, 12, (0.0, float(head.template[:, 1].mean()), 0.0))
    rest, still = Pose(), np.zeros(len(head.expression_names))
    neutral = camera.project(head.pose(person.shape, still, rest)).xy
    habits = sample_micro_expression_style(rng, person.style)
    for emotion in VARIANTS:
        vector, units = sample_micro(rng, head.expression_names, emotion, habits)
        assert {unit.lstrip("LR") for unit in units.split("+")} <= set(UNITS)
        vector *= amplitude_factor(head, person.shape, camera, rest, vector, 1.7)
        moved = np.linalg.norm(camera.project(head.pose(person.shape, vector, rest)).xy - neutral, axis=1)
        assert 1.6 < np.percentile(moved, 99.6) < 3.5
        assert np.median(moved) < 0.3, "most of a head does not move"
    drift = sample_drift(rng, head, person.shape, camera, rest)
    moved = camera.project(head.pose(person.shape, still, added(rest, drift, 1.0))).xy
    assert 0.09 < np.linalg.norm(head.landmarks(moved) - head.landmarks(neutral), axis=1).mean() < 3.1


@pytest.mark.assets
def test_the_crop_holds_the_face_where_it_says(head: HeadModel) -> None:
    camera = Camera(480, 640, 170 * 12, 12, (0.0, float(head.template[:, 1].mean()), 0.0))
    landmarks = head.landmarks(camera.project(head.template).xy)
    transform = crop_transform(landmarks)
    placed = landmarks @ transform[:, :2].T + transform[:, 2]
    eyes = np.stack([placed[36:42].mean(axis=0), placed[42:48].mean(axis=0)])
    assert np.abs(eyes - [[0.31 * 240, 0.36 * 280], [0.69 * 240, 0.36 * 280]]).max() < 16
    linear = transform[:, :2]
    assert np.allclose(linear @ linear.T, np.eye(2) * np.linalg.det(linear), atol=1e-9), "a similarity"
