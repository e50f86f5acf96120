from __future__ import annotations

import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffbench.errors import DataError
from ffbench.flow.files import read_flow, write_flow
from ffbench.flow.formats.flo import map_flo, read_flo
from tests.flow.strategies import examples, flows

READERS = [read_flo, map_flo]
FLOW = np.array([[[1.5, -2.0], [0.0, 1e10], [3.25, 4.0]], [[-0.0, 0.5], [7.0, 8.0], [1e-30, -512.0]]], np.float32)


def content(width: int = 3, height: int = 2, magic: bytes = b"PIEH", data: bytes | None = None) -> bytes:
    return magic + struct.pack("<ii", width, height) + (FLOW.tobytes() if data is None else data)


def test_the_bytes_are_those_of_the_format(tmp_path: Path) -> None:
    write_flow(tmp_path / "a.flo", FLOW)
    assert (tmp_path / "a.flo").read_bytes() == content()
    assert struct.unpack("<f", b"PIEH") == (202021.25,)


@pytest.mark.parametrize("read", READERS)
def test_reads_what_is_in_the_file(tmp_path: Path, read) -> None:
    path = tmp_path / "a.flo"
    path.write_bytes(content())
    flow = read(path, (2, 3))
    assert flow.shape == (2, 3, 2)
    assert flow.dtype == np.float32
    assert flow.tobytes() == FLOW.tobytes()


def test_a_map_cannot_be_written_to(tmp_path: Path) -> None:
    write_flow(tmp_path / "a.flo", FLOW)
    with pytest.raises(ValueError, match="read-only"):
        map_flo(tmp_path / "a.flo")[0, 0, 0] = 1


@given(flow=flows())
@examples()
def test_round_trip_is_exact(tmp_path_factory: pytest.TempPathFactory, flow: np.ndarray) -> None:
    path = tmp_path_factory.mktemp("flo") / "a.flo"
    write_flow(path, flow)
    assert read_flow(path).tobytes() == flow.tobytes()
    assert map_flo(path).tobytes() == flow.tobytes()


BAD = {
    "empty": (b"", "0 bytes, expected at least 12"),
    "header only": (content()[:12], "12 bytes, expected 60 for 3 x 2 pixels: cut short"),
    "cut short": (content()[:-1], "59 bytes, expected 60 for 3 x 2 pixels: cut short"),
    "too long": (content() + b"abc", "63 bytes, expected 60 for 3 x 2 pixels: 3 bytes too many"),
    "magic": (content(magic=b"PIEJ"), "starts with b'PIEJ', expected b'PIEH'"),
    "big-endian": (b"HEIP" + struct.pack(">ii", 3, 2) + FLOW.astype(">f4").tobytes(), "bytes are swapped"),
    "swapped dimensions": (b"PIEH" + struct.pack(">ii", 3, 2) + FLOW.tobytes(), "50331648 x 33554432 pixels"),
    "negative": (content(width=-3), "-3 x 2 pixels"),
    "zero": (content(width=0, data=b""), "0 x 2 pixels"),
    "huge": (content(width=2**31 - 1, height=2**31 - 1), "2147483647 x 2147483647 pixels"),
    "product overflows 32 bits": (content(width=16384, height=16384), "16384 x 16384 pixels"),
}


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("case", BAD)
def test_damage_is_named(tmp_path: Path, read, case: str) -> None:
    path = tmp_path / "bad.flo"
    data, message = BAD[case]
    path.write_bytes(data)
    with pytest.raises(DataError) as error:
        read(path)
    assert str(error.value).startswith(f"{path}: ")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite(tmp_path: Path, value: float) -> None:
    flow = FLOW.copy()
    flow[1, 2, 0] = value
    path = tmp_path / "bad.flo"
    path.write_bytes(content(data=flow.tobytes()))
    with pytest.raises(DataError, match=r"bad\.flo: 1 flow values are NaN or infinite \(first at row 1, column 2\)"):
        read_flo(path)


@pytest.mark.parametrize("read", READERS)
def test_size_that_was_not_expected(tmp_path: Path, read) -> None:
    path = tmp_path / "a.flo"
    path.write_bytes(content())
    with pytest.raises(DataError, match=r"flow is 3 x 2 \(width x height\), expected 2 x 3: transposed\?"):
        read(path, (3, 2))
    with pytest.raises(DataError, match=r"flow is 3 x 2 \(width x height\), expected 4 x 2$"):
        read(path, (2, 4))


@pytest.mark.parametrize("read", READERS)
def test_no_file(tmp_path: Path, read) -> None:
    with pytest.raises(DataError, match=r"none\.flo: no such file"):
        read(tmp_path / "none.flo")
    (tmp_path / "folder.flo").mkdir()
    with pytest.raises(DataError, match=r"folder\.flo: "):
        read(tmp_path / "folder.flo")


@pytest.mark.parametrize("read", READERS)
def test_a_header_allocates_nothing(tmp_path: Path, read) -> None:
    path = tmp_path / "bad.flo"
    path.write_bytes(content(width=8192, height=8192))
    tracemalloc.start()
    with pytest.raises(DataError, match="cut short"):
        read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200_000


@given(
    position=st.integers(0, len(content()) - 1),
    byte=st.integers(0, 255),
    cut=st.integers(-8, 8),
)
@examples()
def test_damaged_header_or_length_is_never_accepted(
    tmp_path_factory: pytest.TempPathFactory, position: int, byte: int, cut: int
) -> None:
    data = bytearray(content())
    data[position] = byte
    mutated = bytes(data[:cut] if cut < 0 else data + bytes(cut))
    path = tmp_path_factory.mktemp("flo") / "bad.flo"
    path.write_bytes(mutated)
    sound = mutated[:12] == content()[:12] and len(mutated) == len(content())
    for read in READERS:
        try:
            flow = read(path)
        except DataError:
            assert not sound or not np.isfinite(np.frombuffer(mutated[12:], "<f4")).all()
        else:
            assert sound
            assert flow.tobytes() == mutated[12:]


@given(data=st.binary(max_size=80))
@examples()
def test_any_bytes_give_a_data_error_or_a_flow(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("flo") / "any.flo"
    path.write_bytes(b"PIEH" + data)
    try:
        flow = read_flo(path)
    except DataError:
        return
    assert flow.tobytes() == data[8:]
