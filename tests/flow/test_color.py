from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ffbench.flow import UNKNOWN, color_wheel_legend, flow_to_color
from ffbench.packages.torchvision_ops import make_importable
from tests.flow.strategies import examples, flows
from tests.reference.flow_color import color_slowly, wheel


def color(u: float, v: float, max_magnitude: float | None = None) -> tuple[int, ...]:
    return tuple(flow_to_color(np.array([[[u, v]]], np.float32), max_magnitude)[0, 0].tolist())


def test_wheel_has_55_hues() -> None:
    assert len(wheel()) == len(set(wheel())) == 55


def test_known_colors() -> None:
    assert color(0, 0) == (255, 255, 255)
    assert color(3, 0) == (255, 0, 0)  # right: red
    assert color(-3, 0) == (0, 209, 255)  # left: two of eleven steps from cyan to blue
    assert color(0, 3) == (255, 229, 0)  # down: one and a half of 15 steps before yellow
    assert color(0, -3) == (88, 0, 255)  # up: violet
    assert color(1, 0, 2) == (255, 127, 127)  # half the length: half as saturated
    assert color(3, 0, 2) == (191, 0, 0)  # too long: darker
    assert color(UNKNOWN, 0) == color(0, -1e9) == color(np.nan, 0) == color(np.inf, 0) == (0, 0, 0)


@given(flow=flows(limit=100), limit=st.floats(0.1, 200))
@examples()
def test_equals_one_pixel_at_a_time(flow: np.ndarray, limit: float) -> None:
    picture = flow_to_color(flow, limit)
    assert picture.dtype == np.uint8
    for row, column in np.ndindex(*flow.shape[:2]):
        u, v = (float(value) for value in flow[row, column])
        expected = color_slowly(u, v, limit)
        assert np.abs(np.array(expected) - picture[row, column]).max() <= 1


@given(flow=flows(limit=100))
@examples()
def test_default_scale_is_the_longest_known_flow(flow: np.ndarray) -> None:
    longest = float(np.hypot(*np.moveaxis(flow.astype(np.float64), 2, 0)).max())
    with_hole = np.concatenate([flow, np.full((1, flow.shape[1], 2), UNKNOWN, np.float32)])
    picture = flow_to_color(with_hole)
    np.testing.assert_array_equal(picture[:-1], flow_to_color(flow, longest or 1))
    assert not picture[-1].any()


def test_agrees_with_torchvision() -> None:
    make_importable()
    from torchvision.utils import flow_to_image

    flow = np.random.default_rng(2).normal(0, 10, (60, 70, 2)).astype(np.float32)
    theirs = flow_to_image(torch.from_numpy(flow.transpose(2, 0, 1).copy())).numpy().transpose(1, 2, 0)
    assert np.abs(flow_to_color(flow).astype(int) - theirs).max() <= 1


def test_agrees_with_mmcv() -> None:
    make_importable()
    mmcv = pytest.importorskip("mmcv")
    flow = np.random.default_rng(2).normal(0, 10, (60, 70, 2)).astype(np.float32)
    flow[0, 0] = UNKNOWN
    theirs = np.round(mmcv.flow2rgb(flow, unknown_thr=1e6) * 255)
    assert np.abs(flow_to_color(flow).astype(int) - theirs).max() <= 2


def test_legend_is_a_disc_of_all_directions() -> None:
    legend = color_wheel_legend(101)
    assert legend.shape == (101, 101, 3)
    assert tuple(legend[50, 50]) == (255, 255, 255)
    assert tuple(legend[0, 0]) == (255, 255, 255)
    offset = 100 / 101
    for (row, column), direction in {(50, 100): (1, 0), (100, 50): (0, 1), (50, 0): (-1, 0), (0, 50): (0, -1)}.items():
        expected = color_slowly(direction[0] * offset, direction[1] * offset, 1)
        assert np.abs(legend[row, column].astype(int) - expected).max() <= 1


def test_bad_arguments() -> None:
    with pytest.raises(ValueError, match="expected a flow"):
        flow_to_color(np.zeros((3, 4, 3), np.float32))
    for limit in (0, -1, np.nan, np.inf):
        with pytest.raises(ValueError, match="must be positive"):
            flow_to_color(np.zeros((3, 4, 2), np.float32), limit)
