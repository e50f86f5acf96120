"""Jitter of made-up tracks whose noise is known."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffbench.errors import DataError
from ffbench.facemesh.jitter import epe_floor, jitter


def made_up(sigma: npt.ArrayLike, frames: int = 200, points: int = 60, seed: int = 0) -> npt.NDArray[np.float64]:
    """Points that swing by 15 px every 40 frames, with Gaussian noise."""
    generator = np.random.default_rng(seed)
    time = np.arange(frames)[:, None, None]
    phase = generator.uniform(0, 2 * math.pi, (1, points, 2))
    swing = 15 * np.sin(2 * math.pi * time / 40 + phase)
    noise = generator.normal(0, 1, (frames, points, 2)) * np.reshape(sigma, (1, -1, 1))
    return generator.uniform(0, 300, (1, points, 2)) + swing + noise


@pytest.mark.parametrize("sigma", [0.05, 0.2, 1.0])
def test_known_noise_is_found(sigma: float) -> None:
    found = jitter(list(made_up(sigma)))
    assert found.shape == (60,)
    assert found.mean() == pytest.approx(sigma, rel=0.04)


def test_each_point_has_its_own() -> None:
    sigma = np.linspace(0.1, 1.0, 400)
    np.testing.assert_allclose(jitter(list(made_up(sigma, frames=2000, points=400))), sigma, rtol=0.15)


def test_jumps_and_lost_frames_hardly_matter() -> None:
    points = made_up(0.2)
    points[::25] += 30.0  # blinks, cuts: one frame in 25
    frames: list[npt.NDArray[np.float64] | None] = list(points)
    frames[60:70] = [None] * 10
    assert jitter(frames).mean() == pytest.approx(0.2, rel=0.35)
    still = list(made_up(0.2))
    still[60:70] = [None] * 10  # type: ignore[list-item]
    assert jitter(still).mean() == pytest.approx(0.2, rel=0.04)


def test_a_camera_that_shakes_is_no_jitter_of_the_points() -> None:
    points = made_up(0.1)
    shake = np.random.default_rng(3).normal(0, 2.0, (len(points), 1, 2))
    np.testing.assert_allclose(jitter(list(points + shake)), jitter(list(points)), atol=1e-9)


def test_two_points_are_enough() -> None:
    assert jitter(list(made_up(0.3, frames=4000, points=2))).mean() == pytest.approx(0.3, rel=0.1)


def test_smooth_motion_is_no_jitter() -> None:
    time = np.arange(30.0)[:, None, None]
    cubic = 0.01 * time**3 - 0.2 * time**2 + 5 * time + np.zeros((1, 4, 2))
    np.testing.assert_allclose(jitter(list(cubic)), 0, atol=1e-10)


@given(scale=st.floats(0.01, 100), shift=st.floats(-1000, 1000))
def test_jitter_scales_with_the_image_and_does_not_move_with_it(scale: float, shift: float) -> None:
    points = made_up(0.3, frames=30, points=5)
    np.testing.assert_allclose(jitter(list(points * scale + shift)), jitter(list(points)) * scale, rtol=1e-6)


def test_floor_is_the_error_of_a_perfect_flow() -> None:
    generator = np.random.default_rng(1)
    noise = generator.normal(0, 0.25, (2, 200_000, 2))
    error = np.linalg.norm(noise[1] - noise[0], axis=1).mean()
    assert epe_floor(0.25) == pytest.approx(error, rel=5e-3)
    assert epe_floor(np.array([0.2, 0.3])) == pytest.approx(epe_floor(0.25))


@pytest.mark.parametrize("lost", [[], [2], [1, 4, 7]])
def test_too_few_frames_are_refused(lost: list[int]) -> None:
    count = 4 if not lost else 3 * len(lost)
    frames: list[npt.NDArray[np.float64] | None] = [np.zeros((3, 2))] * count
    for index in lost:
        frames[index] = None
    with pytest.raises(DataError, match="5 frames in a row"):
        jitter(frames)
