from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from ffbench.synth.heads.makehuman import MakeHumanHead
from ffbench.texturing.calibrate import geometric_median, nearest_on_surface, see_through
from ffbench.texturing.surface_points import surface_points
from tests.texturing.round_trip import Portrait


@settings(max_examples=15)
@given(seed=st.integers(0, 2**32 - 1))
def test_geometric_median_has_the_least_mean_distance(seed: int) -> None:
    points = np.random.default_rng(seed).standard_normal((15, 3))

    def mean_distance(place: np.ndarray) -> float:
        return float(np.linalg.norm(points - place, axis=1).mean())

    slow = minimize(mean_distance, points.mean(axis=0), method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-12})
    assert mean_distance(geometric_median(points)) <= slow.fun + 1e-5


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1))
def test_no_place_on_the_triangles_is_nearer(seed: int) -> None:
    rng = np.random.default_rng(seed)
    corners, point = rng.standard_normal((6, 3, 3)), 1.5 * rng.standard_normal(3)
    triangle, weights = nearest_on_surface(point, corners)
    assert weights.min() >= 0
    assert weights.sum() == pytest.approx(1)
    found = np.linalg.norm(weights @ corners[triangle] - point)
    # Every place of every triangle, in steps of a fiftieth.
    steps = np.array([(i, j, 50 - i - j) for i in range(51) for j in range(51 - i)]) / 50
    everywhere = np.linalg.norm(np.einsum("sk,tkd->tsd", steps, corners) - point, axis=2)
    assert found <= everywhere.min() + 1e-9
    assert found >= everywhere.min() - 0.1


@pytest.mark.assets
def test_points_of_a_picture_are_followed_back_to_the_template(head: MakeHumanHead, known: Portrait) -> None:
    points = surface_points(head)
    count = len(head.template)
    pixels = points.of(known.frame.projected.xy[:count])
    found = see_through(head, known.frame, pixels)
    assert len(found) > 400
    places = points.of(head.template)
    away = np.array([np.linalg.norm(place - places[number]) for number, place in found.items()])
    # Points at the far side of nose and jaw are hidden, and what hides them is found.
    assert np.median(away) < 0.005
    assert np.quantile(away, 0.85) < 0.03


@pytest.mark.assets
def test_the_points_are_on_the_head_and_mirror_one_another(head: MakeHumanHead) -> None:
    points = surface_points(head)
    assert points.corners.shape == (468, 3)
    np.testing.assert_allclose(points.weights.sum(axis=1), 1, atol=2e-4)
    places = points.of(head.template)
    # Outer and inner corners of the eyes, corners of the mouth, wings of the nose: right and left.
    for right, left in ((33, 263), (133, 362), (61, 291), (98, 327)):
        np.testing.assert_allclose(places[right] * [-1, 1, 1], places[left], atol=0.06)
    landmarks = head.landmarks(head.template)
    for number, landmark in ((33, 36), (263, 45), (61, 48), (291, 54), (1, 30)):
        assert np.linalg.norm(places[number] - landmarks[landmark]) < 0.15
