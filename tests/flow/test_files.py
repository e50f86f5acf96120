from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

import ffbench
from ffbench.errors import DataError
from ffbench.flow import UNKNOWN, is_known, read_flow, read_flow_valid, write_flow

FLOW = np.arange(24, dtype=np.float32).reshape(3, 4, 2) / 64
SUFFIXES = [".flo", ".flo5", ".png", ".FLO"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_suffix_chooses_the_format(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    write_flow(path, FLOW)
    np.testing.assert_array_equal(read_flow(str(path), expected_size=(3, 4)), FLOW)
    start = {".flo": b"PIEH", ".flo5": b"\x89HDF", ".png": b"\x89PNG"}[suffix.lower()]
    assert path.read_bytes().startswith(start)
    assert [item.name for item in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("name", ["a.npz", "a", "a.flo.gz", "flo"])
def test_other_suffixes_are_refused(tmp_path: Path, name: str) -> None:
    for act in (lambda: read_flow(tmp_path / name), lambda: write_flow(tmp_path / name, FLOW)):
        with pytest.raises(DataError, match=r"expected one of \.flo, \.flo5, \.png"):
            act()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_unknown_pixels_are_kept(tmp_path: Path, suffix: str) -> None:
    flow = FLOW.copy()
    flow[1, 2] = UNKNOWN
    write_flow(tmp_path / f"a{suffix}", flow)
    back, valid = read_flow_valid(tmp_path / f"a{suffix}")
    np.testing.assert_array_equal(back, flow)
    expected = np.ones((3, 4), bool)
    expected[1, 2] = False
    np.testing.assert_array_equal(valid, expected)


@pytest.mark.parametrize("suffix", [".flo", ".flo5"])
def test_truth_may_be_unknown_where_predictions_may_not(tmp_path: Path, suffix: str) -> None:
    """Middlebury marks by 1e9 or more; flow_IO of the Spring benchmark and ptlflow write NaN."""
    path = tmp_path / f"a{suffix}"
    flow = np.random.default_rng(0).normal(size=(3, 5, 2)).astype(np.float32)
    marked = flow.copy()
    for column, (u, v) in enumerate([(np.nan, np.nan), (1, np.nan), (np.inf, 2), (1e9, 0), (0, -2e9)]):
        marked[1, column] = u, v
    if suffix == ".flo":
        path.write_bytes(b"PIEH" + np.array([5, 3], "<i4").tobytes() + marked.tobytes())
    else:
        with h5py.File(path, "w") as file:
            file.create_dataset("flow", data=marked, compression="gzip", compression_opts=5)
    read, known = read_flow_valid(path, (3, 5))
    expected = np.ones((3, 5), bool)
    expected[1] = False
    np.testing.assert_array_equal(known, expected)
    np.testing.assert_array_equal(read[known], flow[known])
    assert (read[~known] == UNKNOWN).all()
    with pytest.raises(DataError, match=r"4 flow values are NaN or infinite \(first at row 1, column 0\)"):
        read_flow(path)
    with pytest.raises(DataError, match=r"expected 3 x 5: transposed\?"):
        read_flow_valid(path, (5, 3))


def test_known_is_below_the_threshold() -> None:
    values = [0, -9.9e8, 1e9, -1e9, 1e10, np.nan, np.inf]
    flow = np.zeros((1, len(values), 2), np.float32)
    flow[0, :, 1] = values
    np.testing.assert_array_equal(is_known(flow)[0], [True, True, False, False, False, False, False])


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_flow_that_cannot_be_written_leaves_the_old_file(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    write_flow(path, FLOW)
    before = path.read_bytes()
    bad = FLOW.copy()
    bad[2, 1, 1] = np.nan
    for flow, message in (
        (bad, r"1 flow values are NaN or infinite \(first at row 2, column 1\); mark pixels .* not known by 1e\+10$"),
        (np.full((1, 1, 2), 1e300), "NaN or infinite"),
        (FLOW[:, :, 0], r"must be \(H, W, 2\) numbers, got \(3, 4\) float32"),
        (FLOW.transpose(2, 0, 1), r"must be \(H, W, 2\) numbers, got \(2, 3, 4\)"),
        (FLOW[:0], "4 x 0 pixels"),
        (FLOW.astype(complex), "complex128"),
        (FLOW.astype(str), "<U"),
    ):
        with pytest.raises(DataError, match=message) as error:
            write_flow(path, flow)
        assert str(error.value).startswith(f"{path}: ")
        assert path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


def test_other_layouts_and_types_are_written_as_values(tmp_path: Path) -> None:
    for flow in (FLOW.astype(np.float64), FLOW.astype(">f4"), np.asfortranarray(FLOW), FLOW.tolist()):
        write_flow(tmp_path / "a.flo", flow)
        np.testing.assert_array_equal(read_flow(tmp_path / "a.flo"), FLOW)
    write_flow(tmp_path / "a.flo", FLOW[:, ::-1])
    np.testing.assert_array_equal(read_flow(tmp_path / "a.flo"), FLOW[:, ::-1])


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"a\.flo: cannot be written"):
        write_flow(tmp_path / "file" / "a.flo", FLOW)


def test_names_of_the_package() -> None:
    assert ffbench.read_flow is read_flow
    assert set(dir(ffbench.flow)) == set(ffbench.flow.__all__)
    for name in ffbench.flow.__all__:
        assert getattr(ffbench.flow, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = ffbench.flow.nothing


def test_reading_imports_nothing_heavy(tmp_path: Path) -> None:
    write_flow(tmp_path / "a.flo", FLOW)
    code = (
        "import sys; from ffbench.flow import read_flow; read_flow(sys.argv[1]);"
        "print(sorted({'torch', 'numba', 'cv2', 'h5py', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "a.flo"], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
