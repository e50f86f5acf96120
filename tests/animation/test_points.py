"""Points that are carried along: where they go is known, and each way to be lost is found."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffbench.animation.points import carry_points
from ffbench.flows import Flows, NumpyFlows

HEIGHT, WIDTH = 40, 60
FRAMES = [np.full((HEIGHT, WIDTH, 3), number, np.uint8) for number in range(6)]


def moves(shift: tuple[float, float], wrong: slice | None = None) -> Callable[[np.ndarray, np.ndarray], NumpyFlows]:
    """All moves by `shift` a frame; in the columns `wrong` the flow back does not agree."""

    def estimate(image1: np.ndarray, image2: np.ndarray) -> NumpyFlows:
        sign = 1 if image2[0, 0, 0] > image1[0, 0, 0] else -1
        flow = np.tile(np.array(shift, np.float32) * sign, (HEIGHT, WIDTH, 1))
        if sign < 0 and wrong is not None:
            flow[:, wrong] += 5
        return Flows(flow)

    return estimate


@given(x=st.floats(0, WIDTH - 1), y=st.floats(0, HEIGHT - 1), u=st.floats(-9, 9), v=st.floats(-9, 9))
def test_a_point_goes_with_the_flow_until_it_leaves(x: float, y: float, u: float, v: float) -> None:
    steps = list(carry_points([(x, y)], FRAMES, moves((u, v))))
    for number, step in enumerate(steps):
        expected = np.array([x + number * np.float32(u), y + number * np.float32(v)])
        slack = 1e-4
        inside = (expected > slack).all() and (expected < np.array([WIDTH - 1, HEIGHT - 1]) - slack).all()
        if np.isfinite(step.positions).all():
            np.testing.assert_allclose(step.positions[0], expected, atol=1e-4)
            assert step.errors[0] == pytest.approx(0, abs=1e-5)
        else:
            assert not inside
            assert step.left[0]
            assert number == len(steps) - 1  # nothing is left to be carried


def test_points_are_lost_where_there_and_back_do_not_agree() -> None:
    steps = list(carry_points([(5, 5), (20, 20)], FRAMES, moves((2, 0), wrong=slice(26, 40))))
    there = np.array([np.isfinite(step.positions[:, 0]) for step in steps])
    assert there[:, 0].all()
    # At x = 20, 22, 24 it is well; the step to 26 is the first whose flow back is wrong.
    assert there[:, 1].tolist() == [True, True, True, False, False, False]
    assert steps[3].errors[1] == pytest.approx(np.hypot(5, 5), abs=1e-5)
    assert not steps[3].left[1]
    assert np.isnan(steps[4].errors[1])
    # The control: who allows as much keeps it.
    kept = list(carry_points([(20, 20)], FRAMES, moves((2, 0), wrong=slice(26, 40)), tolerance=9))
    assert all(np.isfinite(step.positions).all() for step in kept)


def test_points_outside_of_the_first_frame_are_lost_at_once() -> None:
    first = next(carry_points([(-1, 5), (3, 3), (WIDTH, 0)], FRAMES, moves((0, 0))))
    assert np.isfinite(first.positions[:, 0]).tolist() == [False, True, False]
    assert first.left.tolist() == [True, False, True]


def test_a_longer_motion_may_miss_by_more() -> None:
    """A tenth of the motion there and back, beside the tolerance."""

    def estimate(image1: np.ndarray, image2: np.ndarray) -> NumpyFlows:
        forward = image2[0, 0, 0] > image1[0, 0, 0]
        return Flows(np.full((HEIGHT, WIDTH, 2), (8, 0) if forward else (-6, 0), np.float32))

    positions = [step.positions[0, 0] for step in carry_points([(5, 5)], FRAMES[:2], estimate, tolerance=0.5)]
    assert np.isnan(positions[1])  # misses by 2 px, 0.5 + 1.4 are allowed
    positions = [step.positions[0, 0] for step in carry_points([(5, 5)], FRAMES[:2], estimate, tolerance=0.7)]
    assert positions[1] == 13
