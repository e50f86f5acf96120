"""numpy's .npy format in memory, for files that nobody has vouched for."""

from __future__ import annotations

import io
import math
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

# numpy takes a damaged header for one of Python 2, and would say so beside our one line. A
# filter that lasts as long as the reading is not safe with threads.
warnings.filterwarnings("ignore", message="Reading `.npy` or `.npz` file required additional header parsing")


def read_npy(content: bytes, kinds: str = "biuf") -> npt.NDArray[Any]:
    """Read an .npy file of plain numbers; numpy's own reader reserves what the header asks for before it looks.

    Args:
        content: the file.
        kinds: the numpy kinds of numbers, or of text, that are taken.

    Raises:
        ValueError: objects (pickles), a header that is not one, or more or fewer numbers than it says.
    """
    shape, fortran, kind, body = split_npy(content)
    if kind.kind not in kinds:
        raise ValueError(f"found {'pickled objects' if kind.hasobject else kind}")
    if len(body) != kind.itemsize * math.prod(shape):
        raise ValueError(f"an array {shape} of {kind} in {len(body)} bytes")
    return np.frombuffer(body, kind).reshape(shape, order="F" if fortran else "C")


def split_npy(content: bytes) -> tuple[tuple[int, ...], bool, np.dtype[Any], bytes]:
    """Return the shape, whether columns come first, the type and the body of an .npy file; nothing is made of them.

    Raises:
        ValueError: a header that is not one.
    """
    stream = io.BytesIO(content)
    first = np.lib.format.read_magic(stream)[0] == 1
    read_header = np.lib.format.read_array_header_1_0 if first else np.lib.format.read_array_header_2_0
    try:
        shape, fortran, kind = read_header(stream)
    except ValueError:
        raise
    # numpy takes the header for Python's source, so that a damaged one raises whatever its tokenizer does.
    except Exception as error:
        raise ValueError("the header is damaged") from error
    return shape, fortran, kind, content[stream.tell() :]
