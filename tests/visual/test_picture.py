from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ffbench.errors import DataError
from ffbench.flow import UNKNOWN, color_wheel_legend, flow_to_color
from ffbench.visual.picture import error_picture, flow_picture, flow_scale, write_picture


def test_scale_passes_over_outliers_and_unknown_pixels() -> None:
    flow = np.zeros((100, 100, 2), np.float32)
    flow[:, :, 0] = np.linspace(0, 10, 10_000).reshape(100, 100)
    flow[0, :50] = 5000
    flow[99, 99] = UNKNOWN
    assert flow_scale(flow) == pytest.approx(9.95, abs=0.05)


def test_scale_of_several_flows_of_nothing_and_of_little() -> None:
    still, moving = np.zeros((4, 4, 2), np.float32), np.full((4, 4, 2), (3, -4), np.float32)
    assert flow_scale(still) == 1
    assert flow_scale(np.full((4, 4, 2), UNKNOWN, np.float32)) == 1
    assert flow_scale(still, moving) == 5
    dot = np.zeros((50, 50, 2), np.float32)
    dot[3, 3] = 0, 2
    assert flow_scale(dot) == 2


@pytest.mark.parametrize("size", [(40, 200), (60, 20)])
def test_picture_is_the_colored_flow_above_its_key(size: tuple[int, int]) -> None:
    flow = np.random.default_rng(0).normal(0, 3, (*size, 2)).astype(np.float32)
    picture = flow_picture(flow, 7.5)
    assert picture.shape[0] == size[0] + 60
    left = (picture.shape[1] - size[1]) // 2
    np.testing.assert_array_equal(picture[: size[0], left : left + size[1]], flow_to_color(flow, 7.5))
    key = picture[size[0] :]
    np.testing.assert_array_equal(key[6:54, 6:54], color_wheel_legend(48))
    text = (key[:, 60:] < 128).all(axis=2)
    assert text.any()
    # A margin on every side: the text was not cut off.
    assert not text[0].any()
    assert not text[-1].any()
    assert not text[:, -1].any()


def test_picture_states_its_scale() -> None:
    flow = np.ones((10, 150, 2), np.float32)
    keys = [flow_picture(flow, full)[10:] for full in (1.0, 1.0, 2.0)]
    np.testing.assert_array_equal(keys[0], keys[1])
    assert (keys[0] != keys[2]).any()


def test_errors_from_black_to_bright() -> None:
    error = np.array([[0, 1, 2, 4, 9, np.nan]], np.float32)
    picture = error_picture(error, ~np.isnan(error), 4)
    brightness = picture.sum(axis=2)[0]
    assert brightness[0] < 15
    assert (np.diff(brightness[:4].astype(int)) > 100).all()
    np.testing.assert_array_equal(picture[0, 3], picture[0, 4])
    np.testing.assert_array_equal(picture[0, 5], [128, 128, 128])
    assert picture[0, 3, 2] < picture[0, 3, 0]  # RGB: the bright end is yellow, not cyan


def test_pictures_are_written_as_png(tmp_path: Path) -> None:
    picture = np.random.default_rng(1).integers(0, 256, (7, 9, 3), np.uint8)
    write_picture(tmp_path / "new" / "a.png", picture)
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "new" / "a.png")), picture)
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"a\.png: cannot be written"):
        write_picture(tmp_path / "file" / "a.png", picture)
