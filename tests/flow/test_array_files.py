"""Flows in `.npy`, `.mat` and `.pfm`: read exactly, and refused with a reason where they are something else."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from scipy.io import savemat

from ffbench.errors import DataError
from ffbench.flow import UNKNOWN, read_flow, read_flow_valid
from tests.flow.strategies import examples, flows

FLOW = np.arange(24, dtype=np.float32).reshape(3, 4, 2) / 64 - 0.1


def write_pfm(path: Path, flow: np.ndarray, order: str = "<") -> None:
    """As the format is defined: the lowest row first, three channels."""
    rows = [[(*pixel, 0.0) for pixel in row] for row in flow.tolist()][::-1]
    head = f"PF\n{flow.shape[1]} {flow.shape[0]}\n{-1.0 if order == '<' else 1.0}\n"
    path.write_bytes(head.encode() + np.array(rows, f"{order}f4").tobytes())


@given(flow=flows())
@examples(50)
def test_every_format_reads_as_it_was_written(flow: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("flow")
    for order in "<>":
        write_pfm(folder / "a.pfm", flow, order)
        np.testing.assert_array_equal(read_flow(folder / "a.pfm", flow.shape[:2]), flow)
    np.save(folder / "a.npy", np.asfortranarray(flow))
    savemat(folder / "a.mat", {"flow": flow})
    savemat(folder / "uv.mat", {"u": flow[:, :, 0].astype("f8"), "v": flow[:, :, 1].astype("f8")}, do_compression=True)
    for name in ("a.npy", "a.mat", "uv.mat"):
        read = read_flow(folder / name, flow.shape[:2])
        assert read.dtype == np.float32
        assert read.flags.c_contiguous
        np.testing.assert_array_equal(read, flow)


@pytest.mark.parametrize("kind", ["<f2", "<f4", ">f4", "<f8"])
def test_npy_of_any_float(tmp_path: Path, kind: str) -> None:
    flow = np.round(FLOW * 64).astype(kind)
    np.save(tmp_path / "a.npy", flow)
    np.testing.assert_array_equal(read_flow(tmp_path / "a.npy"), flow.astype(np.float32))


@pytest.mark.parametrize("lead", [(), (1,)])
def test_channels_may_come_first(tmp_path: Path, lead: tuple[int, ...]) -> None:
    first = FLOW.transpose(2, 0, 1).reshape(*lead, 2, 3, 4)
    np.save(tmp_path / "a.npy", first)
    savemat(tmp_path / "a.mat", {"flow": first})
    for name in (tmp_path / "a.npy", tmp_path / "a.mat"):
        np.testing.assert_array_equal(read_flow(name, (3, 4)), FLOW)


def refused(tmp_path: Path, name: str, array: object, match: str) -> DataError:
    path = tmp_path / name
    if name.endswith(".npy"):
        np.save(path, array, allow_pickle=True)  # type: ignore[arg-type]
    else:
        savemat(path, array if isinstance(array, dict) else {"flow": array})  # type: ignore[arg-type]
    with pytest.raises(DataError, match=match) as error:
        read_flow(path, (3, 4))
    return error.value


@pytest.mark.parametrize("name", ["a.npy", "a.mat"])
def test_what_is_no_flow_is_named(tmp_path: Path, name: str) -> None:
    picture = np.zeros((3, 4, 3), np.uint8)
    whole = np.zeros((3, 4, 2), np.int16)
    bad = FLOW.copy()
    bad[1, 2, 0] = np.nan
    if name == "a.npy":
        assert refused(tmp_path, name, picture, "3 channels: a picture of the flow in colors").fault == "wrong format"
        assert refused(tmp_path, name, np.array([FLOW, None], object), "pickled objects").fault == "damaged"
    else:
        refused(tmp_path, name, picture, r"holds flow \(3 x 4 x 3 uint8\)|a picture of the flow")
        refused(tmp_path, name, {"a": 1.0, "text": "x"}, r"holds a \(1 x 1 double\), text \(1 x 1 char\); expected one")
        refused(tmp_path, name, {"a": FLOW, "b": FLOW}, "named `flow`")
    assert refused(tmp_path, name, whole, "int16 numbers, which round a flow").fault == "wrong format"
    assert refused(tmp_path, name, FLOW.transpose(1, 0, 2), r"expected 4 x 3: transposed\?").fault == "wrong size"
    refused(tmp_path, name, FLOW[..., 0], "shape|holds flow")
    assert refused(tmp_path, name, bad, "1 flow values are NaN").fault == "not finite"
    refused(tmp_path, name, FLOW.astype("f8") * 1e300, "NaN or infinite")


def test_true_flows_may_mark_unknown_pixels(tmp_path: Path) -> None:
    flow = FLOW.copy()
    flow[1, 2] = np.nan
    np.save(tmp_path / "a.npy", flow)
    savemat(tmp_path / "a.mat", {"flow": flow})
    write_pfm(tmp_path / "a.pfm", flow)
    for name in ("a.npy", "a.mat", "a.pfm"):
        read, valid = read_flow_valid(tmp_path / name)
        assert (~valid).sum() == 1
        assert read[1, 2].tolist() == [UNKNOWN, UNKNOWN]


def test_nothing_in_an_npy_is_run(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self):  # type: ignore[no-untyped-def]
            return (Path.touch, (tmp_path / "ran",))

    np.save(tmp_path / "a.npy", np.array([Bomb()], object), allow_pickle=True)
    with pytest.raises(DataError, match="pickled objects"):
        read_flow(tmp_path / "a.npy")
    assert not (tmp_path / "ran").exists()
    pickle.loads(pickle.dumps(Bomb()))  # the control
    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("content", "reason", "fault"),
    [
        (b"PF\n4 3\n-1.0\n" + bytes(143), "143 bytes after the header, expected 144", "truncated"),
        (b"PF\n4 3\n-1.0\n" + bytes(145), "145 bytes after the header", "damaged"),
        (b"Pf\n4 3\n-1.0\n" + bytes(48), "one channel", "wrong format"),
        (b"PF\n4 3\n0\n" + bytes(144), "scale is b'0'", "damaged"),
        (b"P6\n4 3\n255\n" + bytes(36), "expected the header of a .pfm", "wrong format"),
        (b"PF\n3 4\n-1\n" + bytes(144), r"transposed\?", "wrong size"),
        (b"PF\n4 3\n-1\n" + bytes(9999), "10009 bytes, expected at most", None),
    ],
)
def test_other_pfm_files_are_refused(tmp_path: Path, content: bytes, reason: str, fault: str | None) -> None:
    (tmp_path / "a.pfm").write_bytes(content)
    with pytest.raises(DataError, match=reason) as error:
        read_flow(tmp_path / "a.pfm", (3, 4))
    assert error.value.fault == fault


@pytest.mark.parametrize("suffix", [".npy", ".mat", ".pfm"])
def test_more_bytes_than_a_flow_has_are_not_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    with path.open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(DataError, match=f"{2**40} bytes, expected at most"):
        read_flow(path, (3, 4))
    with pytest.raises(DataError, match=f"{2**40} bytes, expected at most"):
        read_flow(path)


@pytest.mark.parametrize("suffix", [".npy", ".mat", ".pfm"])
def test_a_file_that_is_not_there(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(DataError, match="no such file"):
        read_flow(tmp_path / f"a{suffix}")
