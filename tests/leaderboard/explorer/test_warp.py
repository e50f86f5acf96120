"""Pictures moved by a flow: a known shift arrives, flows of a clip add up along their points, frames go to and fro."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from ffbench.leaderboard.explorer.warp import STEPS, animation, carried, moved, to_and_fro

SIZE = (40, 50)
ROWS, COLUMNS = np.mgrid[: SIZE[0], : SIZE[1]].astype(np.float32)


def smooth_image() -> np.ndarray:
    wave = 127 + 60 * np.sin(COLUMNS / 6) + 60 * np.cos(ROWS / 5)
    return np.repeat(wave[:, :, None], 3, axis=2).astype(np.uint8)


def shift(x: float, y: float) -> np.ndarray:
    return np.broadcast_to(np.float32([x, y]), (*SIZE, 2)).copy()


def test_a_shift_moves_every_pixel_there() -> None:
    image = smooth_image()
    result = moved(image, shift(3, -2))
    np.testing.assert_array_equal(result[:-2, 3:], image[2:, :-3])
    np.testing.assert_array_equal(moved(image, shift(0, 0)), image)


def test_the_position_is_that_which_the_flow_leads_from() -> None:
    """A zoom about the middle: content at p arrives at p + flow(p), not at the flow of where it arrives."""
    middle = np.float32([SIZE[1] / 2, SIZE[0] / 2])
    flow = (0.3 * (np.dstack([COLUMNS, ROWS]) - middle)).astype(np.float32)
    ramp = np.repeat(COLUMNS[:, :, None], 3, axis=2).astype(np.uint8)
    result = moved(ramp, flow).astype(float)[..., 0]
    expected = middle[0] + (COLUMNS - middle[0]) / 1.3
    inner = np.s_[8:-8, 8:-8]
    assert np.abs(result - expected)[inner].max() <= 1  # whole grey levels
    assert np.abs(ramp[..., 0] - 0.3 * (COLUMNS - middle[0]) - expected)[inner].max() > 1  # the control


def test_unknown_flow_moves_nothing() -> None:
    flow = shift(3, 0)
    flow[:, 25:] = np.nan
    image = smooth_image()
    np.testing.assert_array_equal(moved(image, flow)[:, 30:], image[:, 30:])


def test_flows_of_a_clip_add_up_along_the_points() -> None:
    # The second flow grows to the right: a point that the first one moved by 4 px gets what holds there.
    second = np.dstack([0.1 * COLUMNS, 0 * ROWS])
    first_to_last = carried([shift(4, 0), second])
    np.testing.assert_array_equal(first_to_last[0], shift(4, 0))
    np.testing.assert_allclose(first_to_last[1][:, :40, 0], 4 + 0.1 * (COLUMNS[:, :40] + 4), atol=1e-4)


@pytest.mark.parametrize("times", [1, 5])
def test_animations_go_to_the_whole_flow_and_back(times: int) -> None:
    image = smooth_image()
    frames = to_and_fro(image, shift(1, 0), times)
    assert len(frames) == 2 * STEPS
    np.testing.assert_array_equal(frames[0], image)
    np.testing.assert_array_equal(frames[STEPS][:, times:], image[:, :-times])
    np.testing.assert_array_equal(frames[1], frames[-1])
    with Image.open(io.BytesIO(animation(frames, 70))) as picture:
        assert (picture.format, picture.size) == ("WEBP", SIZE[::-1])
        # Frames that are alike, as those of a tenth of a pixel are, become one.
        assert getattr(picture, "n_frames", 1) == (len(frames) if times == 5 else 4)
