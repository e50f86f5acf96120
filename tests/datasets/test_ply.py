"""PLY files: what mesh libraries write is read, what is damaged or hostile is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ffbench.errors import DataError
from ffbench.formats.ply import Mesh, read_mesh, read_vertices, write_mesh
from tests.datasets.tracks_folder import dome, write_ply

VERTICES, TRIANGLES = dome()
ASCII = """ply
format ascii 1.0
comment by hand
element vertex 3
property double x
property double y
property double z
property uchar red
element face 1
property list uchar int vertex_indices
end_header
0 0.25 -1.5 7
1e-3 0 0 7
0 1 0 255
3 0 1 2
"""


def edited(path: Path, old: bytes, new: bytes) -> Path:
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new, 1))
    return path


@pytest.fixture
def mesh(tmp_path: Path) -> Path:
    write_ply(tmp_path / "mesh.ply", VERTICES, TRIANGLES)
    return tmp_path / "mesh.ply"


def test_binary(mesh: Path) -> None:
    found = read_mesh(mesh)
    assert np.array_equal(found.vertices, VERTICES.astype(np.float32))
    assert np.array_equal(found.triangles, TRIANGLES)
    assert np.array_equal(read_vertices(mesh), found.vertices)
    assert (found.vertices.dtype, found.triangles.dtype) == (np.float64, np.int32)


def test_what_is_written_is_read_to_the_last_bit(tmp_path: Path) -> None:
    written = Mesh(VERTICES + np.pi * 1e-9, TRIANGLES.astype(np.int32))
    write_mesh(tmp_path / "own.ply", written)
    found = read_mesh(tmp_path / "own.ply")
    assert np.array_equal(found.vertices, written.vertices)
    assert np.array_equal(found.triangles, written.triangles)


def test_ascii(tmp_path: Path) -> None:
    path = tmp_path / "a.ply"
    for text in (ASCII, ASCII.replace("\n", "\r\n")):
        path.write_bytes(text.encode())
        found = read_mesh(path)
        assert found.vertices.tolist() == [[0, 0.25, -1.5], [0.001, 0, 0], [0, 1, 0]]
        assert found.triangles.tolist() == [[0, 1, 2]]


def test_binary_with_normals_and_colors_in_any_order(tmp_path: Path) -> None:
    kinds = [("nx", "<f4"), ("z", "<f8"), ("red", "u1"), ("x", "<f8"), ("y", "<f8")]
    rows = np.zeros(2, kinds)
    rows["x"], rows["y"], rows["z"] = [1, 2], [3, 4], [5, 6]
    names = {"<f4": "float32", "<f8": "double", "u1": "uchar"}
    header = "".join(f"property {names[kind]} {name}\n" for name, kind in kinds)
    path = tmp_path / "n.ply"
    path.write_bytes(
        f"ply\nformat binary_little_endian 1.0\nelement vertex 2\n{header}end_header\n".encode() + rows.tobytes()
    )
    assert read_vertices(path).tolist() == [[1, 3, 5], [2, 4, 6]]
    with pytest.raises(DataError, match="element face"):
        read_mesh(path)


def test_polygons_have_vertices_but_no_triangles(tmp_path: Path) -> None:
    path = tmp_path / "quad.ply"
    path.write_text(ASCII.replace("3 0 1 2", "4 0 1 2 2"))
    assert len(read_vertices(path)) == 3
    with pytest.raises(DataError, match="`face` 0 has 5 numbers"):
        read_mesh(path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"ply\n", b"obj\n", "expected a PLY file"),
        (b"binary_little_endian", b"binary_big_endian", "found binary_big_endian 1.0"),
        (b"element vertex 81", b"element vertex 999999999", "11999999988"),
        (b"element vertex 81", b"element vertex -1", "cannot be understood"),
        (b"element vertex 81", b"element vertex 9999999999999", "cannot be understood"),
        (b"property float x", b"property float w", "element vertex"),
        (b"property float y", b"property float x", "element vertex"),
        (b"property float y", b"property real y", "cannot be understood"),
        (b"property float z\n", b"property float z\nproperty float z\n", "twice"),
        (b"element face 128", b"element face 129", "expected 1677"),
    ],
)
def test_headers_that_lie(mesh: Path, old: bytes, new: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_mesh(edited(mesh, old, new))


def test_damaged_content(mesh: Path, tmp_path: Path) -> None:
    whole = mesh.read_bytes()
    mesh.write_bytes(whole[:700])
    with pytest.raises(DataError, match="expected 972"):
        read_vertices(mesh)
    write_ply(mesh, np.where(np.arange(243).reshape(81, 3) == 7, np.nan, VERTICES), TRIANGLES)
    with pytest.raises(DataError, match="vertex 2 has a coordinate that is not finite"):
        read_vertices(mesh)
    write_ply(mesh, VERTICES, TRIANGLES + 1)
    with pytest.raises(DataError, match="has vertex 81, but there are 81"):
        read_mesh(mesh)
    with pytest.raises(DataError, match="no such mesh"):
        read_mesh(tmp_path / "none.ply")
    mesh.write_text(ASCII.replace("0 1 0 255", "0 one 0 255"))
    with pytest.raises(DataError, match="not a number"):
        read_vertices(mesh)


@settings(max_examples=150)
@given(position=st.integers(0, 2800), value=st.binary(min_size=1, max_size=6), cut=st.integers(0, 2900))
def test_a_damaged_file_is_read_or_refused_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, position: int, value: bytes, cut: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.ply"
    write_ply(path, VERTICES, TRIANGLES)
    whole = path.read_bytes()
    path.write_bytes((whole[:position] + value + whole[position + len(value) :])[:cut])
    try:
        mesh = read_mesh(path)
    except DataError:
        return
    assert np.isfinite(mesh.vertices).all()
    assert mesh.triangles.max(initial=0) < len(mesh.vertices)
