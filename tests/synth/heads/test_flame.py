from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ffbench.errors import DataError
from ffbench.formats.flame_files import MASKS, read_flame
from ffbench.synth.heads.flame import FlameHead, load_flame
from ffbench.synth.heads.head import Part, Pose, Region
from ffbench.synth.heads.skinning import rotation_matrix
from ffbench.synth.motion.expressions import Frame, sequence
from ffbench.synth.render.camera import Camera
from ffbench.synth.render.labels import label_pair
from ffbench.synth.render.raster import rasterize_supersampled
from tests.reference.flame import flame_slowly
from tests.synth.flame_folder import (
    EYE,
    SKIN,
    VERTICES,
    flame_dict,
    landmarks_dict,
    masks_dict,
    texture_arrays,
    write_flame,
)

REST = np.zeros(107)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_flame(tmp_path_factory.mktemp("flame"))


@pytest.fixture(scope="module")
def head(folder: Path) -> FlameHead:
    return load_flame(folder)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), angle=st.sampled_from([0.0, 1e-6, 0.3, 2.0]))
def test_equals_the_slow_reference(head: FlameHead, folder: Path, seed: int, angle: float) -> None:
    rng = np.random.default_rng(seed)
    beta, psi, theta = rng.normal(0, 2, 300), rng.normal(0, 2, 100), rng.normal(0, angle, (5, 3))
    theta[3:, 2] = 0
    expression = np.concatenate([psi, theta[2], theta[3, :2], theta[4, :2]])
    translation = rng.normal(0, 1, 3)
    found = head.vertices(beta, expression, Pose(theta[1], theta[0], translation))
    slow = flame_slowly(read_flame(folder / "generic_model.pkl"), beta, psi, theta)
    np.testing.assert_allclose(found, 10 * slow + translation, rtol=0, atol=1e-11)


def test_the_neutral_head_is_the_template_in_dm(head: FlameHead) -> None:
    neutral = head.vertices(np.zeros(300), REST, Pose())
    np.testing.assert_array_equal(neutral, head.template)
    np.testing.assert_array_equal(head.template, flame_dict()["v_template"] * 10)
    assert np.ptp(head.template[:, 1]) == pytest.approx(2.4, abs=0.02)


def test_identity_and_expression_are_the_two_parts_of_shapedirs(head: FlameHead) -> None:
    directions = flame_dict()["shapedirs"] * 10
    beta = np.zeros(300)
    beta[299] = -1.5
    np.testing.assert_allclose(head.shape(beta) - head.template, -1.5 * directions[..., 299], atol=1e-14)
    smile = head.expression({"exp_000": 2.0, "exp_099": -1.0})
    moved = head.pose(head.template, smile, Pose()) - head.template
    np.testing.assert_allclose(moved, 2 * directions[..., 300] - directions[..., 399], atol=1e-14)


def test_global_rotation_is_rigid_about_the_root(head: FlameHead) -> None:
    turn = np.array([0.2, -0.5, 0.1])
    moved = head.pose(head.template, REST, Pose(rotation=turn))
    root = flame_dict()["J_regressor"].toarray()[0] @ head.template
    np.testing.assert_allclose(moved, (head.template - root) @ rotation_matrix(turn).T + root, atol=1e-12)


def test_eyes_are_named_after_the_subject_s_sides(head: FlameHead, tmp_path: Path) -> None:
    no_correctives = np.zeros((VERTICES, 3, 36))
    model = flame_dict()
    swapped = model["J_regressor"].toarray()[[0, 1, 2, 4, 3]], model["weights"][:, [0, 1, 2, 4, 3]]
    left, right = slice(SKIN, SKIN + EYE), slice(SKIN + EYE, None)
    for name, changed in (("a", {}), ("b", {"J_regressor": swapped[0], "weights": swapped[1]})):
        one = load_flame(write_flame(tmp_path / name, posedirs=no_correctives, **changed))
        moved = one.pose(one.template, one.expression({"eye_l_y": 0.3, "eye_l_x": 0.1}), Pose())
        np.testing.assert_allclose(moved[right], one.template[right], atol=1e-14)
        np.testing.assert_allclose(moved[:SKIN], one.template[:SKIN], atol=1e-14)
        center = one.template[left].mean(axis=0)
        turned = (one.template[left] - center) @ rotation_matrix([0.1, 0.3, 0]).T + center
        np.testing.assert_allclose(moved[left], turned, atol=1e-12)
        assert (one.template[left, 0] > 0).all()


def test_both_readings_of_eq_4_against_the_reference(head: FlameHead, folder: Path) -> None:
    """`pose` is the letter: theta of the new frame, jaw included, with psi of the old. `expression` keeps the jaw."""
    first = Frame(head.expression({"exp_003": 1.0, "jaw_x": 0.1, "eye_l_y": 0.1}), Pose(rotation=np.array([0, 0.1, 0])))
    second = Frame(head.expression({"exp_003": 2.5, "jaw_x": 0.3, "jaw_y": 0.1}), Pose(rotation=np.array([0, 0.3, 0])))
    kept = second.partner(first, head.units_of_pose("expression"))
    np.testing.assert_array_equal(kept.expression, second.partner(first).expression)
    letter = second.partner(first, head.units_of_pose("pose"))
    theta = np.zeros((5, 3))
    theta[0], theta[2] = second.pose.rotation, second.expression[100:103]
    theta[3, :2], theta[4, :2] = first.expression[103:105], first.expression[105:107]  # eyes stay with the expression
    slow = flame_slowly(read_flame(folder / "generic_model.pkl"), np.zeros(300), first.expression[:100], theta)
    moved = head.pose(head.template, letter.expression, letter.pose)
    np.testing.assert_allclose(moved, 10 * slow, rtol=0, atol=1e-11)
    assert not np.allclose(moved, head.pose(head.template, kept.expression, kept.pose), atol=1e-3)


def test_the_jaw_opens_downwards(tmp_path: Path) -> None:
    head = load_flame(write_flame(tmp_path, posedirs=np.zeros((VERTICES, 3, 36))))
    moved = head.pose(head.template, head.expression({"jaw_x": 0.3}), Pose()) - head.template
    jaw = flame_dict()["weights"][:, 2] > 0.5
    joint = flame_dict()["J_regressor"].toarray()[2] @ head.template
    assert head.template[jaw, 2].min() > joint[2]
    np.testing.assert_array_less(moved[jaw, 1], 0.05)
    assert moved[jaw, 1].mean() < -0.05
    np.testing.assert_allclose(moved[flame_dict()["weights"][:, 2] == 0], 0, atol=1e-14)


def test_wrong_lengths(head: FlameHead) -> None:
    with pytest.raises(ValueError, match=r"identity must be \(300,\), got \(100,\)"):
        head.shape(np.zeros(100))
    with pytest.raises(ValueError, match=r"expression must be \(107,\), got \(50,\)"):
        head.pose(head.template, np.zeros(50), Pose())


def test_identities_are_drawn_alike_from_a_seed(head: FlameHead) -> None:
    one, two = (head.sample_identity(np.random.default_rng(seed)) for seed in (4, 4))
    np.testing.assert_array_equal(one, two)
    many = np.array([head.sample_identity(np.random.default_rng(seed)) for seed in range(300)])
    assert many.shape == (300, head.identity_size)
    assert many[:, :100].std() == pytest.approx(1, abs=0.03)
    assert not many[:, 100:].any()


def test_regions(head: FlameHead) -> None:
    region = head.topology.region
    _, y, z = head.template.T
    assert set(region[SKIN:]) == {Region.EYES}
    assert Region.BACKGROUND not in region
    # The masks overlap: eyes overrule lips, these the nose, and all of them the rest of the face.
    masks = masks_dict()
    assert set(region[masks["eye_region"]]) == {Region.EYES}
    assert set(region[masks["lips"]]) <= {Region.LIPS, Region.EARS}
    shared = np.intersect1d(masks["nose"], masks["eye_region"])
    assert len(shared) > 0
    assert set(region[np.setdiff1d(masks["nose"], shared)]) <= {Region.NOSE, Region.LIPS}
    assert Region.FOREHEAD in region
    # The chin is what of the face is below the lips.
    chin = region == Region.CHIN
    assert chin.any()
    assert (y[chin] < y[region == Region.LIPS].min()).all()
    # A vertex of no mask is called what the nearest one in a mask is.
    unnamed = np.setdiff1d(np.arange(VERTICES), np.concatenate([masks[name] for name in MASKS]))
    assert (z[unnamed] < 0.1).all()
    for vertex in unnamed:
        distance = np.linalg.norm(head.template - head.template[vertex], axis=1)
        distance[unnamed] = np.inf
        assert region[vertex] in region[distance < distance.min() + 1e-9]


def test_parts_and_layouts(head: FlameHead, tmp_path: Path) -> None:
    topology = head.topology
    eyes = (topology.triangles >= SKIN).all(axis=1)
    np.testing.assert_array_equal(topology.part == Part.EYE, eyes)
    assert head.uv_layout == "ffbench-flame"
    skin = topology.uv[~eyes]
    assert skin[..., 1].min() == pytest.approx(0)
    assert skin[..., 1].max() == pytest.approx(1)
    assert np.ptp(skin[..., 0], axis=1).max() < 0.5
    # In front u is 0.5; it grows to the subject's left.
    front = np.argmax(head.template[:SKIN, 2])
    assert skin[(topology.triangles == front)[~eyes]][:, 0] == pytest.approx(0.5)
    left = head.template[topology.triangles[~eyes], 0].min(axis=1) > 0.1
    assert (skin[left][..., 0] > 0.5).all()
    # The front of an eye is in the middle of its quarter of the detail texture.
    assert np.abs(topology.uv[eyes] - 0.25).max() <= 0.25

    with_texture = load_flame(write_flame(tmp_path, texture=True))
    assert with_texture.uv_layout == "flame"
    points, corners = texture_arrays()
    np.testing.assert_allclose(with_texture.topology.uv[~eyes][..., 0], points[corners[~eyes], 0], atol=1e-7)
    np.testing.assert_allclose(with_texture.topology.uv[~eyes][..., 1], 1 - points[corners[~eyes], 1], atol=1e-7)
    np.testing.assert_array_equal(with_texture.topology.uv[eyes], topology.uv[eyes])


def test_landmarks_lie_on_the_mesh(head: FlameHead) -> None:
    expected = landmarks_dict()
    corners = head.template[flame_dict()["f"][expected["full_lmk_faces_idx"][0]]]
    weights = expected["full_lmk_bary_coords"][0]
    np.testing.assert_allclose(head.landmarks(head.template), (corners * weights[..., None]).sum(axis=1), atol=1e-6)


def test_sequences_are_eqs_2_to_4(head: FlameHead, folder: Path) -> None:
    flame = read_flame(folder / "generic_model.pkl")
    rng = np.random.default_rng(5)
    beta, psi = rng.normal(0, 1, 300), rng.normal(0, 1, 100)
    theta = np.array([[0.1, 0.2, 0], [0.1, -0.1, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0]])
    target = Frame(np.concatenate([psi, np.zeros(7)]), Pose(neck=theta[1], rotation=theta[0]))
    frames = sequence(target, np.linspace(0, 1, 5))
    for t, frame in enumerate(frames):
        slow = 10 * flame_slowly(flame, beta, psi * t / 4, theta * t / 4)
        np.testing.assert_allclose(head.vertices(beta, frame.expression, frame.pose), slow, atol=1e-11)
    partner = frames[3].partner(frames[2])
    slow = 10 * flame_slowly(flame, beta, psi * 2 / 4, theta * 3 / 4)
    np.testing.assert_allclose(head.vertices(beta, partner.expression, partner.pose), slow, atol=1e-11)


def test_labels_of_a_pair(head: FlameHead) -> None:
    """The engine's labels take this head as they take any other."""
    camera = Camera(64, 64, 200.0, 10.0, (0.0, 0.0, 0.5))
    first = Frame(REST, Pose())
    second = Frame(head.expression({"jaw_x": 0.2, "exp_003": 3.0}), Pose(rotation=np.array([0, 0.1, 0])))
    frames = (first, second, second.partner(first))
    seen = [camera.project(head.pose(head.template, frame.expression, frame.pose)) for frame in frames]
    triangles = head.topology.triangles
    buffers = [rasterize_supersampled(one.xy, one.depth, triangles, 64, 64) for one in seen[:2]]
    labels = label_pair(head.topology, camera, *seen, *buffers)
    assert 0.2 < labels.mask.mean() < 0.9
    assert {Region.LIPS, Region.EYES} <= set(labels.region[labels.mask].tolist())
    assert np.linalg.norm(labels.head[labels.mask], axis=1).mean() > 1
    assert np.linalg.norm(labels.expression[labels.mask], axis=1).mean() > 0.3
    np.testing.assert_array_equal(labels.facial, labels.head + labels.expression)


def test_files_are_found_or_asked_for(folder: Path, tmp_path: Path) -> None:
    one = load_flame(folder / "generic_model.pkl")
    np.testing.assert_array_equal(one.template, load_flame(folder).template)
    elsewhere = tmp_path / "flame2023.pkl"
    elsewhere.write_bytes((folder / "generic_model.pkl").read_bytes())
    with pytest.raises(DataError, match=r"FLAME_masks\.pkl: not found; expected FLAME's vertex masks"):
        load_flame(tmp_path)
    with pytest.raises(DataError, match=r"landmark_embedding\.npy: not found; expected the 68 landmarks"):
        load_flame(elsewhere, masks=folder / "FLAME_masks.pkl")
    with pytest.raises(DataError, match=r"nothing\.npz: not found"):
        load_flame(folder, texture=tmp_path / "nothing.npz")
    given = load_flame(elsewhere, masks=folder / "FLAME_masks.pkl", landmarks=folder / "landmark_embedding.npy")
    np.testing.assert_array_equal(given.topology.region, one.topology.region)
    with pytest.raises(DataError, match=r"generic_model\.pkl: not found"):
        load_flame(tmp_path / "empty" / "generic_model.pkl")
