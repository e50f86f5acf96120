"""Reading FLAME's pickles without running anything in them, and without chumpy or Python 2.

`pickle_reader` reads a pickle into notes of what its program would have called. Which names FLAME's files have a use
for is said here; others are refused. Arrays are made from the notes, after checks.
"""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import numpy.typing as npt

from ffbench.errors import DataError
from ffbench.formats.pickle_machine import Node, RefusedNameError
from ffbench.formats.pickle_reader import read_pickle
from ffbench.io.archives.member_path import DatasetPath

ALLOWED = frozenset(
    {
        *(f"numpy.{core}.multiarray.{name}" for core in ("core", "_core") for name in ("_reconstruct", "scalar")),
        *(f"numpy.{core}.numeric._frombuffer" for core in ("core", "_core")),
        "numpy.ndarray",
        "numpy.dtype",
        "scipy.sparse.csc.csc_matrix",
        "scipy.sparse._csc.csc_matrix",
        "chumpy.ch.Ch",
        "chumpy.Ch",
        # DECA's landmark file also holds torch tensors; they stay nodes, since nothing here needs them.
        "torch._utils._rebuild_tensor_v2",
        "torch.storage._load_from_bytes",
        "collections.OrderedDict",
        "copyreg._reconstructor",
        "builtins.object",
        "builtins.set",
        "builtins.bytearray",
        "_codecs.encode",
    }
)
_TEXT_MODE_NAME = re.compile(rb"c[A-Za-z_][A-Za-z_.0-9]*\r\n[A-Za-z_]\w*\r\n")
_SEARCHED_FOR_TEXT_MODE = 4096
_NUMBERS = frozenset({"b1", *(f"{kind}{size}" for kind in "iu" for size in (1, 2, 4, 8)), "f2", "f4", "f8"})
_MOST_SIDES, _LONGEST_SIDE = 8, 2**40
LARGEST_SPARSE = 10_000_000
"""Most cells of a sparse matrix that is written out: FLAME's joint regressor has 25,115."""


def read_tree(content: bytes, path: DatasetPath) -> Any:
    """Read a pickle, of Python 2 or 3 and protocols 0 to 5, into plain containers, strings, numbers, names and nodes.

    Args:
        content: the pickle.
        path: named in errors.

    Raises:
        DataError: it names something that FLAME's files do not need, or it is damaged.
    """
    try:
        return read_pickle(_without_text_mode(content), ALLOWED)
    except RefusedNameError as error:
        raise DataError(
            path,
            f"names {one_line(error)}, which no FLAME file needs, so that loading it could run code; "
            "nothing was run; get the file from its authors",
        ) from error
    except (ValueError, MemoryError) as error:
        reason = one_line(error) or type(error).__name__
        raise DataError(path, f"expected a pickle, found a damaged one ({reason}); download it again") from error


def _without_text_mode(content: bytes) -> bytes:
    """Undo what Windows does to a file that is written in text mode: every line break is CR LF.

    Names in pickles of protocols 0 to 3 end in line breaks, so that it shows there.

    Raises:
        ValueError: some line breaks are CR LF and others are not, so that it cannot be undone.
    """
    if not _TEXT_MODE_NAME.search(content, 0, _SEARCHED_FOR_TEXT_MODE):
        return content
    if content.count(b"\n") != content.count(b"\r\n"):
        raise ValueError("some of its line breaks were changed to CR LF, as a copy in text mode does")
    return content.replace(b"\r\n", b"\n")


def one_line(text: object, most: int = 120) -> str:
    """Text out of a file, fit for an error message."""
    line = " ".join(str(text).split())
    return line if len(line) <= most else line[:most] + "..."


def to_array(value: object) -> npt.NDArray[Any]:
    """Make the array that a node stands for: one of numpy, a chumpy variable or a sparse matrix (made dense).

    Raises:
        ValueError: it stands for something else, or contradicts itself.
    """
    if isinstance(value, Node) and isinstance(value.state, dict):
        if value.kind in ("chumpy.ch.Ch", "chumpy.Ch"):
            return _plain_array(value.state.get("x"))
        if value.kind.endswith(".csc_matrix"):
            return _from_columns(value.state)
    return _plain_array(value)


def _plain_array(value: object) -> npt.NDArray[Any]:
    if not isinstance(value, Node):
        raise ValueError(f"expected an array, found {type(value).__name__}")
    if value.kind.endswith("._reconstruct") and isinstance(value.state, tuple) and len(value.state) >= 4:
        shape, dtype, fortran, raw = value.state[-4:]
        return _from_bytes(raw, dtype, shape, fortran is True or fortran == 1)
    if value.kind.endswith("._frombuffer") and len(value.args) == 4:
        raw, dtype, shape, order = value.args
        return _from_bytes(raw, dtype, shape, order == "F")
    raise ValueError(f"expected an array, found {value.kind}")


def single_object(value: object) -> Any:
    """Return the one object in a 0-d object array: what `numpy.save` makes of a dict.

    Raises:
        ValueError: it is no such array.
    """
    if isinstance(value, Node) and value.kind.endswith("._reconstruct") and isinstance(value.state, tuple):
        content = value.state[-1]
        if isinstance(content, list) and len(content) == 1:
            return content[0]
    raise ValueError("expected one object in an array")


def _from_bytes(raw: object, dtype: object, shape: object, fortran: bool) -> npt.NDArray[Any]:
    # Bounds on sides and their number keep the product below, and what is said of it, short.
    if not (isinstance(shape, tuple) and len(shape) <= _MOST_SIDES and all(_is_size(side, 0) for side in shape)):
        raise ValueError("an array without a shape")
    kind, content = _dtype(dtype), _bytes(raw)
    if math.prod(shape) * kind.itemsize != len(content):
        raise ValueError(f"an array of shape {shape} with {len(content)} bytes")
    return np.frombuffer(content, kind).reshape(shape, order="F" if fortran else "C")


def _is_size(value: object, least: int) -> bool:
    return isinstance(value, int) and least <= value <= _LONGEST_SIDE


def _dtype(value: object) -> np.dtype[Any]:
    code = value.args[0] if isinstance(value, Node) and value.kind == "numpy.dtype" and value.args else None
    plain = code.lstrip("<>|=") if isinstance(code, str) else type(code).__name__
    if not (isinstance(value, Node) and isinstance(code, str) and plain in _NUMBERS):
        raise ValueError(f"an array of type {one_line(plain)}")
    order = value.state[1] if isinstance(value.state, tuple) and len(value.state) > 1 else ""
    return np.dtype((order if order in ("<", ">") else "") + plain)


def _bytes(raw: object) -> bytes:
    # Python 3 writes bytes in this way in the old protocols.
    while isinstance(raw, Node) and raw.kind in ("_codecs.encode", "builtins.bytearray") and raw.args:
        raw = raw.args[0]
    if isinstance(raw, str):
        return raw.encode("latin1")
    if isinstance(raw, bytes | bytearray):
        return bytes(raw)
    raise ValueError("an array without content")


def _from_columns(state: dict[Any, Any]) -> npt.NDArray[Any]:
    """Write out a matrix in compressed columns; scipy would take its indices on trust."""
    shape = state.get("_shape", state.get("shape"))
    if not (isinstance(shape, tuple) and len(shape) == 2 and all(_is_size(side, 1) for side in shape)):
        raise ValueError("a sparse matrix without a shape")
    rows, columns = shape
    if rows * columns > LARGEST_SPARSE:
        raise ValueError(f"a sparse matrix of {rows} x {columns}")
    data, indices, starts = (_plain_array(state.get(name)).reshape(-1) for name in ("data", "indices", "indptr"))
    if indices.dtype.kind not in "iu" or starts.dtype.kind not in "iu":
        raise ValueError("a sparse matrix whose places are no whole numbers")
    if len(starts) != columns + 1 or starts[0] != 0 or starts[-1] != len(data) or (starts[:-1] > starts[1:]).any():
        raise ValueError("a sparse matrix whose columns do not add up")
    if len(indices) != len(data) or (len(indices) and not 0 <= indices.min() <= indices.max() < rows):
        raise ValueError("a sparse matrix with values outside of it")
    dense = np.zeros((rows, columns))
    counts = (starts[1:] - starts[:-1]).astype(np.int64)
    np.add.at(dense, (indices.astype(np.int64), np.repeat(np.arange(columns), counts)), data)
    return dense
