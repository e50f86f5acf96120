"""`.flo5`: HDF5 with one dataset `flow` (H, W, 2) float32, as the Spring benchmark uses.

The HDF5 library parses these files in C; from strangers `.flo` is the safer format.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from ffbench.errors import DataError
from ffbench.flow.checks import FlowField, check_dimensions, check_size, check_values, reading
from ffbench.flow.hdf5_storage import check_storage

SIGNATURE = b"\x89HDF\r\n\x1a\n"
SUPERBLOCK_BYTES = 64
# Where the superblock says how long the file is, by its version (HDF5 File Format Specification, II.A).
END_OF_FILE = {0: 40, 1: 44, 2: 28, 3: 28}


def read_flo5(path: Path | str, expected_size: tuple[int, int] | None = None) -> FlowField:
    """Read a `.flo5` file as (H, W, 2) float32 in pixels.

    Raises:
        DataError: not a `.flo5` file, of a wrong length, type or size, with parts missing or stored
            in other files, or with values that are not finite.
    """
    import h5py

    with reading(path):
        _check_length(path)
    try:
        with h5py.File(path, "r") as file:
            # A soft or external link could lead to any other dataset, or file, of this machine.
            if not isinstance(file.get("flow", getlink=True), h5py.HardLink):
                raise DataError(f"{path}: has no dataset 'flow', expected one of (H, W, 2) float32")
            dataset = file["flow"]
            if not isinstance(dataset, h5py.Dataset):
                raise DataError(f"{path}: 'flow' is not a dataset, expected one of (H, W, 2) float32")
            _check_dataset(path, dataset)
            check_size(path, dataset.shape[:2], expected_size)
            check_storage(path, dataset, bounded=expected_size is not None)
            flow = np.empty(dataset.shape, np.float32)
            dataset.read_direct(flow)
    except (DataError, MemoryError):
        raise
    # The library reports damage as OSError, RuntimeError, KeyError, ValueError or UnicodeError.
    except Exception as error:
        raise DataError(f"{path}: cannot be read as HDF5, it is damaged ({_first_line(error)})") from error
    check_values(path, flow)
    return flow


def write_flo5(path: Path | str, flow: FlowField) -> None:
    """Write a flow (H, W, 2) float32 as `.flo5`, in place: `write_flow` checks it and writes atomically."""
    import h5py

    # From format 1.10 on HDF5 keeps checksums of its own structures, and Fletcher's of the data: damage shows.
    with h5py.File(path, "w", libver=("v110", "v110")) as file:
        file.create_dataset("flow", data=flow, compression="gzip", compression_opts=5, shuffle=True, fletcher32=True)


def _check_length(path: Path | str) -> None:
    """Hold the length of the file against the one that its superblock states."""
    with open(path, "rb") as file:
        superblock = file.read(SUPERBLOCK_BYTES)
        length = os.fstat(file.fileno()).st_size
    if not superblock.startswith(SIGNATURE):
        raise DataError(f"{path}: is not an HDF5 file, expected one with a dataset 'flow'")
    offset = END_OF_FILE.get(superblock[8] if len(superblock) > 8 else -1)
    if offset is None or len(superblock) < SUPERBLOCK_BYTES:
        raise DataError(f"{path}: the HDF5 header is damaged or cut short")
    # Versions 0 and 1 keep the width of addresses at byte 13, later ones at byte 9.
    if superblock[13 if superblock[8] < 2 else 9] != 8:
        raise DataError(f"{path}: HDF5 with addresses that are not 8 bytes wide, or a damaged header")
    expected = int.from_bytes(superblock[offset : offset + 8], "little")
    if length != expected:
        fault = "cut short" if length < expected else "bytes too many"
        raise DataError(f"{path}: {length} bytes, expected {expected} by its HDF5 header: {fault}")


def _check_dataset(path: Path | str, dataset: Any) -> None:
    """Check type and shape of the dataset before anything is allocated for it."""
    if dataset.dtype.kind != "f" or dataset.dtype.itemsize != 4 or dataset.dtype.subdtype is not None:
        raise DataError(f"{path}: 'flow' holds {dataset.dtype}, expected float32")
    if len(dataset.shape) != 3 or dataset.shape[2] != 2:
        raise DataError(f"{path}: 'flow' has shape {dataset.shape}, expected (H, W, 2)")
    check_dimensions(path, dataset.shape[1], dataset.shape[0])


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
