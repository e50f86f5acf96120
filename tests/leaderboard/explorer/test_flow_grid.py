"""The page of flows holds their values, and loads and runs nothing of a stranger's."""

from __future__ import annotations

import base64
import zlib

import numpy as np
import pytest

from ffbench.leaderboard.explorer.flow_grid import MAX_SIDE, UNIT, Tile, flow_grid, packed

RNG = np.random.default_rng(0)


def unpacked(text: str, width: int, height: int) -> np.ndarray:
    """As the page does: sums from the left in 16 bits."""
    steps = np.frombuffer(zlib.decompress(base64.b64decode(text)), "<i2").reshape(height, width, 2)
    return np.cumsum(steps, axis=1, dtype=np.int16)


@pytest.mark.parametrize(("size", "step"), [((20, 30), 1), ((200, MAX_SIDE + 1), 2), ((600, 400), 3)])
def test_values_come_back_to_the_hundredth(size: tuple[int, int], step: int) -> None:
    flow = RNG.normal(0, 30, (*size, 2)).astype(np.float32)
    text, width, height, found = packed(flow)
    assert found == step
    kept = flow[::step, ::step]
    assert kept.shape == (height, width, 2)
    np.testing.assert_allclose(unpacked(text, width, height) * UNIT, kept, atol=UNIT / 2 + 1e-4)


def test_a_value_beyond_the_range_is_not_unknown() -> None:
    flow = np.float32([[[1e4, -1e4], [np.nan, 0], [1e10, 0], [1, 2]]])
    values = unpacked(*packed(flow)[:3])[0]
    assert values.tolist() == [[32767, -32767], [-32768, -32768], [-32768, -32768], [100, 200]]


def test_names_are_text() -> None:
    evil = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
    flow = RNG.normal(0, 1, (8, 8, 2)).astype(np.float32)
    page = flow_grid([Tile(evil, "facial", flow, 1.0, evil), Tile("True", "facial", flow, 1.0)], dark=True)
    assert page.count("<script") == 1
    assert "<img src=x" not in page
    assert "http" not in page
    assert "@" not in page
