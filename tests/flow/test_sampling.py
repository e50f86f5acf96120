from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ffbench.errors import DataError
from ffbench.flow import sample_flow, sample_flow_file, write_flow
from ffbench.flow.formats.flo import map_flo
from tests.flow.strategies import examples, flows
from tests.reference.flow_sampling import sample_all_slowly

# Steps of 1/1024 px: often on a pixel or half way, and exact in both ways of computing the weights.
POINTS = hnp.arrays(
    np.float64,
    st.tuples(st.integers(0, 6), st.just(2)),
    elements=st.integers(-1536, 8192).map(lambda step: step / 1024),
)


@given(flow=flows(limit=1e4), points=POINTS, unknown=st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6))))
@examples()
def test_equals_the_sum_over_all_pixels(flow: np.ndarray, points: np.ndarray, unknown: list[tuple[int, int]]) -> None:
    for row, column in unknown:
        flow[row % flow.shape[0], column % flow.shape[1], (row + column) % 2] = 1e10
    values, valid = sample_flow(flow, points)
    expected, expected_valid = sample_all_slowly(flow, points)
    np.testing.assert_array_equal(valid, expected_valid)
    assert values.dtype == np.float64
    np.testing.assert_allclose(values, expected, rtol=0, atol=1e-10)


@given(
    slopes=hnp.arrays(np.float64, (2, 3), elements=st.integers(-64, 64)),
    points=hnp.arrays(np.float64, (5, 2), elements=st.floats(0, 5)),
)
@examples()
def test_exact_on_linear_flows(slopes: np.ndarray, points: np.ndarray) -> None:
    y, x = np.mgrid[:6, :6]
    flow = np.stack([a + b * x + c * y for a, b, c in slopes], axis=2).astype(np.float32)
    values, valid = sample_flow(flow, points)
    assert valid.all()
    np.testing.assert_allclose(values, slopes[:, 0] + points @ slopes[:, 1:].T, rtol=0, atol=1e-11)


def test_pixel_centres_give_the_pixels_and_need_no_neighbour() -> None:
    flow = np.full((3, 4, 2), 1e10, np.float32)
    flow[2, 3] = 5, -7  # the last corner, with unknown pixels around it
    values, valid = sample_flow(flow, [[3, 2], [2.5, 2], [3, 1.5], [2, 2]])
    np.testing.assert_array_equal(values[0], [5, -7])
    np.testing.assert_array_equal(valid, [True, False, False, False])
    assert np.isnan(values[1:]).all()


@pytest.mark.parametrize(
    "point", [(-1e-9, 0), (0, -1e-9), (3.000001, 0), (0, 2.000001), (np.nan, 0), (0, np.inf), (1e300, 0)]
)
def test_points_outside(point: tuple[float, float]) -> None:
    values, valid = sample_flow(np.ones((3, 4, 2), np.float32), [point])
    assert not valid.any()
    assert np.isnan(values).all()


def test_values_that_are_not_finite_count_as_unknown_in_arrays() -> None:
    flow = np.ones((2, 2, 2), np.float32)
    flow[1, 1, 0] = np.nan
    _, valid = sample_flow(flow, [[0.5, 0], [0.5, 0.5]])
    np.testing.assert_array_equal(valid, [True, False])


@pytest.mark.parametrize(
    ("flow", "points"), [((3, 4), (1, 2)), ((3, 4, 3), (1, 2)), ((3, 4, 2), (2,)), ((3, 4, 2), (1, 3))]
)
def test_shapes(flow: tuple[int, ...], points: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"expected a flow \(H, W, 2\) and points \(N, 2\)"):
        sample_flow(np.zeros(flow, np.float32), np.zeros(points))


@pytest.mark.parametrize("suffix", [".flo", ".flo5"])
def test_files_give_the_same(tmp_path: Path, suffix: str) -> None:
    rng = np.random.default_rng(5)
    flow = rng.normal(0, 9, (40, 50, 2)).astype(np.float32)
    points = rng.uniform(-2, 51, (68, 2))
    path = tmp_path / f"a{suffix}"
    write_flow(path, flow)
    values, valid = sample_flow_file(path, points, (40, 50))
    expected, expected_valid = sample_flow(flow, points)
    assert 20 < valid.sum() < 68
    np.testing.assert_array_equal(values, expected)
    np.testing.assert_array_equal(valid, expected_valid)
    with pytest.raises(DataError, match=r"transposed\?"):
        sample_flow_file(path, points, (50, 40))


def test_a_file_is_checked_where_it_is_read(tmp_path: Path) -> None:
    flow = np.ones((4, 4, 2), "<f4")
    flow[3, 3, 1] = np.nan
    path = tmp_path / "a.flo"
    path.write_bytes(b"PIEH" + np.array([4, 4], "<i4").tobytes() + flow.tobytes())
    values, _ = sample_flow_file(path, [[1.5, 2.0]])
    np.testing.assert_array_equal(values, [[1, 1]])
    with pytest.raises(DataError, match=r"a\.flo: flow values are NaN or infinite near x = 2\.5, y = 2\.75"):
        sample_flow_file(path, [[1.5, 2.0], [2.5, 2.75]])


def test_a_map_is_sampled_in_place(tmp_path: Path) -> None:
    flow = np.arange(32, dtype=np.float32).reshape(4, 4, 2)
    write_flow(tmp_path / "a.flo", flow)
    values, _ = sample_flow(map_flo(tmp_path / "a.flo"), [[1, 1], [2.5, 0]])
    np.testing.assert_array_equal(values, [[10, 11], [5, 6]])
