import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ffbench.metrics.temporal import carried, chained, jitter_term
from ffbench.protocol import Term
from tests.reference import temporal as reference


def flows(seed, steps, size=(13, 17), motion=1.5):
    rng = np.random.default_rng(seed)
    found = rng.normal(0, motion, (steps, *size, 2)).astype(np.float32)
    found[:, 4, 6] = np.nan
    found[:, 9, 2] = 1e10
    return list(found)


def test_chains_agree_with_the_reference():
    first, second = flows(0, 2)
    found = chained(first, second)
    expected = [[reference.chained(first, second, x, y) for x in range(17)] for y in range(13)]
    known = np.array([[value is not None for value in row] for row in expected])
    assert 50 < known.sum() < known.size - 2
    np.testing.assert_array_equal(np.isfinite(found).all(axis=2), known)
    wanted = np.array([[value or (np.nan, np.nan) for value in row] for row in expected])
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5)


def test_tracks_and_their_jitter_agree_with_the_reference():
    steps = flows(1, 4, motion=0.4)
    points = np.random.default_rng(2).uniform(0, 12, (60, 2))
    tracks = carried(points, steps)
    expected = [reference.carried(x, y, steps) for x, y in points]
    for index, track in enumerate(expected):
        assert np.isfinite(tracks[:, index]).all() == (track is not None)
        if track is not None:
            np.testing.assert_allclose(tracks[:, index], track, rtol=1e-9, atol=1e-9)
    whole = [track for track in expected if track is not None]
    assert 10 < len(whole) < 60
    total, count = reference.jitter(whole)
    assert jitter_term(tracks) == Term(pytest.approx(total, rel=1e-9), count)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(*[st.floats(-20, 20)] * 4), min_size=6, max_size=6), st.floats(-30, 30))
def test_smooth_motion_and_a_shaking_camera_do_not_jitter(cubics, shake):
    time = np.arange(5.0) / 4
    powers = np.stack([time**k for k in range(4)])
    tracks = np.stack([np.stack([np.array(c) @ powers, -np.array(c) @ powers], axis=1) for c in cubics], axis=1)
    tracks += (shake * np.array([0, 1, -1, 1, 0]))[:, None, None]
    term = jitter_term(tracks)
    assert term.count == 12
    assert term.sum == pytest.approx(0, abs=1e-8)


@pytest.mark.parametrize("sigma", [0.05, 0.6])
def test_noise_of_the_steps_is_measured_by_its_deviation(sigma):
    steps = np.random.default_rng(3).normal(0, sigma, (4, 40_000, 2))
    tracks = np.concatenate([np.zeros((1, 40_000, 2)), np.cumsum(steps, axis=0)])
    term = jitter_term(tracks)
    assert term.sum / term.count == pytest.approx(sigma, rel=0.01)


def test_lost_points_do_not_count_and_other_shapes_are_refused():
    tracks = np.random.default_rng(4).normal(size=(5, 9, 2))
    lost = tracks.copy()
    lost[3, 2:] = np.nan
    assert jitter_term(lost) == jitter_term(tracks[:, :2])
    assert jitter_term(lost[:, 1:]) == Term(0, 0)
    with pytest.raises(ValueError, match="expected"):
        jitter_term(tracks[:4])
    with pytest.raises(ValueError, match="expected an image"):
        chained(np.zeros((3, 4, 2), np.float32), np.zeros((4, 4, 2), np.float32))
