"""Protocols mead_vertices and ck_vertices: the numbers of Eq. 6 on made-up tracks, and what they say of them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ffbench.datasets.clips import open_clip
from ffbench.datasets.tracks.metrical import Camera
from ffbench.datasets.tracks.plain import TrackInfo, write_track
from ffbench.errors import DataError, UsageError
from ffbench.evaluation import evaluate
from ffbench.facemesh.groups import NOSE, OVAL
from ffbench.formats.ply import Mesh
from ffbench.method import Flows
from ffbench.protocol import Pair, ProtocolRequest, Term
from ffbench.protocols.vertices import protocol as vertices
from ffbench.protocols.vertices.protocol import FaceVertices, Vertices
from ffbench.protocols.vertices.tracks import FACE_MESH_REGIONS
from ffbench.protocols.vertices.visibility import visible_vertices
from ffbench.registry import load_method
from tests.datasets.flame_masks_file import flame_masks
from tests.datasets.tracks_folder import (
    SIZE,
    add_track,
    dome,
    lift_of,
    make_tracks,
    renderer_camera,
    scattered,
    screen_points,
    turn_of,
    write_regions,
)
from tests.flow.commands import save_image
from tests.formats import python2_pickle
from tests.reference import landmarks as reference

VIDEO = "M003_front_angry_level_1_001"


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FFBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("FFBENCH_DATA", raising=False)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_tracks(tmp_path / "tracks")


def load(data: Path, name: str = "mead_vertices", **options: str) -> FaceVertices:
    entry = vertices.mead_entry if name == "mead_vertices" else vertices.ck_entry
    return entry.load(ProtocolRequest(name, data, options=options))  # type: ignore[return-value]


def expected_points(number: int) -> np.ndarray:
    """The vertices of the regions file, lips, cheeks, eyes, as the renderer's own formula has them."""
    shape = dome(lift_of(number))[0].astype(np.float32)
    image = screen_points(shape, renderer_camera(turn_of(number))) - 0.5
    return image[[*range(18, 36), *range(45, 54)]]


def random_flow(height: int = SIZE, width: int = SIZE) -> Flows[np.ndarray]:
    rng = np.random.default_rng(8)
    return Flows(rng.normal(0, 2, (height, width, 2)).astype(np.float32))


def test_mead_pairs_are_consecutive_frames(root: Path) -> None:
    protocol = load(root)
    assert protocol.keys() == [
        f"{VIDEO}/00000-00001",
        f"{VIDEO}/00001-00002",
        f"{VIDEO}/00002-00003",
        "W009_front_sad_level_2_004/00000-00001",
        "W009_front_sad_level_2_004/00001-00002",
    ]
    pair = protocol.load(f"{VIDEO}/00001-00002")
    assert pair.labels == {"video": VIDEO, "subject": "M003"}
    assert pair.image1.shape == (SIZE, SIZE, 3)
    assert np.allclose(pair.reference.first, expected_points(1), atol=1e-3)
    assert np.allclose(pair.reference.second, expected_points(2), atol=1e-3)
    assert np.abs(pair.reference.second - pair.reference.first).max() > 0.05
    assert pair.reference.counts.all()
    assert load(root, gap="2").keys()[0] == f"{VIDEO}/00000-00002"
    some = np.arange(len(pair.reference.counts)) % 3 == 0
    seen = Vertices(pair.reference.first, pair.reference.second, some)
    drawn = protocol.annotation(Pair(pair.key, pair.image1, pair.image2, seen))
    np.testing.assert_array_equal(drawn.first, pair.reference.first[some])
    np.testing.assert_array_equal(drawn.second, pair.reference.second[some])


def test_ck_pairs_are_first_and_last_frames(tmp_path: Path) -> None:
    protocol = load(make_tracks(tmp_path / "tracks", ("S005_001", "S010_004")), "ck_vertices")
    assert protocol.keys() == ["S005_001/00000-00003", "S010_004/00000-00002"]
    assert protocol.load("S005_001/00000-00003").labels["subject"] == "S005"
    assert "gap" not in protocol.card.options


def test_score_against_eq_6_in_a_loop(root: Path) -> None:
    protocol = load(root)
    pair = protocol.load(f"{VIDEO}/00000-00001")
    flow = random_flow()
    terms = protocol.score(pair, flow, None).terms
    first, second = pair.reference.first, pair.reference.second
    sampled = np.array([reference.bilinear(flow.facial, x, y) for x, y in first])
    errors = np.array(reference.epe(sampled, second - first))
    assert terms["epe"].sum == pytest.approx(errors.sum(), rel=1e-12)
    assert terms["epe"].count == 27
    assert [terms[f"epe/{name}"].sum for name in ("lips", "cheeks", "eyes")] == pytest.approx(
        [errors[:9].sum(), errors[9:18].sum(), errors[18:].sum()], rel=1e-12
    )
    left = [reference.similarity_residual(first, d) for d in (sampled, second - first)]
    assert terms["epe_nonrigid"].sum == pytest.approx(np.sum(reference.epe(*left)), rel=1e-9)
    assert terms["outliers_3px"].sum == 100 * (errors > 3).sum()
    assert terms["vertices_inside"] == Term(2700.0, 27.0)


def test_vertices_that_do_not_count(root: Path) -> None:
    protocol = load(root)
    first = np.random.default_rng(2).uniform(1, SIZE - 2, (27, 2))
    second = first + np.array([2.0, -1.0])
    first[3] = (SIZE - 1 + 0.01, 5)
    second[20] = np.nan
    counts = np.ones(27, bool)
    counts[10] = False
    image = np.zeros((SIZE, SIZE, 3), np.uint8)
    pair = Pair("a/0-1", image, image, Vertices(first, second, counts), {"subject": "a"})
    exact = Flows(np.tile(np.float32([2, -1]), (SIZE, SIZE, 1)))
    terms = protocol.score(pair, exact, None).terms
    assert [terms[name].count for name in ("epe", "epe/lips", "epe/cheeks", "epe/eyes")] == [24, 8, 8, 8]
    assert terms["epe"].sum == pytest.approx(0, abs=1e-9)
    assert terms["vertices_inside"] == Term(2400.0, 27.0)
    holes = exact.facial.copy()
    holes[int(first[0, 1]), int(first[0, 0])] = np.nan
    with pytest.raises(DataError, match=r"unknown at [1-9]"):
        protocol.score(pair, Flows(holes), None)


def test_original_frames(tmp_path: Path) -> None:
    root = make_tracks(tmp_path / "tracks", original=True)
    pair = load(root, image="original").load(f"{VIDEO}/00000-00001")
    assert pair.image1.shape == (90, 160, 3)
    # The box is as large as the crop: one is the other, moved.
    assert np.allclose(pair.reference.first, expected_points(0) + np.array([20, 5]), atol=1e-3)


def test_the_record_says_what_it_was_measured_on(root: Path, tmp_path: Path) -> None:
    protocol = load(root)
    assert (protocol.dataset.origin, protocol.dataset.reference) == ("real", "pseudo")
    assert protocol.dataset.facts == {"videos": 2.0, "subjects": 2.0, "frames": 7.0}
    assert protocol.card.options == {
        "tracks": "metrical tracker", "image": "crop", "visibility": "all", "vertices": 27, "gap": 1
    }  # fmt: skip
    record = evaluate(load_method("zero"), protocol, out=tmp_path / "runs")
    still = [load(root).load(key).reference for key in list(protocol.keys())]
    errors = np.concatenate([np.hypot(*(points.second - points.first).T) for points in still])
    assert record.score("epe").value == pytest.approx(errors.mean(), rel=1e-12)
    assert record.score("epe", f"video={VIDEO}").pairs == 3
    assert record.interval.unit == "subject"
    before = protocol.dataset.manifest_sha256
    mesh = root / VIDEO / "mesh" / "00001.ply"
    mesh.write_bytes(mesh.read_bytes()[:-1] + b"\x01")
    assert load(root).dataset.manifest_sha256 != before
    # Tracks of made videos that lie somewhere else are made, but nobody says that they are exact.
    (root.parent / "ffbench-mini.json").write_text("{}")
    assert (load(root).dataset.origin, load(root).dataset.reference) == ("synthetic", "pseudo")
    (root / "ffbench-mini.json").write_text("{}")
    assert (load(root).dataset.origin, load(root).dataset.reference) == ("synthetic", "ground truth")


def test_a_video_with_a_fault_is_named(root: Path) -> None:
    (root / VIDEO / "mesh" / "00001.ply").unlink()
    add_track(root, "W010_x", frames=2)
    (root / "W010_x" / "mesh" / "00001.ply").unlink()
    protocol = load(root)
    # Frame 1 is missing, and with it two pairs: 0-1 and 1-2.
    assert [key for key in list(protocol.keys()) if key.startswith("M003")] == [f"{VIDEO}/00002-00003"]
    assert len(protocol.dataset.problems) == 2
    assert "1 usable frames" in protocol.dataset.problems[0]
    assert "the video is left out" in protocol.dataset.problems[0]
    assert "the frame is left out" in protocol.dataset.problems[1]


def test_regions_are_looked_for(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "mine.json"
    other.write_text('{"tip": [40]}')
    assert load(root, regions=str(other)).card.options["vertices"] == 1
    (root / "regions.json").unlink()
    with pytest.raises(DataError, match=r"FLAME_masks.pkl: not found"):
        load(root)
    other.write_text('{"tip": [81]}')
    with pytest.raises(DataError, match="81 vertices, but the regions name vertex 81"):
        load(root, regions=str(other)).load(f"{VIDEO}/00000-00001")
    monkeypatch.setenv("FFBENCH_DATA", str(tmp_path / "data"))
    (tmp_path / "data").mkdir()
    root.rename(tmp_path / "data" / "MEAD-tracks")
    write_regions(tmp_path / "data" / "MEAD-tracks")
    assert len(vertices.mead_entry.load(ProtocolRequest("mead_vertices")).keys()) == 5


def make_flame_tracks(root: Path, name: str) -> Path:
    """Tracks with meshes of FLAME's size, and FLAME's masks as they are distributed."""
    for subject in ("M003", "W009"):
        add_track(root, f"{subject}_001", frames=3, mesh=scattered)
    masks = root / ("FLAME_masks.pkl" if name == "mead_vertices" else "../FLAME/FLAME_masks.pkl")
    masks.parent.mkdir(exist_ok=True)
    masks.write_bytes(python2_pickle.dumps(flame_masks(), 0))
    return root


@pytest.mark.parametrize("name", ["mead_vertices", "ck_vertices"])
def test_the_papers_vertices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("FFBENCH_DATA", str(tmp_path))
    root = make_flame_tracks(tmp_path / "tracks", name)
    masks = flame_masks()
    cheeks = np.setdiff1d(masks["face"], np.concatenate([masks[other] for other in _REGIONS]))
    lists = {
        "paper": {"lips": masks["lips"], "cheeks": cheeks, "eyes": masks["eye_region"]},
        "distinct": {"lips": np.unique(masks["lips"]), "cheeks": cheeks, "eyes": masks["eye_region"]},
    }
    values = {}
    for choice, members in lists.items():
        # What is measured is compared with a loop over the lists.
        protocol = load(root, name) if choice == "paper" else load(root, name, vertices="distinct")
        count = sum(map(len, members.values()))
        assert (protocol.card.options["vertices"], protocol.dataset.facts["vertices"]) == (choice, count)
        assert ("inferred" in protocol.dataset.reference_note) == (choice == "paper")
        record = evaluate(load_method("zero"), protocol, out=tmp_path / f"runs-{choice}")
        pairs = [(0, 2)] if name == "ck_vertices" else [(0, 1), (1, 2)]
        lengths = []
        for first, second in pairs:
            points = [screen_points(scattered(lift_of(n))[0].astype(np.float32), renderer_camera(turn_of(n)))
                      for n in (first, second)]  # fmt: skip
            inside = np.all((points[0] >= 0.5) & (points[0] <= SIZE - 0.5), axis=1)
            lengths.append(np.where(inside, np.hypot(*(points[1] - points[0]).T), np.nan))
        for region, indices in {"all": np.concatenate(list(members.values())), **members}.items():
            expected = np.concatenate([length[indices] for length in lengths])
            assert record.score("epe", region).value == pytest.approx(np.nanmean(expected), rel=1e-4)
        values[choice] = record.score("epe", "lips").value
    assert counted(load(root, name)) == 1435
    assert counted(load(root, name, vertices="distinct")) == 1431
    assert values["paper"] != pytest.approx(values["distinct"], rel=1e-4)


_REGIONS = ("lips", "eye_region", "nose", "forehead")


def counted(protocol: FaceVertices) -> float:
    pair = protocol.load(protocol.keys()[0])
    return protocol.score(pair, random_flow(), None).terms["vertices_inside"].count


def test_a_list_of_vertices_leaves_no_choice(root: Path) -> None:
    with pytest.raises(UsageError, match=r"regions\.json: lists the vertices itself; option 'vertices' is for FLAME"):
        load(root, vertices="paper")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"vertices": "1435"}, "option 'vertices' is '1435', expected paper or distinct"),
        ({"gap": "0"}, "option 'gap' is '0', expected a whole number"),
        ({"image": "full"}, "is 'full', expected crop or original"),
        ({"visibility": "some"}, "all or visible"),
        ({"size": "1"}, "no option 'size'; it has gap, image, regions, vertices, visibility"),
    ],
)
def test_options_that_are_none(root: Path, options: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        load(root, **options)


def test_folders_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such folder"):
        load(tmp_path / "none")
    with pytest.raises(DataError, match="no tracks"):
        load(tmp_path)
    with pytest.raises(UsageError, match="gap"):
        load(make_tracks(tmp_path / "tracks"), "ck_vertices", gap="2")
    with pytest.raises(DataError, match="no pair of frames"):
        load(tmp_path / "tracks", gap="50")


def sphere(rows: int = 40, columns: int = 80) -> Mesh:
    """A unit sphere around the origin; the poles are on the y axis."""
    polar, around = np.meshgrid(np.linspace(0.02, np.pi - 0.02, rows), np.arange(columns) / columns * 2 * np.pi)
    points = np.stack([np.sin(polar) * np.sin(around), np.cos(polar), np.sin(polar) * np.cos(around)], axis=-1)
    number = np.arange(rows * columns).reshape(columns, rows)
    a, b = number[:, :-1], np.roll(number, -1, axis=0)[:, :-1]
    triangles = np.concatenate([np.stack([a, a + 1, b], axis=-1), np.stack([b, a + 1, b + 1], axis=-1)])
    return Mesh(points.reshape(-1, 3), triangles.reshape(-1, 3).astype(np.int32))


FRONT = Camera(np.diag([1.0, -1, -1]), np.array([0, 0, 10.0]), np.array([[900.0, 0, 128], [0, 900, 128], [0, 0, 1]]),
               (256, 256))  # fmt: skip


def test_half_of_a_sphere_is_seen() -> None:
    mesh = sphere()
    seen = visible_vertices(mesh, FRONT)
    # From a distance of 10 the horizon is at z = 1/10.
    assert seen[mesh.vertices[:, 2] > 0.2].all()
    assert not seen[mesh.vertices[:, 2] < 0.0].any()


def test_what_stands_in_front_hides_what_is_behind() -> None:
    mesh = sphere()
    plate = np.array([[0, -2, 3], [2, -2, 3], [2, 2, 3], [0, 2, 3.0]])
    count = len(mesh.vertices)
    triangles = np.array([[0, 1, 2], [0, 2, 3]], np.int32) + count
    both = Mesh(np.concatenate([mesh.vertices, plate]), np.concatenate([mesh.triangles, triangles]))
    seen = visible_vertices(both, FRONT)[:count]
    front = mesh.vertices[:, 2] > 0.2
    assert not seen[front & (mesh.vertices[:, 0] > 0.02)].any()
    assert seen[front & (mesh.vertices[:, 0] < -0.02)].all()


def test_visible_vertices_only(root: Path) -> None:
    everything = load(root).load(f"{VIDEO}/00000-00001").reference
    seen = load(root, visibility="visible").load(f"{VIDEO}/00000-00001").reference
    assert np.array_equal(everything.first, seen.first)
    assert seen.counts.sum() >= 25  # the dome is seen from in front


def add_face_mesh_track(root: Path, name: str, lost: int | None = None, origin: str = "real") -> Path:
    """A clip of four noise frames, and points that move by (1, 0.5) a frame."""
    clip = root.parent / "clips" / name
    for number in range(4):
        save_image(clip / f"{number:03d}.png", number, (SIZE, SIZE))
    points = np.random.default_rng(3).uniform(5, SIZE - 10, (468, 2)) + np.arange(4)[:, None, None] * (1, 0.5)
    if lost is not None:
        points[lost] = np.nan
    info = TrackInfo(
        clip="",
        clip_sha256=open_clip(clip).sha256(),
        network_sha256="0",
        origin=origin,  # type: ignore[arg-type]
        frames=(0, 1, 2, 3),
        epe_floor_px=0.25,
    )
    write_track(root / name, clip, info, points)
    return clip


def test_face_mesh_tracks_are_marked(tmp_path: Path) -> None:
    root = tmp_path / "tracks"
    add_face_mesh_track(root, "talk", lost=2)
    protocol = load(root)
    assert protocol.keys() == ["talk/00000-00001"]
    assert (protocol.dataset.name, protocol.dataset.reference) == ("tracks, face mesh", "pseudo")
    assert "not comparable" in protocol.dataset.reference_note
    assert protocol.dataset.reference_networks == ("0",)
    assert protocol.dataset.facts["epe_floor_px/talk"] == 0.25
    assert protocol.dataset.left_out == (f"{root / 'talk'}: no face in 1 of 4 frames",)
    assert protocol.card.options["tracks"] == "face mesh"
    exact = Flows(np.tile(np.float32([1, 0.5]), (SIZE, SIZE, 1)))
    terms = protocol.score(protocol.load("talk/00000-00001"), exact, None).terms
    assert terms["epe"].sum == pytest.approx(0, abs=1e-9)
    assert {name: terms[f"epe/{name}"].count for name in FACE_MESH_REGIONS} == {
        name: len(members) for name, members in FACE_MESH_REGIONS.items()
    }
    assert load(root, "ck_vertices").keys() == ["talk/00000-00003"]
    for options in ({"visibility": "visible"}, {"vertices": "paper"}):
        with pytest.raises(UsageError, match="metrical tracker's output"):
            load(root, **options)


def test_tracks_of_made_clips_are_synthetic(tmp_path: Path) -> None:
    add_face_mesh_track(tmp_path / "tracks", "talk")
    assert load(tmp_path / "tracks").dataset.origin == "real"
    add_face_mesh_track(tmp_path / "tracks", "made", origin="synthetic")
    assert (load(tmp_path / "tracks").dataset.origin, load(tmp_path / "tracks").dataset.reference) == (
        "synthetic",
        "pseudo",
    )


def test_a_clip_that_was_changed_is_refused(tmp_path: Path) -> None:
    clip = add_face_mesh_track(tmp_path / "tracks", "talk")
    save_image(clip / "002.png", 77, (SIZE, SIZE))
    with pytest.raises(DataError, match="is not the clip that was tracked"):
        load(tmp_path / "tracks")
    add_face_mesh_track(tmp_path / "tracks", "other")
    assert len(load(tmp_path / "tracks").dataset.problems) == 1
    add_track(tmp_path / "tracks", "M003_1")
    with pytest.raises(DataError, match="holds both"):
        load(tmp_path / "tracks")


def test_face_mesh_tracks_that_are_damaged(tmp_path: Path) -> None:
    root = tmp_path / "tracks"
    add_face_mesh_track(root, "talk")
    info = root / "talk" / "track.json"
    good = json.loads(info.read_text())
    for change, message in (
        ({"frames": [0, 1, 2]}, r"expected \(3, 468, 2\)"),
        ({"frames": [0, 2, 1, 3]}, "whole numbers that rise"),
        ({"format": 2}, "format"),
    ):
        info.write_text(json.dumps({**good, **change}))
        with pytest.raises(DataError, match=message):
            load(root)
    info.write_text("{")
    with pytest.raises(DataError, match="damaged"):
        load(root)
    info.write_text(json.dumps(good))
    points = root / "talk" / "points.npy"
    points.write_bytes(points.read_bytes()[:-8])
    with pytest.raises(DataError, match="damaged"):
        load(root)


def test_face_mesh_regions_do_not_overlap_and_leave_the_nose_and_the_border_out() -> None:
    together = np.concatenate(list(FACE_MESH_REGIONS.values()))
    assert len(np.unique(together)) == len(together)
    assert not set(together.tolist()) & {*NOSE, *OVAL, 151, 9, 8}
    assert {50, 280, 199} <= set(FACE_MESH_REGIONS["cheeks"].tolist())  # both cheeks and the chin
