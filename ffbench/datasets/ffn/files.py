"""Reading the files of a FacialFlowNet pair, and checking them all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ffbench.datasets.ffn.scan import OFFICIAL_PAIRS, FFNPair, scan
from ffbench.datasets.images import read_image
from ffbench.errors import DataError, one_line, reading
from ffbench.flow import is_known
from ffbench.flow.formats.flo import read_flo
from ffbench.formats.npy import read_npy
from ffbench.io.archives.member_path import DatasetPath
from ffbench.typing import FlowField


@dataclass(frozen=True)
class FFNArrays:
    """One pair in memory, all of one (H, W).

    Attributes:
        image1, image2: (H, W, 3) uint8 RGB.
        facial: (H, W, 2) float32, flow of all that moves, in px; `UNKNOWN` where it is not known.
        head: (H, W, 2) float32, flow of the rigid motion of the head, likewise; None if it was not asked for.
        mask: (H, W) bool, the moving region, where the flows are known; never empty.
        region: (H, W) uint8, or None.
        occlusion: (H, W) bool, what image 2 does not show, or None.
    """

    image1: npt.NDArray[np.uint8]
    image2: npt.NDArray[np.uint8]
    facial: FlowField
    head: FlowField | None
    mask: npt.NDArray[np.bool_]
    region: npt.NDArray[np.uint8] | None
    occlusion: npt.NDArray[np.bool_] | None


@dataclass(frozen=True)
class SplitReport:
    """What a split holds, and what it should.

    Attributes:
        problems: every fault of its files.
        left_out: flows that are not known everywhere: such pixels are not scored.
    """

    split: str
    sequences: dict[int, int]
    """Number of sequences by number of frames, of those without a problem."""
    pairs: int
    expected_pairs: int
    problems: tuple[str, ...]
    left_out: tuple[str, ...]


def read_pair(pair: FFNPair) -> FFNArrays:
    """Read all files of a pair.

    Raises:
        DataError: a file is missing or damaged, sizes differ, the mask is empty or not a mask, or a flow is known at
            none of its pixels.
    """
    image1, image2 = read_image(pair.image1), read_image(pair.image2)
    size = image1.shape[:2]
    if image2.shape != image1.shape:
        raise DataError(
            pair.image2,
            f"{image2.shape[1]} x {image2.shape[0]} pixels, but {pair.image1.name} before it has {size[1]} x {size[0]}",
        )
    facial, head = _read_truth(pair.facial, size), None if pair.head is None else _read_truth(pair.head, size)
    mask = read_mask(pair.mask, size) & is_known(facial)
    if head is not None:
        mask &= is_known(head)
    if not mask.any():
        raise DataError(pair.facial, f"its flow, or that of the head, is known at no pixel of {pair.mask}")
    return FFNArrays(
        image1,
        image2,
        facial,
        head,
        mask,
        None if pair.region is None else _read_region(pair.region, size),
        None if pair.occlusion is None else _read_binary(pair.occlusion, size),
    )


def read_mask(path: DatasetPath, size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Read a mask of size (H, W) from a `.npy` file of bool, or of numbers that are all 0 or 1.

    Raises:
        DataError: not such a file, or no pixel is in the mask.
    """
    mask = _read_binary(path, size)
    if not mask.any():
        raise DataError(path, "the mask is empty; expected the pixels of the head")
    return mask


def verify(
    root: DatasetPath | str, split: str, *, head: bool = True, progress: Callable[[int, int], None] | None = None
) -> SplitReport:
    """Read every file of a split and list all problems together.

    Raises:
        DataError: there is no such split, or no usable sequence in it.
    """
    found = scan(root, split, head=head)
    problems, left_out = list(found.problems), list[str]()
    for done, pair in enumerate(found.pairs, start=1):
        problems += _faults(pair, left_out)
        if progress:
            progress(done, len(found.pairs))
    lengths = list(found.sequences().values())
    return SplitReport(
        split,
        {length: lengths.count(length) for length in sorted(set(lengths))},
        len(found.pairs),
        OFFICIAL_PAIRS[split],
        tuple(problems),
        tuple(left_out),
    )


def _faults(pair: FFNPair, left_out: list[str]) -> Iterator[str]:
    """Yield every fault of a pair's files, not only the first; flows that are not known everywhere go to `left_out`."""
    size: tuple[int, int] | None = None
    try:
        size = read_image(pair.image1).shape[:2]
        if (other := read_image(pair.image2).shape[:2]) != size:
            yield f"{pair.image2}: {other[1]} x {other[0]} pixels, expected {size[1]} x {size[0]}"
    except DataError as error:
        yield str(error)
    readers: list[tuple[Callable[..., Any], DatasetPath | None]] = [
        (_read_truth, pair.facial),
        (_read_truth, pair.head),
    ]
    if size is not None:
        readers += [(read_mask, pair.mask), (_read_region, pair.region), (_read_binary, pair.occlusion)]
    for read, path in readers:
        if path is None:
            continue
        try:
            array = read(path, size)
        except DataError as error:
            yield str(error)
            continue
        if read is _read_truth and (unknown := _unknown_pixels(array)):
            left_out.append(f"{path}: the flow is unknown at {unknown} pixels, which are not scored")


def _read_truth(path: DatasetPath, size: tuple[int, int] | None) -> FlowField:
    flow = read_flo(path, size, truth=True)
    if (unknown := _unknown_pixels(flow)) == flow[..., 0].size:
        raise DataError(path, f"the flow is unknown at {unknown} pixels, which are all; get the file again")
    return flow


def _unknown_pixels(flow: FlowField) -> int:
    return int(np.count_nonzero(~is_known(flow)))


def _read_region(path: DatasetPath, size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    array = _read_npy(path, size, "u", "region map of uint8")
    if array.dtype != np.uint8:
        raise DataError(path, f"{array.dtype}, expected a region map of uint8")
    return array


def _read_binary(path: DatasetPath, size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    array = _read_npy(path, size, "buif", "mask of bool or of 0 and 1")
    if array.dtype.kind != "b" and not np.isin(array, (0, 1)).all():
        raise DataError(path, f"holds values other than 0 and 1 (such as {array[~np.isin(array, (0, 1))][0]})")
    return array.astype(np.bool_)


def _read_npy(path: DatasetPath, size: tuple[int, int], kinds: str, expected: str) -> npt.NDArray[Any]:
    """Read an (H, W) array whose type is of one of the numpy `kinds`.

    Header and length are compared before memory is taken, and an array of Python objects, which would
    be unpickled, is refused.
    """
    with reading(path, missing="no such file"):
        try:
            array = _map_npy(path, size)
            shape, dtype = array.shape, array.dtype
        except OSError:
            raise
        except Exception as error:  # a damaged header raises ValueError, SyntaxError, TypeError, OverflowError, ...
            raise DataError(path, f"not a .npy file of numbers ({one_line(error)})") from error
    if dtype.kind not in kinds or shape != size:
        found = f"{dtype} of {' x '.join(str(side) for side in reversed(shape))}"
        raise DataError(path, f"{found}, expected a {expected}, {size[1]} x {size[0]} (width x height)")
    return np.array(array)


def _map_npy(path: DatasetPath, size: tuple[int, int]) -> npt.NDArray[Any]:
    """Map a file, or read a member of an archive that is no longer than an array of this size can be."""
    if isinstance(path, Path):
        try:
            return np.lib.format.open_memmap(path, mode="r")
        except ValueError as error:
            raise ValueError("found pickled objects" if "Python objects" in str(error) else str(error)) from error
    largest = 16 * size[0] * size[1] + 2**16
    if path.stat().st_size > largest:
        raise ValueError(f"{path.stat().st_size} bytes, expected at most {largest}")
    return read_npy(path.read_bytes())
