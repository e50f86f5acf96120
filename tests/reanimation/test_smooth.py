"""The smooth variant: zero without motion, solved exactly, and sampled at exact places."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ffbench.reanimation.appearance import UNCHANGED
from ffbench.reanimation.motion import SCALES
from ffbench.reanimation.sampling import sample_everywhere
from ffbench.reanimation.smooth import SmoothField, draw_field, prepare_still, smooth_pair
from tests.reanimation.toy_face import toy_photo

IMAGE, POINTS, _ = toy_photo(size=90, width=44)
SHAPE = IMAGE.shape[:2]
STILL = prepare_still(IMAGE, POINTS, 44.0)


def slow_field(field: SmoothField, x: float, y: float, *, head: bool = False) -> np.ndarray:
    """B at a place, as docs/protocols/reanimated_faces.md states it."""
    q = np.array([x, y]) - field.center
    t = min(max((1.6 - np.linalg.norm(q) / field.size) / (1.6 - 0.85), 0), 1)
    total = (3 * t**2 - 2 * t**3) * (field.linear @ q + field.shift)
    for bx, by, sigma, u, v in [] if head else field.bumps:
        total = total + math.exp(-((x - bx) ** 2 + (y - by) ** 2) / (2 * sigma**2)) * np.array([u, v])
    return total


def slow_cubic(image: np.ndarray, x: float, y: float) -> np.ndarray:
    """Catmull and Rom's cubic as a convolution, the image mirrored at its border."""

    def kernel(t: float) -> float:
        t = abs(t)
        return 1.5 * t**3 - 2.5 * t**2 + 1 if t < 1 else -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2 if t < 2 else 0.0

    padded = np.pad(image.astype(float), ((40, 40), (40, 40), (0, 0)), mode="reflect")
    left, top = math.floor(x), math.floor(y)
    total = np.zeros(3)
    for i in range(top - 1, top + 3):
        for j in range(left - 1, left + 3):
            total += kernel(x - j) * kernel(y - i) * padded[i + 40, j + 40]
    return total


@settings(max_examples=8)
@given(seed=st.integers(0, 2**32 - 1), name=st.sampled_from(["micro", "small", "medium", "large"]))
def test_the_flow_solves_its_equation(seed: int, name: str) -> None:
    field = draw_field(POINTS, 44.0, SCALES[name], np.random.default_rng(seed))
    facial, head = field.forward(*SHAPE), field.forward(*SHAPE, head=True)
    rng = np.random.default_rng(1)
    for x, y in rng.integers(0, 90, (20, 2)):
        for flow, part in ((facial, False), (head, True)):
            u, v = flow[y, x]
            assert np.abs(flow[y, x] + slow_field(field, x + u, y + v, head=part)).max() < 1e-6
    expression = np.linalg.norm(facial - head, axis=2)
    assert expression.max() > 0.01
    assert expression.max() <= 1.6 * SCALES[name].expression[1]


def test_no_motion_is_the_photograph_itself() -> None:
    none = SmoothField(POINTS.mean(axis=0), 50.0, np.zeros((2, 2)), np.zeros(2), np.array([[0, 0, 5.0, 0, 0]]))
    pair = smooth_pair(STILL, none, UNCHANGED, np.random.default_rng(0))
    np.testing.assert_array_equal(pair.image1, IMAGE)
    np.testing.assert_array_equal(pair.image2, IMAGE)
    assert not pair.facial.any()
    assert not pair.head.any()


def test_the_head_moves_as_a_similarity_in_the_face() -> None:
    field = draw_field(POINTS, 44.0, SCALES["medium"], np.random.default_rng(3))
    pair = smooth_pair(STILL, field, UNCHANGED, np.random.default_rng(0))
    rows, columns = np.nonzero(pair.mask)
    place = np.stack([columns, rows, np.ones(len(rows))], axis=1)
    fit, *_ = np.linalg.lstsq(place, pair.head[rows, columns].astype(float), rcond=None)
    assert np.abs(place @ fit - pair.head[rows, columns]).max() < 1e-4
    assert fit[0, 0] == pytest.approx(fit[1, 1], abs=1e-6)
    assert fit[0, 1] == pytest.approx(-fit[1, 0], abs=1e-6)
    assert np.abs(place @ fit - pair.facial[rows, columns]).max() > 0.1  # the face does more than that


def test_sampling_equals_a_slow_convolution() -> None:
    rng = np.random.default_rng(2)
    image = rng.uniform(0, 255, (12, 15, 3)).astype(np.float32)
    offsets = rng.uniform(-3, 3, (12, 15, 2))
    offsets[:4] = np.rint(offsets[:4])
    sampled = sample_everywhere(image, offsets)
    for y in range(12):
        for x in range(15):
            wanted = slow_cubic(image, x + offsets[y, x, 0], y + offsets[y, x, 1])
            np.testing.assert_allclose(sampled[y, x], wanted, atol=2e-3)
    np.testing.assert_array_equal(sample_everywhere(image, np.zeros((12, 15, 2))), image)
