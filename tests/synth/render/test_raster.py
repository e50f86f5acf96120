from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ffbench.synth.render.raster import rasterize, rasterize_supersampled
from tests.reference.raster import cast_many

HEIGHT, WIDTH = 24, 32
FOCAL = 40.0
CENTER = ((WIDTH - 1) / 2, (HEIGHT - 1) / 2)


def soup(seed: int, count: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Triangles of all sizes through the view, in the camera's axes."""
    rng = np.random.default_rng(seed)
    middle = rng.uniform([-1.5, -1.5, 3], [1.5, 1.5, 6], (count, 1, 3))
    points = (middle + rng.normal(0, 1, (count, 3, 3)) * rng.uniform(0.05, 1.2, (count, 1, 1))).reshape(-1, 3)
    points[:, 2] = np.maximum(points[:, 2], 0.5)
    return points, np.arange(3 * count, dtype=np.int32).reshape(-1, 3)


@pytest.mark.parametrize("seed", range(6))
def test_agrees_with_a_ray_through_each_pixel(seed: int) -> None:
    points, triangles = soup(seed)
    both = np.random.default_rng(seed).random(len(triangles)) < seed / 5
    xy = FOCAL * points[:, :2] / points[:, 2:] + CENTER
    seen = rasterize(xy, points[:, 2], triangles, HEIGHT, WIDTH, both)
    pixels = np.stack(np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT)), axis=-1).reshape(-1, 2).astype(float)
    hits = cast_many(points, triangles, both, FOCAL, pixels, CENTER)
    compared = 0
    for (x, y), hit in zip(pixels.astype(int), hits, strict=True):
        if hit.clearance < 2e-3:
            continue
        compared += 1
        assert seen.ids[y, x] == hit.triangle
        if hit.triangle >= 0:
            assert 1 / seen.inverse_depth[y, x] == pytest.approx(hit.depth, rel=1e-4)
    assert compared > 0.8 * len(pixels)


corner = st.one_of(
    st.integers(-4, 36).map(float), st.floats(-4, 36, width=16), st.integers(-8, 72).map(lambda n: n / 2)
)


@given(inner=st.tuples(corner, corner))
def test_a_fan_covers_every_pixel_exactly_once(inner: tuple[float, float]) -> None:
    """Triangles around a point in a rectangle: no pixel is missed and none is drawn twice."""
    x, y = min(max(inner[0], 1), 19), min(max(inner[1], 1), 15)
    xy = np.array([[0, 0], [20, 0], [20, 16], [0, 16], [x, y]], np.float64)
    triangles = np.array([[1, 0, 4], [2, 1, 4], [3, 2, 4], [0, 3, 4]], np.int32)
    counts = np.zeros((20, 24), int)
    for triangle in triangles:
        counts += rasterize(xy, np.ones(5), triangle[None], 20, 24).ids >= 0
    expected = np.zeros((20, 24), int)
    # The rule gives the rectangle its top and left borders, not the bottom and right ones.
    expected[0:16, 0:20] = 1
    np.testing.assert_array_equal(counts, expected)


@given(
    hnp.arrays(np.float64, (9, 2), elements=st.floats(-3, 27, width=32)),
    hnp.arrays(np.float64, (9,), elements=st.floats(1, 9, width=32)),
)
def test_the_order_of_triangles_does_not_matter(xy: np.ndarray, depth: np.ndarray) -> None:
    triangles = np.arange(9, dtype=np.int32).reshape(3, 3)
    forward = rasterize(xy, depth, triangles, 24, 24)
    backward = rasterize(xy, depth, triangles[::-1], 24, 24)
    np.testing.assert_array_equal(forward.inverse_depth, backward.inverse_depth)
    np.testing.assert_array_equal(forward.ids >= 0, backward.ids >= 0)


def test_the_nearer_surface_wins_and_backs_are_not_drawn() -> None:
    xy = np.array([[0, 0], [0, 10], [10, 0]] * 3, np.float64)
    depth = np.array([5.0] * 3 + [2.0] * 3 + [1.0] * 3)
    triangles = np.array([[0, 1, 2], [3, 4, 5], [6, 8, 7]], np.int32)
    seen = rasterize(xy, depth, triangles, 12, 12)
    assert seen.ids[2, 2] == 1
    assert seen.inverse_depth[2, 2] == 0.5
    assert seen.ids[11, 11] == -1
    both = rasterize(xy, depth, triangles, 12, 12, np.array([False, False, True]))
    assert both.ids[2, 2] == 2


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e300, 2.0**40])
def test_corners_that_cannot_be_drawn_are_left_out(bad: float) -> None:
    xy = np.array([[0, 0], [0, 10], [bad, 0], [0, 0], [0, 10], [10, 0]], np.float64)
    seen = rasterize(xy, np.ones(6), np.array([[0, 1, 2], [3, 4, 5]], np.int32), 12, 12)
    assert set(np.unique(seen.ids)) == {-1, 1}


def test_what_is_behind_the_camera_is_not_drawn() -> None:
    xy = np.array([[0, 0], [0, 10], [10, 0]], np.float64)
    for depth in ([1.0, 1.0, -1.0], [1.0, 0.0, 1.0], [1.0, np.nan, 1.0]):
        assert (rasterize(xy, np.array(depth), np.array([[0, 1, 2]], np.int32), 12, 12).ids == -1).all()


@pytest.mark.parametrize("seed", range(3))
def test_every_second_sample_is_the_pixel(seed: int) -> None:
    points, triangles = soup(seed)
    xy = FOCAL * points[:, :2] / points[:, 2:] + CENTER
    single = rasterize(xy, points[:, 2], triangles, HEIGHT, WIDTH)
    double = rasterize_supersampled(xy, points[:, 2], triangles, HEIGHT, WIDTH)
    assert double.ids.shape == (2 * HEIGHT + 1, 2 * WIDTH + 1)
    # The grids round corners to different fractions of a pixel, so a pixel on an edge may change hands.
    assert (double.ids[1::2, 1::2] != single.ids).mean() < 0.003
