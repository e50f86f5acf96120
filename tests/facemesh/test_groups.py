"""The points by part of the face, and the 68 among them."""

from __future__ import annotations

import numpy as np
import pytest

from ffbench.facemesh.groups import BROWS, EYES, GROUPS, IBUG68, LIPS, NOSE, OVAL


def test_every_point_is_in_exactly_one_group() -> None:
    assert sorted(index for group in GROUPS.values() for index in group) == list(range(468))
    assert {name: len(group) for name, group in GROUPS.items()} == {
        "lips": 80,
        "eyes": 96,
        "brows": 20,
        "nose": 100,
        "oval": 36,
        "skin": 136,
    }


def test_the_68_are_distinct_and_in_their_groups() -> None:
    assert len(set(IBUG68)) == len(IBUG68) == 68
    for part, group in ((slice(0, 17), OVAL), (slice(17, 27), BROWS), (slice(27, 36), NOSE)):
        assert set(IBUG68[part]) <= set(group)
    assert set(IBUG68[36:48]) <= set(EYES)
    assert set(IBUG68[48:]) <= set(LIPS)


@pytest.mark.assets
def test_the_68_lie_as_the_68_do_on_a_real_face(still: np.ndarray) -> None:
    points = still[list(IBUG68)]
    x, y = points.T
    face = np.ptp(y)
    assert np.all(np.diff(y[:9]) > 0)  # down the jaw to the chin and up again
    assert np.all(np.diff(y[8:17]) < 0)
    assert np.all(np.diff(x[:17]) > 0)
    assert np.all(np.diff(x[17:27]) > 0)  # brows and nose base run from left to right
    assert np.all(np.diff(x[31:36]) > 0)
    assert np.all(np.diff(y[27:31]) > 0)
    for upper, lower in (((37, 38), (41, 40)), ((43, 44), (47, 46)), ((50, 51, 52), (58, 57, 56))):
        assert np.all(y[list(upper)] < y[list(lower)])
    assert y[17:27].max() < y[36:48].min() < y[30] < y[33] < y[48:].min() < y[8]
    steps = np.linalg.norm(np.diff(points[:17], axis=0), axis=1)
    assert steps.max() < 0.25 * face  # the jaw is divided, if not evenly
    assert steps.min() > 0.04 * face
