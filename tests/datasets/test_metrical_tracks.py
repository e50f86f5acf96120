"""The metrical tracker's output: its camera and crop, and files that are missing, damaged or hostile."""

from __future__ import annotations

import os
import pickle
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ffbench.datasets.tracks.metrical import CropBox, is_track, read_box, read_camera, scan_track, write_camera
from ffbench.errors import DataError
from ffbench.formats.ply import read_vertices
from tests.datasets.tracks_folder import SIZE, add_track, checkpoint, dome, renderer_camera, screen_points, turn_of


@pytest.fixture
def track(tmp_path: Path) -> Path:
    return add_track(tmp_path, "M003_001", original=True)


def test_projection_is_that_of_the_trackers_renderer(track: Path) -> None:
    for number in (0, 3):
        camera = read_camera(track / "checkpoint" / f"{number:05d}.frame")
        vertices = read_vertices(track / "mesh" / f"{number:05d}.ply")
        points, depth = camera.project(vertices)
        from_edge = screen_points(vertices, renderer_camera(turn_of(number)))
        # The renderer's first pixel is from 0 to 1; here its centre is at 0.
        assert np.allclose(points, from_edge - 0.5, atol=1e-3)
        assert depth.min() > 0.9
    assert 0 < points.min() < points.max() < SIZE


def test_the_face_is_upright_and_not_mirrored(track: Path) -> None:
    camera = read_camera(track / "checkpoint" / "00000.frame")
    # y of the model is up, and x is to the right for one who looks at it from +z.
    (x, y), (right, _), (_, up) = camera.project(np.array([[0, 0, 0], [0.01, 0, 0], [0, 0.01, 0.0]]))[0]
    assert right > x
    assert up < y


def test_a_camera_that_was_written_is_read(track: Path) -> None:
    path = track / "checkpoint" / "00002.frame"
    camera = read_camera(path)
    path.unlink()
    write_camera(path, camera, 2)
    found = read_camera(path)
    assert found.size == camera.size
    for name in ("rotation", "translation", "intrinsics"):
        assert np.array_equal(getattr(found, name), getattr(camera, name))
    assert sorted(scan_track(track).frames) == [0, 1, 2, 3]


def test_points_behind_the_camera_are_nowhere(track: Path) -> None:
    camera = read_camera(track / "checkpoint" / "00000.frame")
    points, depth = camera.project(np.array([[0.0, 0, 5]]))
    assert np.isnan(points).all()
    assert np.isnan(depth).all()


@pytest.mark.parametrize(
    ("box", "frame"),
    [
        (CropBox(20, 84, 5, 69), (160, 90)),  # square
        (CropBox(10, 110, 0, 70), (160, 90)),  # wide: padded above and below
        (CropBox(0, 51, 3, 90), (160, 90)),  # tall, and the pad is half a pixel short
        (CropBox(90, 160, 20, 95), (160, 90)),  # reaches over the frame's end, whose last row and column are left out
    ],
)
def test_the_crop_is_undone(box: CropBox, frame: tuple[int, int]) -> None:
    """Cut, pad and resize pictures of x and y as the tracker does, and read off where pixels came from."""
    width, height = frame
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    columns, rows = slice(box.left, min(box.right, width - 1)), slice(box.top, min(box.bottom, height - 1))
    part = np.stack([x, y, np.ones_like(x)], axis=-1)[rows, columns]
    longest = max(part.shape[:2])
    pad = [int((longest - side) / 2) for side in part.shape[:2]]
    part = np.pad(part, [(pad[0], pad[0]), (pad[1], pad[1]), (0, 0)])
    crop = cv2.resize(part, (128, 128), interpolation=cv2.INTER_LINEAR)
    points = np.random.default_rng(5).integers(0, 128, (400, 2))
    values = crop[points[:, 1], points[:, 0]]
    # Neither in the padding nor beside it or the border, where a resized ramp is no ramp.
    inner = (values[:, 2] > 0.999) & (points > 3).all(axis=1) & (points < 124).all(axis=1)
    assert inner.sum() > 100
    found = box.to_frame(points.astype(np.float64), (128, 128), frame)
    assert np.allclose(found[inner], values[inner, :2], atol=1e-3)


def test_scan(track: Path) -> None:
    found = scan_track(track)
    assert is_track(track)
    assert (found.name, sorted(found.frames), found.problems) == ("M003_001", [0, 1, 2, 3], ())
    assert found.frames[2].image == track / "input" / "00002.png"
    assert found.frames[2].box is None
    original = scan_track(track, original=True)
    assert original.frames[2].image == track / "source" / "00003.png"
    assert original.frames[2].box == CropBox(20, 84, 5, 69)


def test_original_frames_lie_in_the_trackers_input_folder(track: Path) -> None:
    output, beside = track.parent / "output", track.parent / "input" / "M003_001"
    output.mkdir()
    beside.mkdir(parents=True)
    for name in ("source", "bbox.pt"):
        (track / name).rename(beside / name)
    moved = track.rename(output / "M003_001")
    assert scan_track(moved, original=True).frames[0].image == beside / "source" / "00001.png"


def test_every_fault_is_listed(track: Path) -> None:
    (track / "mesh" / "00001.ply").unlink()
    (track / "checkpoint" / "00002.frame").write_bytes(b"PK")
    (track / "input" / "00003.png").unlink()
    with pytest.raises(DataError, match=r"1 usable frames, .*00001.ply: no such file"):
        scan_track(track)
    add_track(track.parent, "other")
    (track.parent / "other" / "mesh" / "00001.ply").unlink()
    found = scan_track(track.parent / "other")
    assert sorted(found.frames) == [0, 2, 3]
    assert [problem.endswith("the frame is left out") for problem in found.problems] == [True]
    assert "00001.ply: no such file" in found.problems[0]


def test_original_frames_that_cannot_be_told(track: Path) -> None:
    (track / "source" / "00004.png").unlink()
    with pytest.raises(DataError, match="3 frames, but 4 were tracked"):
        scan_track(track, original=True)
    for file in (track / "source").iterdir():
        file.unlink()
    (track / "source").rmdir()
    with pytest.raises(DataError, match=r"source: no such folder"):
        scan_track(track, original=True)


def test_nothing_in_a_checkpoint_is_run(track: Path, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    path = track / "checkpoint" / "00000.frame"

    class Touch:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.system, (f"touch {marker}",)

    torch.save({"opencv": Touch()}, path)
    with pytest.raises(DataError, match="nothing in it was run"):
        read_camera(path)
    path.write_bytes(pickle.dumps(Touch()))
    with pytest.raises(DataError, match="nothing in it was run"):
        read_camera(path)
    assert not marker.exists()


def test_checkpoints_of_numpy_1_and_2(track: Path) -> None:
    path = track / "checkpoint" / "00000.frame"
    expected = read_camera(path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    for old, new in ((b"numpy._core.multiarray", b"numpy.core.multiarray"), (b"numpy.core.", b"numpy._core.")):
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in members.items():
                archive.writestr(name, content.replace(old, new) if name.endswith("data.pkl") else content)
        assert np.array_equal(read_camera(path).intrinsics, expected.intrinsics)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"opencv": None}, "expected a checkpoint of the metrical tracker"),
        ({"img_size": np.array([0, 64])}, "img_size is 0 x 64"),
        ({"img_size": "64"}, "expected img_size as an array"),
    ],
)
def test_checkpoints_that_are_none(track: Path, change: dict[str, object], message: str) -> None:
    path = track / "checkpoint" / "00000.frame"
    with torch.serialization.safe_globals([np.dtype]):
        content = torch.load(path, weights_only=False)  # written by this test
    torch.save({**content, **change}, path)
    with pytest.raises(DataError, match=message):
        read_camera(path)


def test_cameras_that_are_none(track: Path) -> None:
    path = track / "checkpoint" / "00000.frame"
    good = torch.load(path, weights_only=False)  # written by this test
    for name, value, message in (
        ("R", np.eye(2, dtype=np.float32), r"expected R as an array \(3, 3\), found \(2, 2\)"),
        ("t", np.full((1, 3), np.nan, np.float32), "t has values that are not finite"),
        ("K", [1], "found list"),
    ):
        torch.save({**good, "opencv": {**good["opencv"], name: value}}, path)
        with pytest.raises(DataError, match=message):
            read_camera(path)
    path.unlink()
    with pytest.raises(DataError, match="no such file"):
        read_camera(path)


def test_boxes_that_are_none(tmp_path: Path) -> None:
    for value, message in (
        (np.array([84, 20, 5, 69]), "expected left < right"),
        (np.array([20, 84, 5]), "expected bbox as an array"),
    ):
        torch.save(value, tmp_path / "bbox.pt")
        with pytest.raises(DataError, match=message):
            read_box(tmp_path / "bbox.pt")


def test_the_dome_is_what_the_tests_believe() -> None:
    vertices, triangles = dome()
    a, b, c = (vertices[triangles[:, corner]] for corner in range(3))
    assert (np.cross(b - a, c - a)[:, 2] > 0).all()  # counter-clockwise seen from +z


@settings(max_examples=100)
@given(position=st.floats(0, 1), value=st.binary(min_size=1, max_size=6), cut=st.floats(0.3, 1.5))
def test_a_damaged_checkpoint_is_read_or_refused_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, position: float, value: bytes, cut: float
) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.frame"
    torch.save(checkpoint(0.1, 3), path)
    whole = path.read_bytes()
    start = int(position * len(whole))
    path.write_bytes((whole[:start] + value + whole[start + len(value) :])[: int(cut * len(whole))])
    try:
        camera = read_camera(path)
    except DataError:
        return
    assert np.isfinite(camera.intrinsics).all()
