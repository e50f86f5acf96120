"""Exact tracks: what is written is where the engine's mesh is, in the crop and in the frame."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ffbench.datasets.images import read_image
from ffbench.datasets.tracks.flame_masks import read_regions
from ffbench.datasets.tracks.metrical import CropBox, MetricalTrack, scan_track
from ffbench.formats.ply import read_mesh
from ffbench.synth.heads.head import Part, Pose, Region
from ffbench.synth.heads.makehuman import MakeHumanHead
from ffbench.synth.motion.expressions import Frame
from ffbench.synth.scenes.scene import RenderedFrame, Scene, render_frame, sample_frame, sample_person, sample_scene
from ffbench.synth.scenes.tracks import CROP, _cut, face_box, write_regions, write_track

HEIGHT, WIDTH = 120, 213


@pytest.fixture(scope="module")
def scene(head: MakeHumanHead) -> Scene:
    return sample_scene(sample_person(head, 5, 128), 5, HEIGHT, WIDTH)


@pytest.fixture(scope="module")
def shots(scene: Scene) -> list[tuple[Frame, RenderedFrame]]:
    """Two poses with one expression, then another expression with the second pose."""
    rng = np.random.default_rng(2)
    happy, angry = (sample_frame(rng, scene.person, emotion).expression for emotion in ("happy", "anger"))
    poses = (
        Pose(translation=np.array([0.1, 0, 0])),
        Pose(np.array([0.2, -0.3, 0.1]), np.array([0.05, 0.1, 0]), np.array([0, 0.1, -0.1])),
    )
    frames = [Frame(happy, poses[0]), Frame(happy, poses[1]), Frame(angry, poses[1])]
    return [(frame, render_frame(scene, frame, number)) for number, frame in enumerate(frames)]


@pytest.fixture
def track(tmp_path: Path, scene: Scene, shots: list[tuple[Frame, RenderedFrame]]) -> MetricalTrack:
    write_track(tmp_path / "W001_x", scene, shots)
    return scan_track(tmp_path / "W001_x", original=True)


@pytest.mark.assets
def test_projected_vertices_are_those_of_the_engine(
    track: MetricalTrack, shots: list[tuple[Frame, RenderedFrame]]
) -> None:
    crops = scan_track(track.frames[0].mesh.parent.parent)
    for number, (_, rendered) in enumerate(shots):
        frame, crop = track.frames[number], crops.frames[number]
        mesh = read_mesh(frame.mesh)
        assert frame.box is not None
        points, depth = crop.camera.project(mesh.vertices)
        in_frame = frame.box.to_frame(points, (CROP, CROP), (WIDTH, HEIGHT))
        np.testing.assert_allclose(in_frame, rendered.projected.xy, rtol=0, atol=1e-6)
        np.testing.assert_allclose(depth, rendered.projected.depth / 10, rtol=1e-12)
        assert np.array_equal(read_image(frame.image), rendered.image)
        assert read_image(crop.image).shape == (CROP, CROP, 3)


@pytest.mark.assets
def test_the_motion_of_the_head_is_in_the_camera_and_the_expression_in_the_mesh(
    head: MakeHumanHead, track: MetricalTrack
) -> None:
    first, turned, other = (read_mesh(track.frames[number].mesh).vertices for number in range(3))
    cameras = [track.frames[number].camera for number in range(3)]
    face = np.isin(head.topology.region, [Region.FOREHEAD, Region.NOSE, Region.EYES])
    np.testing.assert_allclose(turned[face], first[face], rtol=0, atol=1e-6)
    assert np.abs(cameras[1].rotation - cameras[0].rotation).max() > 0.1
    np.testing.assert_allclose(cameras[2].rotation, cameras[1].rotation, atol=1e-12)
    np.testing.assert_allclose(cameras[2].translation, cameras[1].translation, atol=1e-12)
    assert np.abs(other - turned)[face].max() > 1e-3
    assert 0.1 < np.ptp(first[face], axis=0)[1] < 0.2, "from nose to hair, in metres"
    for camera in cameras:
        np.testing.assert_allclose(camera.rotation @ camera.rotation.T, np.eye(3), atol=1e-12)
        assert np.linalg.det(camera.rotation) > 0


@pytest.mark.parametrize(
    "box",
    [
        CropBox(20, 84, 5, 69),  # square
        CropBox(10, 110, 0, 70),  # wide: padded above and below
        CropBox(3, 54, 3, 90),  # tall, and the pad is half a pixel short
        CropBox(90, 212, 20, 119),  # reaches to the frame's end, whose last row and column are left out
    ],
)
def test_a_pixel_of_the_crop_comes_from_where_the_box_says(box: CropBox) -> None:
    x, y = np.meshgrid(np.arange(WIDTH, dtype=np.uint8), np.arange(HEIGHT, dtype=np.uint8))
    crop = _cut(np.stack([x, y, np.full_like(x, 255)], axis=-1), box)
    points = np.random.default_rng(5).integers(8, CROP - 8, (400, 2))
    values = crop[points[:, 1], points[:, 0]].astype(np.float64)
    found = box.to_frame(points.astype(np.float64), (CROP, CROP), (WIDTH, HEIGHT))
    # Near the padding and the border a resized ramp is no ramp.
    inner = (values[:, 2] == 255) & (found > [box.left + 2, box.top + 2]).all(axis=1)
    inner &= (found < [box.right - 4, box.bottom - 4]).all(axis=1)
    assert inner.sum() > 100
    assert np.abs(found - values[:, :2])[inner].max() <= 0.51


def test_the_box_is_around_the_face_and_ends_with_the_image() -> None:
    landmarks = np.array([[100.0, 40], [140, 90]])
    assert face_box(landmarks, HEIGHT, WIDTH) == CropBox(57, 182, 2, HEIGHT - 1)
    assert face_box(landmarks + np.array([60, 0]), HEIGHT, WIDTH).right == WIDTH - 1


@pytest.mark.assets
def test_regions_are_skin_that_can_be_seen(head: MakeHumanHead, tmp_path: Path) -> None:
    write_regions(tmp_path, head)
    regions = read_regions(tmp_path / "regions.json")
    assert list(regions) == ["lips", "cheeks", "eyes"]
    # FLAME has 250, 636 and 545 in the same regions.
    assert {name: len(members) for name, members in regions.items()} == {"lips": 203, "cheeks": 585, "eyes": 588}
    topology = head.topology
    skin = np.unique(topology.triangles[topology.part == Part.SKIN])
    for members in regions.values():
        assert np.isin(members, skin).all()
        assert (head.template[members, 2] > 0).all(), "the front half of the head"
    named = np.concatenate(list(regions.values()))
    assert not np.isin(topology.region[named], [Region.NOSE, Region.FOREHEAD, Region.MOUTH]).any()
    assert json.loads((tmp_path / "regions.json").read_text())["lips"] == regions["lips"].tolist()
