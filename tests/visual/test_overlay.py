from __future__ import annotations

import numpy as np
import pytest

from ffbench.flow import UNKNOWN
from ffbench.visual.overlay import (
    FLOW_END,
    PALETTE,
    POINT,
    TRUE_END,
    arrow_stretch,
    draw_arrows,
    draw_points,
    draw_regions,
    region_colors,
)

GREY = np.full((40, 60, 3), 100, np.uint8)


def still() -> np.ndarray:
    return np.zeros((40, 60, 2), np.float32)


def changed(picture: np.ndarray) -> np.ndarray:
    return np.argwhere((picture != 100).any(axis=2))


def test_regions_are_half_image_half_color_and_others_stay() -> None:
    regions = np.zeros((40, 60), np.uint8)
    regions[:, 10:20], regions[:, 20:30] = 3, 200
    colors = region_colors({3: "nose", 7: "lips"})
    assert colors == {3: PALETTE[0], 7: PALETTE[1]}
    picture = draw_regions(GREY, regions, colors)
    np.testing.assert_array_equal(picture[5, 12], np.rint(50 + np.array(PALETTE[0]) / 2))
    untouched = regions != 3
    np.testing.assert_array_equal(picture[untouched], GREY[untouched])
    with pytest.raises(ValueError, match="expected regions"):
        draw_regions(GREY, regions[:5], colors)


def test_an_arrow_reaches_from_its_pixel_to_where_the_flow_leads() -> None:
    flow = still()
    flow[20, 20] = 10, 0
    rows, columns = changed(draw_arrows(GREY, flow, step=40, zoom=2)).T
    # The pixel's centre is at 2 * 20 + 0.5 of the enlarged picture; lines are 3 wide and the head wider.
    assert abs(int(columns.min()) - 39) <= 1
    assert abs(int(columns.max()) - 62) <= 1
    assert 40 <= rows.mean() <= 41
    stretched = changed(draw_arrows(GREY, flow, step=40, stretch=2, zoom=2))
    assert abs(int(stretched[:, 1].max()) - 82) <= 1


def test_no_arrow_where_the_flow_is_unknown_or_nothing() -> None:
    flow = still()
    flow[10, 10], flow[10, 30], flow[30, 10] = UNKNOWN, (np.nan, 1), (0.1, 0.1)
    assert not len(changed(draw_arrows(GREY, flow, step=20)))
    flow[30, 30] = 1e8, -1e8
    assert len(changed(draw_arrows(GREY, flow, step=20)))
    with pytest.raises(ValueError, match="expected a flow"):
        draw_arrows(GREY, flow[:5], step=20)


def test_points_and_their_ends_have_colors_of_their_own() -> None:
    points = np.array([[10.0, 10.0], [np.nan, 3.0], [1e12, 5.0]])
    true, found = points + np.array([8, 0]), points + np.array([0, 8])
    picture = draw_points(GREY, points, [(true, TRUE_END), (found, FLOW_END)], zoom=4)
    assert picture.shape == (160, 240, 3)
    assert tuple(picture[42, 42]) == POINT
    assert tuple(picture[42, 66]) == TRUE_END
    assert tuple(picture[66, 42]) == FLOW_END
    rows, columns = changed(picture).T
    assert 36 <= rows.min() <= rows.max() <= 80
    assert 36 <= columns.min() <= columns.max() <= 80


@pytest.mark.parametrize(("length", "expected"), [(100.0, 1), (16.0, 2), (1.0, 20), (0.35, 50), (1e-9, 5000)])
def test_arrows_are_stretched_by_round_numbers(length: float, expected: float) -> None:
    flow = still()
    flow[..., 0] = length
    assert arrow_stretch(flow, 16) == expected
