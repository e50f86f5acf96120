"""The mini MEAD and the tracks of the mini CK+: layout, frames without loss, and what the protocols make of them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ffbench.datasets.ck_plus import scan as ck_plus
from ffbench.datasets.clips import open_clip
from ffbench.datasets.images import image_size, read_image
from ffbench.datasets.mead import videos as mead
from ffbench.datasets.registry import verify_dataset
from ffbench.datasets.tracks.metrical import scan_track
from ffbench.errors import DataError
from ffbench.evaluation import evaluate
from ffbench.flow.sampling import sample_flow
from ffbench.formats.ply import read_vertices
from ffbench.protocol import ProtocolRequest
from ffbench.protocols.vertices import protocol as vertices
from ffbench.protocols.vertices.protocol import FaceVertices
from ffbench.registry import load_method
from ffbench.synth.heads.makehuman import MakeHumanHead
from ffbench.synth.minis.ck_plus import make_ck_plus, make_ck_plus_tracks
from ffbench.synth.minis.mead import HEIGHT, INTENSITY, WIDTH, _make_subject, _talk, make_mead
from ffbench.synth.motion.expressions import Frame
from ffbench.synth.scenes.scene import Scene, render_pair
from ffbench.synth.scenes.video import lossless_video
from tests.commands import run_command

pytestmark = pytest.mark.assets

NAMES = ["M001_front_angry_level_1_001", "W002_front_contempt_level_2_001", "W002_front_happy_level_3_002"]


@pytest.fixture(scope="module")
def root(head: MakeHumanHead, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mini") / "mead"
    make_mead(folder, head, seed=0, subjects=2, frames=3)
    return folder


@pytest.fixture(scope="module")
def acted(head: MakeHumanHead) -> tuple[Scene, list[Frame]]:
    """The scene and the frames of the first video."""
    scene = _make_subject(head, 0, 0).scene
    return scene, _talk(np.random.default_rng([0, 501, 0, 0]), scene, "anger", INTENSITY[1], 3)


def load(data: Path, **options: str) -> FaceVertices:
    return vertices.mead_entry.load(ProtocolRequest("mead_vertices", data, options=options))  # type: ignore[return-value]


def test_the_videos_lie_as_in_mead_and_lose_nothing(root: Path) -> None:
    videos, problems = mead.find_videos(root)
    assert ([video.name for video in videos], problems) == (NAMES, [])
    assert videos[0].path == root / "M001" / "video" / "front" / "angry" / "level_1" / "001.mp4"
    for video in videos:
        clip = open_clip(video.path)
        assert (len(clip), clip.size) == (3, (WIDTH, HEIGHT))
        for number, frame in enumerate(clip.frames(), start=1):
            assert np.array_equal(frame, read_image(root / video.name / "source" / f"{number:05d}.png"))
    assert json.loads((root / "ffbench-mini.json").read_text())["synthetic"] is True


def test_the_same_seed_gives_the_same_files(root: Path, head: MakeHumanHead, tmp_path: Path) -> None:
    make_mead(tmp_path, head, seed=0, subjects=1, frames=3)
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert len(files) == 1 + 3 * 4 + 1 + 2
    for file in files:
        assert file.read_bytes() == (root / file.relative_to(tmp_path)).read_bytes(), file


def test_vertices_are_where_the_engine_put_them(root: Path, acted: tuple[Scene, list[Frame]]) -> None:
    scene, frames = acted
    numbers = [index for members in json.loads((root / "regions.json").read_text()).values() for index in members]
    protocol = load(root, image="original")
    assert protocol.keys()[:2] == [f"{NAMES[0]}/00000-00001", f"{NAMES[0]}/00001-00002"]
    for first in (0, 1):
        reference = protocol.load(f"{NAMES[0]}/{first:05d}-{first + 1:05d}").reference
        for points, frame in ((reference.first, frames[first]), (reference.second, frames[first + 1])):
            posed = scene.person.head.pose(scene.person.shape, frame.expression, frame.pose)
            np.testing.assert_allclose(points, scene.camera.project(posed).xy[numbers], rtol=0, atol=1e-6)


def test_the_engines_dense_flow_has_no_error_at_the_vertices(root: Path, acted: tuple[Scene, list[Frame]]) -> None:
    scene, frames = acted
    flow = render_pair(scene, frames[0], frames[1]).labels.facial
    reference = load(root, image="original", visibility="visible").load(f"{NAMES[0]}/00000-00001").reference
    seen = reference.counts
    displacement = reference.second - reference.first
    error = np.linalg.norm(sample_flow(flow, reference.first)[0] - displacement, axis=1)[seen]
    assert seen.sum() > 1000
    assert np.linalg.norm(displacement, axis=1)[seen].mean() > 0.5
    # Between pixels the flow is interpolated, at the edges of lips and lids between two surfaces.
    # A quarter of a pixel beside the vertices the median would be 0.011 px.
    assert np.median(error) < 0.01
    assert np.percentile(error, 75) < 0.03


def test_the_record_says_that_it_is_synthetic_and_exact(root: Path, tmp_path: Path) -> None:
    records = {}
    for image in ("crop", "original"):
        records[image] = evaluate(load_method("zero"), load(root, image=image), out=tmp_path / image)
    record = records["crop"]
    assert (record.dataset.name, record.dataset.origin) == ("MEAD mini, vertices", "synthetic")
    assert (record.dataset.reference, record.protocol.options["tracks"]) == ("ground truth", "exact")
    assert record.dataset.facts == {"videos": 3.0, "subjects": 2.0, "frames": 9.0}
    assert record.dataset.problems == ()
    assert record.primary.value > 0.2
    for region in ("lips", "cheeks", "eyes"):
        assert record.score("epe", region).value > 0.1
    # The crop is the frame, larger: its motions are too.
    box = scan_track(root / NAMES[0], original=True).frames[0].box
    assert box is not None
    scale = box.placement((512, 512), (WIDTH, HEIGHT))[0]
    of = f"video={NAMES[0]}"
    ratio = records["crop"].score("epe", of).value / records["original"].score("epe", of).value
    assert 1 / scale.max() - 1e-9 <= ratio <= 1 / scale.min() + 1e-9
    visible = evaluate(load_method("zero"), load(root, visibility="visible"), out=tmp_path / "visible")
    assert 80 < visible.score("vertices_inside").value < 100


def test_verify_and_prepare(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("mead", "mead_tracks"):
        found = verify_dataset(name, root)
        assert (found.problems, found.synthetic, found.sound) == ((), True, True)
        assert {count.what: count.found for count in found.counts}["frames"] == 9
    out = tmp_path / "frames"
    assert run_command(monkeypatch, "data", "prepare", "mead", root, "--out", out) == 0
    for name in NAMES:
        for number in (1, 2, 3):
            file = Path(name) / "source" / f"{number:05d}.png"
            assert (out / file).read_bytes() == (root / file).read_bytes()
    # Frames of made videos stay synthetic, and are compared with no count of the real ones.
    found = verify_dataset("mead", out)
    assert (found.synthetic, found.sound) == (True, True)


def test_bad_numbers_and_a_video_that_cannot_be_written(head: MakeHumanHead, tmp_path: Path) -> None:
    for numbers in ({"subjects": 0}, {"frames": 1}):
        with pytest.raises(ValueError, match="expected 1 to 999 subjects"):
            make_mead(tmp_path, head, **numbers)
    with (
        pytest.raises(DataError, match="cannot write a video"),
        lossless_video(tmp_path / "none" / "001.mp4", 64, 48, 30.0),
    ):
        pass


def test_tracks_of_the_mini_ck_plus_are_of_its_sequences(head: MakeHumanHead, tmp_path: Path) -> None:
    make_ck_plus(tmp_path / "ck", head, seed=3, subjects=2, sequences=3)
    make_ck_plus_tracks(tmp_path / "tracks", head, seed=3, subjects=2, sequences=3)
    sequences = ck_plus.scan(tmp_path / "ck").sequences
    topology = head.topology
    for sequence in sequences:
        track = scan_track(tmp_path / "tracks" / sequence.name, original=True)
        ends = zip(
            (0, 1),
            (sequence.first_image, sequence.last_image),
            (sequence.first_landmarks, sequence.last_landmarks),
            strict=True,
        )
        assert sorted(track.frames) == [0, 1]
        for number, image, landmarks in ends:
            frame = track.frames[number]
            assert frame.box is not None
            assert frame.image.read_bytes() == image.read_bytes()
            points = frame.camera.project(read_vertices(frame.mesh))[0]
            in_frame = frame.box.to_frame(points, frame.camera.size, image_size(image))
            corners = in_frame[topology.triangles[topology.landmark_triangles]]
            found = np.einsum("nk,nkd->nd", topology.landmark_weights, corners)
            np.testing.assert_allclose(found, ck_plus.read_landmarks(landmarks), atol=1e-4)
    protocol = vertices.ck_entry.load(ProtocolRequest("ck_vertices", tmp_path / "tracks"))
    assert protocol.keys() == [f"{sequence.name}/00000-00001" for sequence in sequences]
    assert (protocol.dataset.name, protocol.dataset.origin) == ("CK+ mini, vertices", "synthetic")
    assert protocol.card.options["tracks"] == "exact"
    found = verify_dataset("ck_plus_tracks", tmp_path / "tracks")
    assert (found.problems, found.synthetic, found.sound) == ((), True, True)
