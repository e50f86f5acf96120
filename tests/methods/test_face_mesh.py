"""Flow from meshes of a face: exact for known motions of known meshes; on images as good as the network's points."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from ffbench.assets import asset_path
from ffbench.errors import UsageError
from ffbench.methods.face_mesh import FADED, HEAD_REACH, fit_rigid, mesh_flows
from ffbench.registry import load_method, load_protocol

SIZE = (120, 160)


def _dome(seed: int = 0) -> np.ndarray:
    """468 points on a dome 80 px wide in the middle of the image: x, y, depth."""
    rng = np.random.default_rng(seed)
    radius, angle = 40 * np.sqrt(rng.random(468)), rng.uniform(0, 2 * np.pi, 468)
    x, y = radius * np.cos(angle), radius * np.sin(angle)
    return np.stack([x + 80, y + 60, -np.sqrt(50**2 - x**2 - y**2)], axis=1)


def _camera(degrees: tuple[float, float, float], scale: float) -> np.ndarray:
    """A rotation times a scale, (3, 3)."""
    return np.asarray(scale * Rotation.from_euler("xyz", degrees, degrees=True).as_matrix())


def _moved(mesh: np.ndarray, camera: np.ndarray, shift: tuple[float, float]) -> np.ndarray:
    return np.asarray(mesh @ camera.T + (*shift, 0.0))


@pytest.mark.parametrize("degrees", [(0, 0, 0), (0, 0, 20), (12, -25, 5), (-8, 30, -12)])
@pytest.mark.parametrize("scale", [0.9, 1.0, 1.2])
def test_a_rigid_motion_is_found(degrees: tuple[float, float, float], scale: float) -> None:
    mesh, camera = _dome(), _camera(degrees, scale)
    found, shift = fit_rigid(mesh, _moved(mesh, camera, (3.0, -7.0)))
    np.testing.assert_allclose(found, camera[:2], atol=1e-7)
    np.testing.assert_allclose(shift, (3.0, -7.0), atol=1e-5)


def test_the_jaw_may_move_on_its_own() -> None:
    mesh, camera = _dome(), _camera((5, -10, 3), 1.05)
    target = _moved(mesh, camera, (1.0, 2.0))
    jaw = mesh[:, 1] > 72
    target[jaw] += np.random.default_rng(1).normal((0, 12, 0), 3, (jaw.sum(), 3))
    assert 0.25 < jaw.mean() < 0.4
    found, _ = fit_rigid(mesh, target)
    np.testing.assert_allclose(found, camera[:2], atol=1e-3)
    rotation, _ = Rotation.align_vectors(target - target.mean(0), mesh - mesh.mean(0))
    assert np.abs(1.05 * rotation.as_matrix()[:2] - found).max() > 0.02  # without weights the fit is off


def test_the_fit_is_a_rotation_though_a_mirror_image_would_fit() -> None:
    mesh = _dome()
    found, _ = fit_rigid(mesh, mesh * (1, 1, -1))
    np.testing.assert_allclose(found @ found.T, np.eye(2) * (found @ found.T)[0, 0], atol=1e-9)
    flat = mesh * (1, 1, 0.001)
    np.testing.assert_allclose(fit_rigid(flat, flat * (1, 1, -1))[0], np.eye(3)[:2], atol=1e-3)


def test_a_head_that_moves_rigidly_has_no_expression() -> None:
    mesh = _dome()
    moved = _moved(mesh, _camera((4, -12, 6), 1.03), (5.0, 2.0))
    facial, head = mesh_flows(mesh, moved, SIZE)
    np.testing.assert_allclose(facial, head, atol=1e-3)
    displacement = (moved - mesh)[:, :2]
    pixels = np.rint(mesh[:, :2]).astype(int)
    near = np.abs(facial[pixels[:, 1], pixels[:, 0]] - displacement)
    assert np.percentile(near, 95) < 0.6  # half a pixel away from the point, of a motion of some 10 px
    assert np.linalg.norm(displacement, axis=1).mean() > 5


def test_what_a_part_does_on_its_own_is_expression() -> None:
    mesh = _dome()
    moved = mesh + np.array([6.0, -3.0, 0.0])
    mouth = np.linalg.norm(mesh[:, :2] - (80, 80), axis=1) < 12
    moved[mouth, 1] += 4.0
    facial, head = mesh_flows(mesh, moved, SIZE)
    inside = cv2.fillConvexPoly(np.zeros(SIZE, np.uint8), cv2.convexHull(mesh[:, :2].astype(np.int32)), 1) > 0
    np.testing.assert_allclose(head[inside], np.broadcast_to((6, -3), head[inside].shape), atol=0.05)
    np.testing.assert_allclose((facial - head)[80, 80], (0, 4), atol=0.1)
    np.testing.assert_allclose((facial - head)[40, 80], (0, 0), atol=0.1)


def test_beyond_the_mesh_the_head_goes_on_and_ends() -> None:
    mesh = _dome()
    width = np.ptp(mesh[:, 0])
    size = (120, 400)
    facial, head = mesh_flows(mesh, mesh + np.array([6.0, -3.0, 0.0]), size)
    row = head[60]
    edge = int(mesh[:, 0].max())
    np.testing.assert_allclose(
        row[edge : edge + int(0.9 * HEAD_REACH * width)], [[6, -3]] * int(0.9 * HEAD_REACH * width), atol=1e-3
    )
    assert not row[edge + int(1.1 * FADED * width) + 2 :].any()
    middle = row[edge + int((HEAD_REACH + FADED) / 2 * width), 0]
    assert 1 < middle < 5
    np.testing.assert_array_equal(facial[:, 200:], head[:, 200:])


def test_no_face_is_said_and_zero() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (96, 128, 3), np.uint8)
    method = load_method("face_mesh", device="cpu")
    flows = method.estimate(noise, noise)
    assert flows.found is not None
    assert not flows.found.any()
    assert flows.head is not None
    assert not flows.facial.any()
    assert not flows.head.any()


@pytest.mark.assets
@pytest.mark.parametrize("shift", [(4, -3), (-9, 2)])
def test_a_face_moved_within_a_real_frame(shift: tuple[int, int]) -> None:
    capture = cv2.VideoCapture(str(asset_path("clip_single_face")))
    frame = np.ascontiguousarray(capture.read()[1][:, :, ::-1])
    moved = np.roll(frame, (shift[1], shift[0]), axis=(0, 1))
    flows = load_method("face_mesh", device="cpu").estimate(frame, moved)
    assert flows.found is not None
    assert flows.found.all()
    assert flows.head is not None
    face = np.linalg.norm(flows.facial, axis=2) > 0.9 * np.hypot(*shift)
    assert face.mean() > 0.02
    for flow in (flows.facial, flows.head):
        np.testing.assert_allclose(flow[face].mean(axis=0), shift, atol=0.3)


@pytest.mark.assets
def test_it_is_refused_where_its_own_network_made_the_reference(tmp_path: object) -> None:
    from ffbench.evaluation import evaluate

    method = load_method("face_mesh", device="cpu")
    protocol = load_protocol("clip_landmarks", data=asset_path("clip_single_face"), options={"stride": "40"})
    with pytest.raises(UsageError, match="same network"):
        evaluate(method, protocol, limit=1)


def test_weights_are_on_the_card_and_options_of_networks_are_refused() -> None:
    card = load_method("face_mesh", device="cpu").card
    assert card.weights is not None
    assert card.weights.sha256
    assert card.decomposes
    with pytest.raises(UsageError):
        load_method("face_mesh", weights="random")
