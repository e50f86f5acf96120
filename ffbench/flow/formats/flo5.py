"""`.flo5`: HDF5 with one dataset `flow` (H, W, 2) float32, as the Spring benchmark uses.

The HDF5 library parses these files in C; from strangers `.flo` is the safer format.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from ffbench.errors import DataError
from ffbench.flow.checks import check_dimensions, check_size, checked_values, reading_flow
from ffbench.flow.formats.hdf5_storage import check_storage
from ffbench.typing import FlowField

SIGNATURE = b"\x89HDF\r\n\x1a\n"
SUPERBLOCK_BYTES = 64
# Where the superblock says how long the file is, by its version (HDF5 File Format Specification, II.A).
END_OF_FILE = {0: 40, 1: 44, 2: 28, 3: 28}


def read_flo5(path: Path | str, expected_size: tuple[int, int] | None = None, *, truth: bool = False) -> FlowField:
    """Read a `.flo5` file as (H, W, 2) float32 in pixels.

    Args:
        path: the file.
        expected_size: (H, W) that the flow must have.
        truth: whether it is a true flow, in which values that are not finite mark pixels that are not known.

    Raises:
        DataError: not a `.flo5` file, of a wrong length, type or size, with parts missing or stored
            in other files, or a prediction with values that are not finite.
    """
    import h5py

    with reading_flow(path):
        _check_length(path)
    try:
        with h5py.File(path, "r") as file:
            # A soft or external link could lead to any other dataset, or file, of this machine.
            if not isinstance(file.get("flow", getlink=True), h5py.HardLink):
                raise DataError(path, "has no dataset 'flow', expected one of (H, W, 2) float32", fault="wrong format")
            dataset = file["flow"]
            if not isinstance(dataset, h5py.Dataset):
                raise DataError(path, "'flow' is not a dataset, expected one of (H, W, 2) float32")
            _check_dataset(path, dataset)
            check_size(path, dataset.shape[:2], expected_size)
            check_storage(path, dataset, bounded=expected_size is not None)
            flow = np.empty(dataset.shape, np.float32)
            dataset.read_direct(flow)
    except (DataError, MemoryError):
        raise
    # The library reports damage as OSError, RuntimeError, KeyError, ValueError or UnicodeError.
    except Exception as error:
        raise DataError(path, f"cannot be read as HDF5, it is damaged ({_first_line(error)})") from error
    return checked_values(path, flow, truth=truth)


def write_flo5(path: Path | str, flow: FlowField) -> None:
    """Write a flow (H, W, 2) float32 as `.flo5`, in place: `write_flow` checks it and writes atomically."""
    import h5py

    # From format 1.10 on HDF5 keeps checksums of its own structures, and Fletcher's of the data: damage shows.
    with h5py.File(path, "w", libver=("v110", "v110")) as file:
        file.create_dataset("flow", data=flow, compression="gzip", compression_opts=5, shuffle=True, fletcher32=True)


def _check_length(path: Path | str) -> None:
    """Compare the length of the file with the one that its superblock states."""
    with open(path, "rb") as file:
        superblock = file.read(SUPERBLOCK_BYTES)
        length = os.fstat(file.fileno()).st_size
    if not superblock.startswith(SIGNATURE):
        raise DataError(path, "is not an HDF5 file, expected one with a dataset 'flow'", fault="wrong format")
    offset = END_OF_FILE.get(superblock[8] if len(superblock) > 8 else -1)
    if offset is None or len(superblock) < SUPERBLOCK_BYTES:
        raise DataError(path, "the HDF5 header is damaged or cut short", fault="truncated")
    # Versions 0 and 1 keep the width of addresses at byte 13, later ones at byte 9.
    if superblock[13 if superblock[8] < 2 else 9] != 8:
        raise DataError(path, "HDF5 with addresses that are not 8 bytes wide, or a damaged header")
    expected = int.from_bytes(superblock[offset : offset + 8], "little")
    if length != expected:
        short = length < expected
        raise DataError(
            path,
            f"{length} bytes, expected {expected} by its HDF5 header: {'cut short' if short else 'bytes too many'}",
            fault="truncated" if short else "damaged",
        )


def _check_dataset(path: Path | str, dataset: Any) -> None:
    """Check type and shape of the dataset before anything is allocated for it."""
    if dataset.dtype.kind != "f" or dataset.dtype.itemsize != 4 or dataset.dtype.subdtype is not None:
        raise DataError(path, f"'flow' holds {dataset.dtype}, expected float32")
    if len(dataset.shape) != 3 or dataset.shape[2] != 2:
        raise DataError(path, f"'flow' has shape {dataset.shape}, expected (H, W, 2)")
    check_dimensions(path, dataset.shape[1], dataset.shape[0])


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
