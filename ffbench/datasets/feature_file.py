"""Feature vectors that the user made with a network of his own, such as ArcFace: an .npz archive of two arrays.

    names       (N,) text, such as `happy/0012`: the sequence; its source image is `source/happy/0012`
    features    (N, D) float

`numpy.savez(path, names=names, features=features)` writes it. It holds no pickles, and none are read.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ffbench.errors import DataError
from ffbench.formats.flame_files import read_npz
from ffbench.io.bounds import names_file_if_out_of_memory

SOURCE = "source/"
_LARGEST = 2**30
_FREE_NAMES, _BYTES_PER_NAME = 2**16, 256
"""Names beyond the first are as many as the file has bytes for, since an object is made of each."""


@names_file_if_out_of_memory
def read_feature_file(path: Path) -> dict[str, npt.NDArray[np.float64]]:
    """Read feature vectors (D,) by name.

    Raises:
        DataError: the file is missing, damaged or no such archive, names come twice, or a vector is zero or not finite.
    """
    arrays = read_npz(path, ("names", "features"), _LARGEST, "fU")
    names, features = arrays["names"], arrays["features"]
    if names.dtype.kind != "U" or names.ndim != 1:
        raise DataError(path, f"names must be (N,) text, found {names.shape} {names.dtype}")
    if features.dtype.kind != "f" or features.ndim != 2 or len(features) != len(names) or 0 in features.shape:
        raise DataError(
            path,
            f"features must be ({len(names)}, D) float, as there are names; found {features.shape} {features.dtype}",
        )
    if len(names) > _FREE_NAMES + (names.nbytes + features.nbytes) // _BYTES_PER_NAME:
        raise DataError(path, f"{len(names)} names of {features.shape[1]} numbers each, more than faces have")
    try:
        keys = [str(name) for name in names]
    except ValueError as error:  # numbers that stand for no character
        raise DataError(path, f"names are damaged ({error})") from error
    repeated = sorted(key for key, times in Counter(keys).items() if times > 1)
    if repeated:
        raise DataError(path, f"names come twice: {', '.join(repeated[:5])}")
    values = features.astype(np.float64)
    del features, arrays
    # A row at a time: the squares of all would take as much as the values.
    length = np.array([np.linalg.norm(value) for value in values])
    wrong = [key for key, value in zip(keys, length, strict=True) if not 0 < value < np.inf]
    if wrong:
        raise DataError(path, f"{len(wrong)} features are zero or not finite: {', '.join(wrong[:5])}")
    return dict(zip(keys, values, strict=True))
