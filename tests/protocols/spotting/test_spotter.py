"""Where intervals are spotted, and which annotated ones they find."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffbench.protocols.spotting.matching import LEAST_IOU, iou, match
from ffbench.protocols.spotting.spotter import smoothed, spot
from tests.reference.spotting import count_matches, iou_of_sets

FRAMES = st.tuples(st.integers(0, 60), st.integers(0, 20)).map(lambda both: (both[0], both[0] + both[1]))


def apart(intervals: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the intervals that overlap none before them."""
    kept: list[tuple[int, int]] = []
    for low, high in sorted(intervals):
        if not kept or low > kept[-1][1]:
            kept.append((low, high))
    return kept


@given(FRAMES, FRAMES)
def test_iou_is_that_of_sets_of_frames(one: tuple[int, int], other: tuple[int, int]) -> None:
    assert iou(one, other) == pytest.approx(float(iou_of_sets(one, other)))
    assert iou(one, other) == iou(other, one)
    assert iou(one, one) == 1


@given(st.lists(FRAMES, max_size=8).map(apart), st.lists(FRAMES, max_size=8).map(apart))
def test_matches_are_those_of_the_challenge(spotted: list[tuple[int, int]], annotated: list[tuple[int, int]]) -> None:
    found = match(spotted, annotated)
    hits = [number for number in found if number is not None]
    assert len(hits) == len(set(hits))
    assert all(
        iou(spotted[at], annotated[number]) >= LEAST_IOU for at, number in enumerate(found) if number is not None
    )
    true, false, missed = count_matches(spotted, annotated)
    assert (len(hits), len(spotted) - len(hits), len(annotated) - len(hits)) == (true, false, missed)


def test_an_interval_is_found_once_and_half_is_enough() -> None:
    assert match([(1, 10), (1, 10)], [(1, 10)]) == [0, None]
    assert match([(1, 10)], [(1, 20)]) == [0]  # 10 of 20 frames
    assert match([(1, 10)], [(1, 21)]) == [None]
    assert match([], [(1, 2)]) == []


def curve(humps: list[int], window: int, frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Return starts and motion of a face that rises to each apex within a window and falls within another."""
    shown = np.zeros(frames + 1)
    for apex in humps:
        steps = np.abs(np.arange(frames + 1) - apex) / window
        shown = np.maximum(shown, np.clip(1 - steps, 0, 1))
    starts = np.arange(1, frames - window + 1)
    return starts, np.abs(shown[starts + window] - shown[starts]) + 0.01


@pytest.mark.parametrize("window", [4, 5, 12])
def test_two_humps_of_motion_are_one_interval_around_the_apex(window: int) -> None:
    apexes = [3 * window, 8 * window]
    starts, motion = curve(apexes, window, 11 * window)
    found = spot(starts, motion, window, 11 * window)
    assert len(found) == 2
    for (low, high), apex in zip(found, apexes, strict=True):
        assert abs((low + high) / 2 - apex) <= 1
        assert iou((low, high), (apex - window, apex + window)) > 0.7


def test_nothing_is_spotted_where_nothing_stands_out() -> None:
    starts = np.arange(1, 30)
    assert spot(starts, np.zeros(29), 5, 34) == []
    assert spot(starts, np.full(29, 3.0), 5, 34) == []
    assert spot(np.array([1]), np.array([2.0]), 5, 6) == []


@given(
    st.lists(st.floats(0, 10), min_size=1, max_size=60),
    st.integers(1, 9),
    st.integers(0, 30),
)
def test_intervals_lie_in_the_clip_and_do_not_depend_on_the_unit(values: list[float], window: int, first: int) -> None:
    # Steps of 1/64 are exact, so that no rounding makes peaks of equal values.
    motion = np.round(np.array(values) * 64) / 64
    starts = np.arange(first, first + len(motion))
    last = int(starts[-1]) + window
    found = spot(starts, motion, window, last)
    assert found == sorted(found)
    assert all(first <= low <= high <= last and high - low <= 2 * window for low, high in found)
    middles = [(low + high) / 2 for low, high in found if low > first and high < last]
    assert all(after - before >= 2 * window for before, after in itertools.pairwise(middles))
    assert spot(starts, motion * 4, window, last) == found


def test_the_mean_is_over_frames_and_not_over_pairs() -> None:
    starts, motion = np.array([1, 3, 5, 20]), np.array([1.0, 2.0, 6.0, 100.0])
    slow = [np.mean([m for s, m in zip(starts, motion, strict=True) if abs(s - at) <= 4]) for at in starts]
    assert np.allclose(smoothed(starts, motion, 4), slow)
