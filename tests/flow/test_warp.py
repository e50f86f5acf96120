from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffbench.flow import forward_backward_error, warp_backward
from tests.flow.strategies import examples, flows
from tests.reference.flow_warp import forward_backward_slowly, warp_slowly


@given(flow=flows(limit=4), seed=st.integers(0, 99), unknown=st.tuples(st.integers(0, 6), st.integers(0, 6)))
@examples(50)
def test_warp_equals_one_pixel_at_a_time(flow: np.ndarray, seed: int, unknown: tuple[int, int]) -> None:
    height, width = flow.shape[:2]
    flow[unknown[0] % height, unknown[1] % width] = 1e10
    image = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    warped, valid = warp_backward(image, flow)
    expected, expected_valid = warp_slowly(image, flow)
    np.testing.assert_array_equal(valid, expected_valid)
    assert warped.dtype == np.float32
    # Half a unit in the last place of float32 at 255 is 7.6e-6 grey levels.
    np.testing.assert_allclose(warped, expected, rtol=0, atol=8e-6)


def test_warp_brings_a_shifted_image_back() -> None:
    image1 = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    image2 = np.roll(image1, (2, 3), axis=(0, 1))  # content moves 3 px right and 2 px down
    warped, valid = warp_backward(image2, np.full((20, 30, 2), (3, 2), np.float32))
    expected = np.zeros((20, 30), bool)
    expected[:18, :27] = True
    np.testing.assert_array_equal(valid, expected)
    np.testing.assert_array_equal(warped[valid], image1[valid])
    assert np.isnan(warped[~valid]).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
def test_warp_of_grey_images_of_any_type(dtype: type) -> None:
    image = np.array([[0, 10, 40]], dtype)
    warped, valid = warp_backward(image, np.array([[[0.5, 0], [0.25, 0], [0, 0]]], np.float32))
    np.testing.assert_array_equal(warped, [[5, 17.5, 40]])
    assert warped.shape == (1, 3)
    assert valid.all()


@given(forward=flows(limit=3), seed=st.integers(0, 99))
@examples(50)
def test_forward_backward_equals_one_pixel_at_a_time(forward: np.ndarray, seed: int) -> None:
    backward = np.random.default_rng(seed).uniform(-3, 3, forward.shape).astype(np.float32)
    backward[seed % len(backward), 0] = 1e10
    forward[-1, -1, 0] = 1e10
    error, valid = forward_backward_error(forward, backward)
    expected, expected_valid = forward_backward_slowly(forward, backward)
    np.testing.assert_array_equal(valid, expected_valid)
    assert error.dtype == np.float32
    np.testing.assert_allclose(error, expected, rtol=0, atol=2e-6)


@given(u=st.integers(-5, 5), v=st.integers(-5, 5), du=st.integers(-5, 5))
@examples()
def test_forward_backward_of_constant_flows(u: int, v: int, du: int) -> None:
    forward = np.full((9, 9, 2), (u, v), np.float32)
    error, valid = forward_backward_error(forward, np.full((9, 9, 2), (du - u, -v), np.float32))
    assert valid.sum() == (9 - abs(u)) * (9 - abs(v))
    np.testing.assert_array_equal(error[valid], abs(du))
    assert np.isnan(error[~valid]).all()


def test_shapes() -> None:
    flow = np.zeros((3, 4, 2), np.float32)
    for image in (np.zeros((4, 3, 3)), np.zeros((3,)), np.zeros((3, 4, 3, 1))):
        with pytest.raises(ValueError, match="expected an image"):
            warp_backward(image, flow)
    for backward in (np.zeros((4, 3, 2)), np.zeros((3, 4))):
        with pytest.raises(ValueError, match="expected two flows"):
            forward_backward_error(flow, backward)
