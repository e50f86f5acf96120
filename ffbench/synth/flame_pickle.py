"""Reading FLAME's pickles without running anything in them.

A pickle is a program: it names classes and functions and has them called. Here every name becomes an inert
`Node` that only notes what it would have been called with, so that neither chumpy nor Python 2 is needed;
names that FLAME's files have no use for are refused. Arrays are then made from the notes, after checks.
"""

from __future__ import annotations

import io
import math
import pickle
import pickletools
import re
from typing import Any

import numpy as np
import numpy.typing as npt

from ffbench.archives.member_path import Place
from ffbench.errors import DataError

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
PYTHON_2 = {"__builtin__": "builtins", "copy_reg": "copyreg"}
MOST_STEPS = 2_000_000
"""More instructions than any FLAME file has; the bound also keeps the reader's memo small."""
LARGEST_SPARSE = 10_000_000
"""Most cells of a sparse matrix that is written out: FLAME's joint regressor has 25,115."""


class Node:
    """A name in a pickle, or what it would have been called to make; nothing is called."""

    name: str = ""
    args: tuple[Any, ...]
    state: Any

    def __new__(cls, *args: Any) -> Node:
        """Note the arguments of a call."""
        node = object.__new__(cls)
        node.args = args
        node.state = None
        return node

    def __init__(self, *args: Any) -> None: ...

    def __setstate__(self, state: Any) -> None:
        self.state = state

    @property
    def kind(self) -> str:
        """Name of the class or function, seen through the helper that old pickles make objects with."""
        if self.name == "copyreg._reconstructor" and self.args and isinstance(self.args[0], type):
            return str(getattr(self.args[0], "name", ""))
        return self.name


class _InertUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        full = f"{PYTHON_2.get(module, module)}.{name}"
        if full not in ALLOWED:
            raise _RefusedError(full)
        return type("Node", (Node,), {"name": full})


class _RefusedError(Exception):
    """A name that is not allowed."""


def read_tree(content: bytes, path: Place) -> Any:
    """Read a pickle, of Python 2 or 3, into plain containers, strings, numbers and nodes.

    Args:
        content: the pickle.
        path: named in errors.

    Raises:
        DataError: it names something that FLAME's files do not need, or it is damaged.
    """
    try:
        # The unpickler sizes its memo by the largest index that it meets, before it can know better.
        for step, (code, argument, _) in enumerate(pickletools.genops(content)):
            if step > MOST_STEPS or (code.name in ("PUT", "LONG_BINPUT") and int(argument or 0) > MOST_STEPS):
                raise ValueError(f"more than {MOST_STEPS} instructions")
        return _InertUnpickler(io.BytesIO(content), encoding="latin1").load()
    except _RefusedError as error:
        raise DataError(
            f"{path}: names {one_line(error)}, which no FLAME file needs, so that loading it could run code; "
            "nothing was run; get the file from its authors"
        ) from error
    except Exception as error:  # A damaged pickle can fail in any way.
        reason = one_line(error) or type(error).__name__
        raise DataError(f"{path}: expected a pickle, found a damaged one ({reason}); download it again") from error


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
    """Give the one object in a 0-d object array: what `numpy.save` makes of a dict.

    Raises:
        ValueError: it is no such array.
    """
    if isinstance(value, Node) and value.kind.endswith("._reconstruct") and isinstance(value.state, tuple):
        content = value.state[-1]
        if isinstance(content, list) and len(content) == 1:
            return content[0]
    raise ValueError("expected one object in an array")


def _from_bytes(raw: object, dtype: object, shape: object, fortran: bool) -> npt.NDArray[Any]:
    if not (isinstance(shape, tuple) and all(isinstance(size, int) and size >= 0 for size in shape)):
        raise ValueError("an array without a shape")
    kind, content = _dtype(dtype), _bytes(raw)
    if math.prod(shape) * kind.itemsize != len(content):
        raise ValueError(f"an array of shape {shape} with {len(content)} bytes")
    return np.frombuffer(content, kind).reshape(shape, order="F" if fortran else "C")


def _dtype(value: object) -> np.dtype[Any]:
    code = value.args[0] if isinstance(value, Node) and value.kind == "numpy.dtype" and value.args else None
    if not (isinstance(value, Node) and isinstance(code, str) and re.fullmatch(r"[<>|=]?[biuf][1248]", code)):
        raise ValueError(f"an array of type {one_line(code)}")
    order = value.state[1] if isinstance(value.state, tuple) and len(value.state) > 1 else ""
    return np.dtype((order if order in ("<", ">") else "") + code.lstrip("<>|="))


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
    if not (isinstance(shape, tuple) and len(shape) == 2 and all(isinstance(n, int) and n > 0 for n in shape)):
        raise ValueError("a sparse matrix without a shape")
    rows, columns = shape
    if rows * columns > LARGEST_SPARSE:
        raise ValueError(f"a sparse matrix of {rows} x {columns}")
    data, indices, starts = (_plain_array(state.get(name)).reshape(-1) for name in ("data", "indices", "indptr"))
    counts = np.diff(starts)
    if len(starts) != columns + 1 or starts[0] != 0 or starts[-1] != len(data) or (counts < 0).any():
        raise ValueError("a sparse matrix whose columns do not add up")
    if len(indices) != len(data) or (len(indices) and not 0 <= indices.min() <= indices.max() < rows):
        raise ValueError("a sparse matrix with values outside of it")
    dense = np.zeros((rows, columns))
    np.add.at(dense, (indices, np.repeat(np.arange(columns), counts)), data)
    return dense
