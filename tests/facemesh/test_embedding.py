"""Faces as vectors: expressions without pose, and what the network makes of a real frame."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from scipy.spatial.transform import Rotation

from ffbench.facemesh.embedding import STEADY, describe_face, expression_features
from ffbench.facemesh.groups import LIPS


def mesh(seed: int = 0) -> npt.NDArray[np.float64]:
    """Points on a bowl, as a face is one."""
    x, y = np.random.default_rng(seed).uniform(-50, 50, (2, 468))
    points = np.column_stack([x, y, (x**2 + y**2) / 100])
    points[33], points[263] = (-45, -20, 10), (45, -20, 10)
    return points


def test_pose_place_and_size_are_no_expression() -> None:
    rest = mesh()
    for seed in range(5):
        rotation = Rotation.random(random_state=seed)
        moved = 1.3 * rotation.apply(rest) + [7, -3, 20]
        np.testing.assert_allclose(expression_features(rest, moved), 0, atol=1e-12)


def test_what_moves_is_measured_in_distances_of_the_eyes() -> None:
    rest = mesh()
    smile = rest.copy()
    lips = sorted(set(LIPS) - set(STEADY))
    smile[lips] += [9.0, -18.0, 4.0]
    turned = 0.8 * Rotation.from_euler("xyz", [20, -30, 10], degrees=True).apply(smile) + [1, 2, 3]
    found = expression_features(rest, turned).reshape(468, 2)
    np.testing.assert_allclose(found[lips], np.tile([0.1, -0.2], (len(lips), 1)), atol=1e-12)
    still = np.setdiff1d(np.arange(468), lips)
    np.testing.assert_allclose(found[still], 0, atol=1e-12)


@pytest.mark.assets
def test_a_face_is_found_and_a_smaller_copy_looks_alike(single_face: list[npt.NDArray[np.uint8]]) -> None:
    import cv2

    frame = single_face[0]
    half = np.asarray(cv2.resize(frame, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
    face, small = describe_face(frame), describe_face(half)
    assert face is not None
    assert small is not None
    assert face.points.shape == (468, 3)
    assert face.points[1, 2] < face.points[[234, 454], 2].min()  # the nose is nearer than the ears
    depth = np.ptp(face.points[:, 2]) / np.ptp(face.points[:, 0])
    assert 0.3 < depth < 1.5  # in the unit of x
    assert np.abs(expression_features(face.points, small.points)).max() < 0.1
    a, b = face.features, small.features
    assert a.shape == (128,)
    assert a @ b / np.linalg.norm(a) / np.linalg.norm(b) > 0.99


@pytest.mark.assets
def test_where_there_is_no_face_there_is_no_vector() -> None:
    assert describe_face(np.full((120, 160, 3), 90, np.uint8)) is None
