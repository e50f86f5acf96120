"""Reading and writing flow files; the suffix of the name chooses the format."""

from __future__ import annotations

from pathlib import Path

import numpy.typing as npt

from ffbench.errors import DataError
from ffbench.flow.arrays import read_mat_flow, read_npy_flow
from ffbench.flow.checks import FlowFile, check_array, is_known
from ffbench.flow.formats.flo import read_flo, write_flo
from ffbench.flow.formats.flo5 import read_flo5, write_flo5
from ffbench.flow.formats.pfm import read_pfm
from ffbench.io.archives.local import LocalFile
from ffbench.io.atomic import atomic_path, write_bytes
from ffbench.io.bounds import names_file_if_out_of_memory
from ffbench.typing import FlowField, Mask

SUFFIXES = (".flo", ".flo5", ".png", ".npy", ".pfm", ".mat")
"""Formats that are read; the first three are written too."""
WRITTEN = SUFFIXES[:3]


@names_file_if_out_of_memory
def read_flow(path: FlowFile | str, expected_size: tuple[int, int] | None = None) -> FlowField:
    """Read a predicted flow: `.flo`, `.flo5`, KITTI's `.png`, `.npy`, `.pfm`, `.mat`. For true ones: `read_flow_valid`.

    Args:
        path: the file, or a member of an archive.
        expected_size: (H, W) that the flow must have.

    Returns:
        (H, W, 2) float32 in pixels, x to the right and y down. Every value is finite; a pixel with a
        component of 1e9 or more is not known (`is_known`).

    Raises:
        DataError: the file is missing, damaged, not a flow, of another size, or has values that are not finite.
    """
    return _read(path, expected_size, truth=False)


def read_flow_valid(path: FlowFile | str, expected_size: tuple[int, int] | None = None) -> tuple[FlowField, Mask]:
    """Read a true flow, in the formats of `read_flow`, and the pixels at which it is known.

    Files of true flows mark pixels that are not known by 1e9 or more (Middlebury), NaN (Spring's and ptlflow's tools)
    or a zero in the third channel (KITTI).

    Args:
        path: the file.
        expected_size: (H, W) that the flow must have.

    Returns:
        (H, W, 2) float32 in pixels, `UNKNOWN` where it is not known, and the mask (H, W) of where it is.

    Raises:
        DataError: the file is missing, damaged, not a flow or of another size.
    """
    flow = _read(path, expected_size, truth=True)
    return flow, is_known(flow)


def _read(path: FlowFile | str, expected_size: tuple[int, int] | None, *, truth: bool) -> FlowField:
    suffix = _suffix(path)
    if suffix == ".flo":
        return read_flo(path, expected_size, truth=truth)
    if suffix == ".flo5":
        return _read_flo5(path, expected_size, truth=truth)
    if suffix == ".png":
        from ffbench.flow.formats.kitti import read_kitti

        return read_kitti(path, expected_size)
    return _OTHER_READERS[suffix](path, expected_size, truth=truth)


_OTHER_READERS = {".npy": read_npy_flow, ".pfm": read_pfm, ".mat": read_mat_flow}


def _read_flo5(path: FlowFile | str, expected_size: tuple[int, int] | None, *, truth: bool) -> FlowField:
    """Read a `.flo5` file; HDF5's library takes none but real ones, so of a member there is a copy meanwhile."""
    if isinstance(path, str | Path):
        return read_flo5(path, expected_size, truth=truth)
    local = LocalFile(path)
    try:
        return read_flo5(local.path, expected_size, truth=truth)
    except DataError as error:
        raise error.of(path) from error


def write_flow(path: Path | str, flow: npt.ArrayLike) -> None:
    """Write a flow (H, W, 2) in pixels to `path` atomically, in the format that its suffix names.

    `.flo` and `.flo5` keep float32 values exactly; `.png` (KITTI) rounds to 1/64 px and keeps which pixels are
    known.

    Raises:
        DataError: the flow has a wrong shape, values that are not finite or that the format cannot
            hold, the suffix is of no known format, or the file cannot be written.
    """
    suffix = _suffix(path, WRITTEN)
    array = check_array(path, flow)
    if suffix == ".png":
        from ffbench.flow.formats.kitti import encode_kitti

        write_bytes(path, encode_kitti(path, array))
        return
    with atomic_path(path) as temporary:
        if suffix == ".flo":
            write_flo(temporary, array)
        else:
            write_flo5(temporary, array)


def _suffix(path: FlowFile | str, suffixes: tuple[str, ...] = SUFFIXES) -> str:
    suffix = (Path(path) if isinstance(path, str) else path).suffix.lower()
    if suffix not in suffixes:
        raise DataError(path, f"no flow format has the suffix {suffix!r}, expected one of {', '.join(suffixes)}")
    return suffix
