from __future__ import annotations

import numpy as np
import pytest

from ffbench.texturing.fill import blend, push_pull

rng = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(64, 64), (48, 96), (33, 7), (1, 1)])
def test_what_is_known_stays_and_a_constant_is_continued(shape: tuple[int, int]) -> None:
    value = rng.uniform(0, 1, (*shape, 3)).astype(np.float32)
    weight = (rng.random(shape) < 0.3).astype(np.float32)
    weight[0, 0] = 1
    filled = push_pull(value, weight)
    assert filled.shape == value.shape
    assert np.array_equal(filled[weight == 1], value[weight == 1])
    constant = np.where(weight[..., None] > 0, np.float32(0.25), value)
    np.testing.assert_allclose(push_pull(constant, weight), 0.25, rtol=1e-5)


def test_a_hole_is_filled_with_values_between_those_around_it() -> None:
    ramp = np.broadcast_to(np.linspace(0, 1, 64, dtype=np.float32)[None, :, None], (64, 64, 1)).copy()
    weight = np.ones((64, 64), np.float32)
    weight[20:44, 20:44] = 0
    filled = push_pull(np.where(weight[..., None] > 0, ramp, 9), weight)
    inside = filled[20:44, 20:44]
    assert ramp[0, 19] <= inside.min() + 1e-6
    assert inside.max() <= ramp[0, 44] + 1e-6
    assert np.abs(inside - ramp[20:44, 20:44]).mean() < 0.06


def test_the_base_keeps_its_detail_and_takes_the_color_without_a_step() -> None:
    """The base is half as bright: beyond the border it is brought up, and its own pattern shows."""
    pattern = (0.2 + 0.02 * rng.standard_normal((128, 128, 3))).astype(np.float32)
    weight = np.zeros((128, 128), np.float32)
    weight[:, :64] = 1
    own = np.full((128, 128, 3), 0.4, np.float32)
    result = blend(own, weight, pattern, weight)
    np.testing.assert_array_equal(result[:, :64], own[:, :64])
    beyond = result[:, 64:]
    np.testing.assert_allclose(beyond.mean(axis=(0, 1)), 0.4, rtol=0.02)
    assert np.corrcoef(beyond.ravel(), pattern[:, 64:].ravel())[0, 1] > 0.95
