"""The crop of a face: where its pixels lie in the frame, and that it follows the face."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffbench.facemesh.crop import Crop, crop_of_landmarks, cut

POINTS = np.random.default_rng(0).uniform(-1, 1, (468, 2)) * (80, 100) + (150, 140)
POINTS[[33, 263]] = [[110, 120], [190, 120]]


def test_a_crop_at_full_size_is_the_pixels_themselves() -> None:
    image = np.random.default_rng(1).integers(0, 256, (300, 320, 3), np.uint8)
    crop = Crop(40 + 95.5, 60 + 95.5, 192, 0.0)
    np.testing.assert_array_equal(cut(image, crop), image[60:252, 40:232])


@pytest.mark.parametrize(("side", "turn"), [(100.0, 0.3), (192.0, -0.2), (500.0, 0.0), (700.0, 0.4)])
def test_pixels_of_a_crop_come_from_where_the_matrix_says(side: float, turn: float) -> None:
    x, y = np.meshgrid(np.arange(900.0), np.arange(800.0))
    image = np.stack([x / 4, y / 4, (x + y) / 8], axis=-1).astype(np.uint8)
    crop = Crop(440.3, 410.7, side, turn)
    inner = np.array([[20.0, 30.0], [96.0, 96.0], [170.0, 60.0], [60.0, 180.0]])
    place = crop.to_frame(inner + 0.5)  # pixel i of the crop is at i + 0.5 from its edge
    expected = np.stack([place[:, 0] / 4, place[:, 1] / 4, place.sum(axis=1) / 8], axis=-1)
    found = cut(image, crop)[inner[:, 1].astype(int), inner[:, 0].astype(int)]
    np.testing.assert_allclose(found, expected - 0.5, atol=1.0)  # the image is cut off to whole grey levels


def test_outer_edges_of_crop_and_frame_meet() -> None:
    corners = Crop(99.5, 49.5, 100, 0.0).to_frame(np.array([[0.0, 0.0], [192.0, 192.0], [96.0, 96.0]]))
    np.testing.assert_allclose(corners, [[49.5, -0.5], [149.5, 99.5], [99.5, 49.5]])


@given(scale=st.floats(0.2, 5), turn=st.floats(-3.0, 3.0), x=st.floats(-500, 500), y=st.floats(-500, 500))
def test_the_crop_follows_the_face(scale: float, turn: float, x: float, y: float) -> None:
    rotation = scale * np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    before, after = crop_of_landmarks(POINTS), crop_of_landmarks(POINTS @ rotation.T + (x, y))
    np.testing.assert_allclose((after.x, after.y), rotation @ (before.x, before.y) + (x, y), atol=1e-6)
    assert after.side == pytest.approx(before.side * scale)
    assert math.remainder(after.turn - before.turn - turn, 2 * math.pi) == pytest.approx(0, abs=1e-9)


def test_the_margin_is_a_quarter_on_each_side() -> None:
    crop = crop_of_landmarks(POINTS)
    extent = np.ptp(POINTS, axis=0)
    assert crop.side == pytest.approx(1.5 * extent.max())
    assert crop.turn == 0.0


@pytest.mark.parametrize("place", [(-400.0, 30.0), (30.0, 2000.0), (0.0, 0.0)])
def test_beyond_the_border_the_image_is_continued(place: tuple[float, float]) -> None:
    image = np.full((60, 80, 3), 7, np.uint8)
    np.testing.assert_array_equal(cut(image, Crop(*place, 300.0, 0.5)), np.full((192, 192, 3), 7))


def test_crops_around_one_are_centred_on_it() -> None:
    crop = Crop(100.0, 80.0, 200.0, 0.1)
    crops = crop.around(8, 0.03)
    assert len(set(crops)) == 8
    np.testing.assert_allclose(np.mean(crops, axis=0), crop, atol=1e-9)
    assert max(math.hypot(one.x - crop.x, one.y - crop.y) for one in crops) == pytest.approx(6.0)
