"""Plain arrays of MATLAB's `.mat` files, version 5 (`save -v6` and `-v7`), that nobody has vouched for.

Format: The MathWorks, MAT-File Format, "Level 5 MAT-File Format". Structures, cells, objects and functions are passed
over by their lengths and never built; scipy's reader builds them, and reserves what a header asks for.
"""

from __future__ import annotations

import io
import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ffbench.io.bounds import inflated

HEADER_BYTES = 128
_HDF5 = b"\x89HDF\r\n\x1a\n"
_MATRIX, _COMPRESSED = 14, 15
_STORED = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
"""numpy's names of the types that numbers are stored in, which may be narrower than those of the array."""
_CLASSES = {6: "double", 7: "single", 8: "int8", 9: "uint8", 10: "int16", 11: "uint16", 12: "int32", 13: "uint32",
            14: "int64", 15: "uint64"}  # fmt: skip
_OTHER_CLASSES = {1: "cell", 2: "struct", 3: "object", 4: "char", 5: "sparse", 16: "function", 17: "object"}
_COMPLEX = 0x0800
MAX_VARIABLES = 1000
_MAX_AXES = 8


@dataclass(frozen=True)
class MatVariable:
    """A variable of a file: `kind` is MATLAB's class; `values`, in its shape, are None where it is no plain array."""

    name: str
    kind: str
    shape: tuple[int, ...]
    values: npt.NDArray[Any] | None

    def __str__(self) -> str:
        return f"{self.name[:40]} ({' x '.join(map(str, self.shape))} {self.kind})"


def read_mat(content: bytes, most_bytes: int) -> list[MatVariable]:
    """Read the variables of a `.mat` file of version 5; arrays of real numbers have values.

    Args:
        content: the file.
        most_bytes: what its packed variables may unpack to, all together.

    Raises:
        ValueError: another version, damaged or cut short, or more than `most_bytes` or `MAX_VARIABLES`; the message
            goes on after the name of the file.
    """
    if _HDF5 in content[:1024]:
        raise ValueError("is a MATLAB 7.3 file (HDF5); save it with `save -v7`, or as .npy")
    if len(content) < HEADER_BYTES or content[126:128] not in (b"IM", b"MI"):
        raise ValueError("does not start as a MATLAB 5 file does; save it with `save -v7`, or as .npy")
    order = "<" if content[126:128] == b"IM" else ">"
    variables: list[MatVariable] = []
    for kind, body in _elements(content[HEADER_BYTES:], order):
        if kind == _COMPRESSED:
            unpacked = _unpacked(body, most_bytes)
            most_bytes -= len(unpacked)
            parts = list(_elements(unpacked, order))
        else:
            parts = [(kind, body)]
        variables += [_variable(part, order) for inner, part in parts if inner == _MATRIX]
        if len(variables) > MAX_VARIABLES:
            raise ValueError(f"holds more than {MAX_VARIABLES} variables; it is refused")
    return variables


def _unpacked(body: bytes, most_bytes: int) -> bytes:
    blocks, length = [], 0
    for block in inflated(io.BytesIO(body), len(body)):
        length += len(block)
        if length > most_bytes:
            raise ValueError(f"unpacks to more than the {most_bytes} bytes that are taken; save the flow alone in it")
        blocks.append(block)
    return b"".join(blocks)


def _elements(content: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    """Yield the type and the data of each element; small ones hold up to four bytes in the tag itself."""
    place = 0
    while place < len(content):
        if place + 8 > len(content):
            raise ValueError(f"is cut short, at byte {len(content)} of a part")
        kind, length = struct.unpack_from(f"{order}II", content, place)
        if kind >> 16:
            kind, length = kind & 0xFFFF, kind >> 16
            if length > 4:
                raise ValueError("is damaged: a small element of more than four bytes")
            yield kind, content[place + 4 : place + 4 + length]
            place += 8
            continue
        end = place + 8 + length
        if end > len(content):
            raise ValueError(f"is cut short: an element of {length} bytes where {len(content) - place - 8} are left")
        yield kind, content[place + 8 : end]
        place = end if kind == _COMPRESSED else end + -length % 8


def _variable(body: bytes, order: str) -> MatVariable:
    parts = _elements(body, order)
    try:
        (_, flags), (_, axes), (_, name) = next(parts), next(parts), next(parts)
        word = struct.unpack_from(f"{order}I", flags)[0]
    except (StopIteration, struct.error) as error:
        raise ValueError("is damaged: a variable without its flags, size or name") from error
    if len(axes) % 4 or not 8 <= len(axes) <= 4 * _MAX_AXES:
        raise ValueError(f"is damaged: a variable whose size takes {len(axes)} bytes")
    shape = struct.unpack(f"{order}{len(axes) // 4}i", axes)
    if min(shape) < 0:
        raise ValueError("is damaged: a variable of a negative size")
    known = name.decode("ascii", "replace")
    code = word & 0xFF
    kind = _CLASSES.get(code)
    if kind is None or word & _COMPLEX:
        kind = f"complex {kind}" if kind else _OTHER_CLASSES.get(code, f"class {code}")
        return MatVariable(known, kind, shape, None)
    stored, data = next(parts, (0, b""))
    if stored not in _STORED:
        raise ValueError(f"is damaged: {known[:40]} holds numbers of type {stored}")
    numbers = np.dtype(f"{order}{_STORED[stored]}")
    if len(data) != numbers.itemsize * math.prod(shape):
        raise ValueError(f"is damaged: {known[:40]} of {' x '.join(map(str, shape))} numbers in {len(data)} bytes")
    return MatVariable(known, kind, shape, np.frombuffer(data, numbers).reshape(shape, order="F"))
