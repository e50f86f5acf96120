from __future__ import annotations

import numpy as np
import pytest

from ffbench.synth.render.sensor import Sensor, sample_sensor
from ffbench.synth.scenes.background import room, sample_background, wall

RAMP = np.repeat(np.linspace(0, 1.2, 240, dtype=np.float32)[None, :, None] * np.ones(3, np.float32), 40, axis=0)


def test_a_clean_sensor_follows_the_tone_curve() -> None:
    image = Sensor(contrast=0.0, blur=0, noise=0).record(RAMP, np.random.default_rng(0))
    light = RAMP[0, :, 0]
    dim = light < 0.8
    expected = 255 * light ** (1 / 2.2)
    assert np.abs(image[0, dim, 0] - expected[dim]).max() < 3
    assert (np.diff(image[0, :, 0].astype(int)) >= 0).all()
    assert image.max() >= 250
    assert np.ptp(image.astype(int), axis=2).max() == 0


def test_noise_has_the_strength_that_was_asked_for() -> None:
    grey = np.full((200, 200, 3), 0.18, np.float32)
    clean = Sensor(noise=0).record(grey, np.random.default_rng(0)).astype(float)
    noisy = Sensor(noise=4).record(grey, np.random.default_rng(0)).astype(float)
    assert abs((noisy - clean).mean()) < 0.6
    assert (noisy - clean).std() == pytest.approx(4 * (0.6 + 0.7 * clean.mean() / 255), rel=0.05)
    again = Sensor(noise=4).record(grey, np.random.default_rng(0))
    other = Sensor(noise=4).record(grey, np.random.default_rng(1))
    np.testing.assert_array_equal(noisy, again)
    assert (noisy != other).mean() > 0.5


def test_a_grey_sensor_has_three_equal_channels() -> None:
    light = np.random.default_rng(0).random((32, 48, 3)).astype(np.float32)
    image = Sensor(grey=True, noise=3).record(light, np.random.default_rng(0))
    np.testing.assert_array_equal(image[..., 0], image[..., 1])
    np.testing.assert_array_equal(image[..., 0], image[..., 2])


def test_jpeg_keeps_size_and_look() -> None:
    image = Sensor(noise=0).record(RAMP, np.random.default_rng(0))
    packed = Sensor(noise=0, jpeg=60).record(RAMP, np.random.default_rng(0))
    assert packed.shape == image.shape
    assert np.abs(packed.astype(int) - image).mean() < 3


def test_cameras_differ() -> None:
    sensors = [sample_sensor(np.random.default_rng(seed)) for seed in range(40)]
    assert {sensor.grey for sensor in sensors} == {True, False}
    assert sum(sensor.jpeg is None for sensor in sensors) in range(8, 33)


@pytest.mark.parametrize("make", [wall, room, sample_background])
def test_backgrounds_are_light_of_the_right_size(make) -> None:
    for seed in range(5):
        image = make(np.random.default_rng(seed), 45, 60)
        assert image.shape == (45, 60, 3)
        assert image.dtype == np.float32
        assert np.isfinite(image).all()
        assert image.min() > 0
        np.testing.assert_array_equal(image, make(np.random.default_rng(seed), 45, 60))
