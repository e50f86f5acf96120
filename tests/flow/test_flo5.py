from __future__ import annotations

import tracemalloc
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffbench.errors import DataError
from ffbench.flow.files import read_flow, write_flow
from ffbench.flow.formats.flo5 import read_flo5
from tests.flow.strategies import examples, flows

FLOW = np.random.default_rng(3).normal(0, 5, (20, 30, 2)).astype(np.float32)


@given(flow=flows())
@examples(30)
def test_round_trip_is_exact(tmp_path_factory: pytest.TempPathFactory, flow: np.ndarray) -> None:
    path = tmp_path_factory.mktemp("flo5") / "a.flo5"
    write_flow(path, flow)
    assert read_flow(path).tobytes() == flow.tobytes()
    with h5py.File(path) as file:
        assert file["flow"].dtype == np.float32
        assert file["flow"].shape == flow.shape


@pytest.mark.parametrize("options", [{}, {"compression": "gzip", "compression_opts": 5}, {"chunks": (7, 30, 1)}])
@pytest.mark.parametrize("libver", ["earliest", "v110"])
@pytest.mark.parametrize("dtype", ["<f4", ">f4"])
def test_reads_what_others_write(tmp_path: Path, options: dict, libver: str, dtype: str) -> None:
    path = tmp_path / "a.flo5"
    with h5py.File(path, "w", libver=libver) as file:
        file.create_dataset("flow", data=FLOW.astype(dtype), **options)
    flow = read_flo5(path, (20, 30))
    assert flow.dtype == np.float32
    np.testing.assert_array_equal(flow, FLOW)


def _store(path: Path, **datasets) -> Path:
    with h5py.File(path, "w") as file:
        for name, options in datasets.items():
            file.create_dataset(name, **options)
    return path


BAD_DATASETS = {
    "name": ({"disparity": {"data": FLOW}}, "has no dataset 'flow'"),
    "type": ({"flow": {"data": FLOW.astype(np.float64)}}, "'flow' holds float64, expected float32"),
    "integers": ({"flow": {"data": FLOW.astype(np.int32)}}, "'flow' holds int32, expected float32"),
    "strings": ({"flow": {"data": ["a", "b"]}}, "'flow' holds object, expected float32"),
    "channels": ({"flow": {"data": np.zeros((4, 5, 3), np.float32)}}, "has shape (4, 5, 3), expected (H, W, 2)"),
    "channels first": ({"flow": {"data": np.zeros((2, 4, 5), np.float32)}}, "has shape (2, 4, 5), expected (H, W, 2)"),
    "scalar": ({"flow": {"data": np.float32(1)}}, "has shape (), expected (H, W, 2)"),
    "empty": ({"flow": {"data": np.zeros((0, 5, 2), np.float32)}}, "5 x 0 pixels"),
    "no values": ({"flow": {"shape": (4, 5, 2), "dtype": "f4"}}, "parts of 'flow' are missing"),
    "no chunks": ({"flow": {"shape": (4, 5, 2), "dtype": "f4", "chunks": (2, 5, 2)}}, "parts of 'flow' are missing"),
}


@pytest.mark.parametrize("case", BAD_DATASETS)
def test_wrong_content_is_named(tmp_path: Path, case: str) -> None:
    datasets, message = BAD_DATASETS[case]
    path = _store(tmp_path / "bad.flo5", **datasets)
    with pytest.raises(DataError) as error:
        read_flo5(path)
    assert str(error.value).startswith(f"{path}: ")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_huge_shapes_allocate_nothing(tmp_path: Path) -> None:
    path = _store(tmp_path / "huge.flo5", flow={"shape": (10**6, 10**6, 2), "dtype": "f4", "chunks": (64, 64, 2)})
    tracemalloc.start()
    with pytest.raises(DataError, match="1000000 x 1000000 pixels"):
        read_flo5(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000


@pytest.mark.parametrize("link", [h5py.SoftLink("/other"), h5py.ExternalLink("other.h5", "/flow")])
def test_links_are_not_followed(tmp_path: Path, link: object) -> None:
    _store(tmp_path / "other.h5", flow={"data": FLOW})
    with h5py.File(tmp_path / "bad.flo5", "w") as file:
        file.create_dataset("other", data=FLOW)
        file["flow"] = link
    with pytest.raises(DataError, match="has no dataset 'flow'"):
        read_flo5(tmp_path / "bad.flo5")


def test_values_in_other_files_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "values.raw").write_bytes(FLOW.tobytes())
    path = tmp_path / "bad.flo5"
    _store(
        path, flow={"shape": FLOW.shape, "dtype": "f4", "external": [(str(tmp_path / "values.raw"), 0, FLOW.nbytes)]}
    )
    with pytest.raises(DataError, match="stored in other files"):
        read_flo5(path)


def test_a_group_is_no_flow(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "bad.flo5", "w") as file:
        file.create_group("flow")
    with pytest.raises(DataError, match="'flow' is not a dataset"):
        read_flo5(tmp_path / "bad.flo5")


def test_values_that_are_not_finite(tmp_path: Path) -> None:
    flow = FLOW.copy()
    flow[4, 5] = np.nan
    path = _store(tmp_path / "bad.flo5", flow={"data": flow})
    with pytest.raises(DataError, match=r"2 flow values are NaN or infinite \(first at row 4, column 5\)"):
        read_flo5(path)


def test_transposed(tmp_path: Path) -> None:
    write_flow(tmp_path / "a.flo5", FLOW)
    with pytest.raises(DataError, match=r"flow is 30 x 20 \(width x height\), expected 20 x 30: transposed\?"):
        read_flo5(tmp_path / "a.flo5", (30, 20))


@pytest.mark.parametrize("libver", ["earliest", "v110"])
def test_wrong_length_is_named(tmp_path: Path, libver: str) -> None:
    path = tmp_path / "a.flo5"
    with h5py.File(path, "w", libver=libver) as file:
        file.create_dataset("flow", data=FLOW)
    whole = path.read_bytes()
    for content, message in (
        (whole[:-1], f"{len(whole) - 1} bytes, expected {len(whole)} by its HDF5 header: cut short"),
        (whole + b"\0", f"{len(whole) + 1} bytes, expected {len(whole)} by its HDF5 header: bytes too many"),
        (whole[:20], "the HDF5 header is damaged or cut short"),
        (whole[:8], "the HDF5 header is damaged or cut short"),
        (whole[:8] + b"\x09" + whole[9:], "the HDF5 header is damaged or cut short"),
        (b"", "is not an HDF5 file"),
        (b"PIEH" + whole[4:], "is not an HDF5 file"),
    ):
        path.write_bytes(content)
        with pytest.raises(DataError, match=message):
            read_flo5(path)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.flo5: no such file"):
        read_flo5(tmp_path / "none.flo5")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("written") / "a.flo5"
    write_flow(path, FLOW)
    return path.read_bytes()


@given(data=st.data())
@examples(300)
def test_damage_is_found_or_does_no_harm(
    tmp_path_factory: pytest.TempPathFactory, written: bytes, data: st.DataObject
) -> None:
    """What write_flow wrote carries checksums: whatever byte changes, the flow is right or refused."""
    mutated = bytearray(written)
    for _ in range(data.draw(st.integers(1, 4))):
        mutated[data.draw(st.integers(0, len(written) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.sampled_from([None, None, -1, -64, len(written) // 2]))
    path = tmp_path_factory.mktemp("flo5") / "bad.flo5"
    path.write_bytes(mutated[:cut])
    try:
        flow = read_flo5(path)
    except DataError as error:
        assert str(path) in str(error)  # noqa: PT017
    else:
        assert cut is None
        np.testing.assert_array_equal(flow, FLOW)
