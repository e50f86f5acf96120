"""MATLAB's files are compared with scipy's reader and writer, which ffbench does not use."""

from __future__ import annotations

import io
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.io import loadmat, savemat
from scipy.sparse import csc_matrix

from ffbench.formats.mat import MatVariable, read_mat
from tests.flow.strategies import examples

KINDS = ["f8", "f4", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"]


def mat(variables: dict[str, object], packed: bool = False) -> bytes:
    content = io.BytesIO()
    savemat(content, variables, do_compression=packed)
    return content.getvalue()


def values(variables: list[MatVariable]) -> dict[str, np.ndarray]:
    return {variable.name: variable.values for variable in variables if variable.values is not None}


@pytest.mark.parametrize("packed", [False, True])
@given(data=st.data())
@examples(40)
def test_reads_what_scipy_reads(packed: bool, data: st.DataObject) -> None:
    shapes = hnp.array_shapes(min_dims=2, max_dims=4, max_side=4)
    arrays = data.draw(
        st.lists(hnp.arrays(st.sampled_from([np.dtype(kind) for kind in KINDS]), shapes), min_size=1, max_size=3)
    )
    content = mat({f"v{number}": array for number, array in enumerate(arrays)}, packed)
    ours, theirs = values(read_mat(content, 2**16)), loadmat(io.BytesIO(content))
    assert len(ours) == len(arrays)
    for name, array in ours.items():
        np.testing.assert_array_equal(array, theirs[name])


def test_what_is_no_plain_array_is_named_and_passed_over() -> None:
    others = {
        "text": "hello", "cells": np.array([1, "a"], object), "record": {"a": 1}, "sparse": csc_matrix(np.eye(3)),
        "both": np.array([[1 + 2j]]), "flow": np.zeros((2, 3, 2)),
    }  # fmt: skip
    found = read_mat(mat(others), 2**16)
    assert {variable.name: variable.kind for variable in found} == {
        "text": "char", "cells": "cell", "record": "struct", "sparse": "sparse", "both": "complex double",
        "flow": "double",
    }  # fmt: skip
    assert list(values(found)) == ["flow"]
    assert str(found[-1]) == "flow (2 x 3 x 2 double)"


def test_big_endian_and_numbers_stored_narrower_than_their_class() -> None:
    def element(kind: int, body: bytes) -> bytes:
        return struct.pack(">II", kind, len(body)) + body + bytes(-len(body) % 8)

    parts = [(6, struct.pack(">II", 6, 0)), (5, struct.pack(">ii", 2, 2)), (1, b"a"), (2, bytes([1, 2, 3, 4]))]
    content = b"MATLAB 5.0".ljust(124) + b"\x01\x00MI" + element(14, b"".join(element(*part) for part in parts))
    (variable,) = read_mat(content, 0)
    assert variable.kind == "double"
    assert variable.values is not None
    assert variable.values.tolist() == [[1, 3], [2, 4]]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "does not start as a MATLAB 5 file"),
        (bytes(128), "does not start as"),
        (b"MATLAB 7.3 MAT-file".ljust(512) + b"\x89HDF\r\n\x1a\n", r"7\.3 file \(HDF5\); save it with `save -v7`"),
        (mat({"a": np.ones((3, 3))})[:-4], "cut short"),
        (mat({"a": np.ones((3, 3))}, packed=True)[:-4], "cut short"),
        (mat({f"v{number}": 0.0 for number in range(1001)}), "more than 1000 variables"),
    ],
)
def test_other_files_are_refused(content: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_mat(content, 2**20)


def test_a_size_that_the_data_do_not_have_costs_nothing() -> None:
    content = bytearray(mat({"a": np.ones((3, 3))}))
    place = content.index(struct.pack("<ii", 3, 3))
    content[place : place + 8] = struct.pack("<ii", 2**31 - 1, 2**31 - 1)
    tracemalloc.start()
    with pytest.raises(ValueError, match="in 72 bytes"):
        read_mat(bytes(content), 2**20)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**16


def test_a_bomb_stops_at_its_bound() -> None:
    content = mat({"a": np.zeros((2000, 2000))}, packed=True)
    assert len(content) < 2**16
    tracemalloc.start()
    with pytest.raises(ValueError, match="unpacks to more than the 1048576 bytes"):
        read_mat(content, 2**20)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**22
    (variable,) = read_mat(content, 2**26)  # the control: it is sound
    assert variable.shape == (2000, 2000)
