"""Triangle meshes in PLY files, as mesh libraries write them: ASCII or binary little-endian."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ffbench.errors import DataError
from ffbench.io.archives.member_path import DatasetPath, as_dataset_path
from ffbench.io.atomic import write_bytes
from ffbench.io.bounds import names_file_if_out_of_memory, read_bounded

MAX_BYTES = 2**26
"""A mesh of 5,023 vertices with normals and colors has half a megabyte."""
_MAX_HEADER_BYTES = 2**14
_LONGEST_LINE = 2**12
_TYPES = {
    **{"char": "i1", "uchar": "u1", "short": "<i2", "ushort": "<u2", "int": "<i4", "uint": "<u4"},
    **{"int8": "i1", "uint8": "u1", "int16": "<i2", "uint16": "<u2", "int32": "<i4", "uint32": "<u4"},
    **{"float": "<f4", "double": "<f8", "float32": "<f4", "float64": "<f8"},
}
_END = re.compile(rb"\nend_header\r?\n")


@dataclass(frozen=True)
class Mesh:
    """Vertices (N, 3) float64 in the file's unit, and triangles (M, 3) int32."""

    vertices: npt.NDArray[np.float64]
    triangles: npt.NDArray[np.int32]


@dataclass(frozen=True)
class _Element:
    name: str
    count: int
    scalars: list[tuple[str, str]]
    """Name and numpy type of each property that is one number."""
    lists: list[tuple[str, str]]
    """Numpy types of length and items of each property that is a list."""


@names_file_if_out_of_memory
def read_vertices(path: DatasetPath | str) -> npt.NDArray[np.float64]:
    """Read the vertices (N, 3) of a mesh; its faces may be of any form.

    Raises:
        DataError: as `read_mesh`, for the vertices.
    """
    path = as_dataset_path(path)
    binary, elements, body = _open(path)
    return _vertices(path, binary, elements, body)


@names_file_if_out_of_memory
def read_mesh(path: DatasetPath | str) -> Mesh:
    """Read vertices and triangles of a mesh.

    Raises:
        DataError: the file is missing, larger than `MAX_BYTES`, not ASCII or binary little-endian PLY, shorter than
            its header says, has a coordinate that is not finite, or faces that are not triangles of its vertices.
    """
    path = as_dataset_path(path)
    binary, elements, body = _open(path)
    vertices = _vertices(path, binary, elements, body)
    face = elements[1] if len(elements) > 1 else None
    if face is None or face.name != "face" or face.scalars or len(face.lists) != 1:
        raise DataError(path, "expected `element face` with one list of vertices after the vertices, and no more")
    if binary:
        length, item = face.lists[0]
        rows = _rows(path, body, np.dtype([("length", length), ("corners", item, 3)]), face)
        lengths, corners = rows["length"], rows["corners"].astype(np.int64)
    else:
        table = _table(path, body, face, columns=4)
        lengths, corners = table[:, 0], table[:, 1:].astype(np.int64)
    if (lengths != 3).any():
        raise DataError(path, f"face {int((lengths != 3).argmax())} is not a triangle; triangulate the mesh")
    if len(corners) and not (corners.min() >= 0 and corners.max() < len(vertices)):
        raise DataError(path, f"a face has vertex {corners.max()}, but there are {len(vertices)} vertices")
    return Mesh(vertices, np.ascontiguousarray(corners, np.int32))


def write_mesh(path: Path | str, mesh: Mesh) -> None:
    """Write a mesh as binary little-endian PLY, coordinates in float64, in place of what is there."""
    header = (
        "ply\nformat binary_little_endian 1.0\n"
        f"element vertex {len(mesh.vertices)}\nproperty double x\nproperty double y\nproperty double z\n"
        f"element face {len(mesh.triangles)}\nproperty list uchar int vertex_indices\nend_header\n"
    )
    faces = np.empty(len(mesh.triangles), [("length", "u1"), ("corners", "<i4", 3)])
    faces["length"], faces["corners"] = 3, mesh.triangles
    write_bytes(path, header.encode() + mesh.vertices.astype("<f8").tobytes() + faces.tobytes())


def _open(path: DatasetPath) -> tuple[bool, list[_Element], io.BytesIO]:
    """Return whether the file is binary, its elements, and the content, which stands at what follows the header."""
    too_large = f"larger than {MAX_BYTES} bytes, which no mesh of a face is"
    content = read_bounded(path, MAX_BYTES, too_large, missing="no such mesh; expected a PLY file")
    end = _END.search(content, 0, _MAX_HEADER_BYTES)
    if not content.startswith(b"ply") or end is None:
        raise DataError(path, "expected a PLY file (`ply` ... `end_header`), found something else")
    lines = [line.split() for line in content[: end.start()].decode("ascii", "replace").splitlines()]
    formats = [line[1:] for line in lines if line[:1] == ["format"]]
    if formats not in ([["ascii", "1.0"]], [["binary_little_endian", "1.0"]]):
        found = " ".join(formats[0]) if formats else "none"
        raise DataError(path, f"expected the PLY format ascii 1.0 or binary_little_endian 1.0, found {found}")
    body = io.BytesIO(content)
    body.seek(end.end())
    return formats[0][0] != "ascii", _elements(path, lines), body


def _elements(path: DatasetPath, lines: list[list[str]]) -> list[_Element]:
    elements: list[_Element] = []
    for line in lines:
        match line:
            case ["element", name, count] if count.isdecimal() and len(count) < 10:
                elements.append(_Element(name, int(count), [], []))
            case ["property", "list", length, item, _] if elements and {length, item} <= set(_TYPES):
                elements[-1].lists.append((_TYPES[length], _TYPES[item]))
            case ["property", kind, name] if elements and kind in _TYPES:
                elements[-1].scalars.append((name, _TYPES[kind]))
            case ["element" | "property", *_]:
                raise DataError(path, f"line {' '.join(line)[:60]!r} of the header cannot be understood")
    vertex = elements[0] if elements else None
    names = [name for name, _ in vertex.scalars] if vertex else []
    if vertex is None or vertex.name != "vertex" or vertex.lists or not {"x", "y", "z"} <= set(names):
        raise DataError(path, "expected `element vertex` with x, y and z first, found another header")
    if len(set(names)) < len(names):
        raise DataError(path, "the header names a property of vertices twice")
    return elements


def _vertices(path: DatasetPath, binary: bool, elements: list[_Element], body: io.BytesIO) -> npt.NDArray[np.float64]:
    """Read the vertices; the body stands at what follows them then."""
    vertex = elements[0]
    if binary:
        rows = _rows(path, body, np.dtype(vertex.scalars), vertex)
        points = np.empty((vertex.count, 3))
        for column, axis in enumerate("xyz"):
            points[:, column] = rows[axis]
    else:
        names = [name for name, _ in vertex.scalars]
        points = _table(path, body, vertex, len(names))[:, [names.index(axis) for axis in "xyz"]]
    if not np.isfinite(points).all():
        row = int((~np.isfinite(points).all(axis=1)).argmax())
        raise DataError(path, f"vertex {row} has a coordinate that is not finite")
    return points


def _rows(path: DatasetPath, body: io.BytesIO, kind: np.dtype[np.void], element: _Element) -> npt.NDArray[np.void]:
    content, start = body.getbuffer(), body.tell()
    needed, there = element.count * kind.itemsize, len(content) - start
    if there < needed:
        raise DataError(path, f"{there} bytes for {element.count} of `{element.name}`, expected {needed}")
    body.seek(start + needed)
    return np.frombuffer(content, kind, element.count, start)


def _table(path: DatasetPath, body: io.BytesIO, element: _Element, columns: int) -> npt.NDArray[np.float64]:
    # A number takes two bytes at least, so that the table cannot be larger than four times the file.
    if 2 * columns * element.count > body.getbuffer().nbytes:
        raise DataError(path, f"too short for {element.count} lines of `{element.name}`")
    table = np.empty((element.count, columns))
    for number in range(element.count):
        line = body.readline()
        if not line:
            raise DataError(path, f"{number} lines of `{element.name}`, expected {element.count}")
        row = line.split(maxsplit=columns)
        if len(row) != columns:
            found = len(line[:_LONGEST_LINE].split())
            raise DataError(path, f"`{element.name}` {number} has {found} numbers, expected {columns}")
        try:
            table[number] = row
        except ValueError as error:
            raise DataError(path, f"`{element.name}` holds something that is not a number ({error})") from error
    return table
