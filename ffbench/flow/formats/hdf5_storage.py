"""How an HDF5 dataset lies in its file: checked before the HDF5 library unpacks it, which asks for any memory it takes.

The library unpacks a chunk into memory that grows for as long as the packed bytes give more, whatever the size of the
chunk, and does so for each filter in turn.
"""

from __future__ import annotations

import contextlib
import math
import os
from pathlib import Path
from typing import IO, Any

from ffbench.errors import DataError
from ffbench.io.bounds import inflated, refuse_bomb

_DEFLATE = 1
_FILTERS = {_DEFLATE, 2, 3}
"""Deflate, shuffle and Fletcher's checksum (HDF5 File Format Specification, IV.A.2.l)."""
_LARGEST_RATIO = 1033
"""More than this deflate cannot give."""
_SMALL_CHUNK = 2**24
_CHECKSUM_BYTES = 4


def check_storage(path: Path | str, dataset: Any, *, bounded: bool) -> None:
    """Check that a dataset lies in its file as a whole and unpacks to no more than its shape says.

    Args:
        path: the file.
        dataset: an h5py dataset of bounded shape.
        bounded: whether the caller knew the shape before; if not, the file's length must account for it.

    Raises:
        DataError: parts are missing or in other files, it is packed by other filters than deflate, its chunks are
            larger than half of it and `_SMALL_CHUNK`, or unpack to something else than they should.
    """
    if dataset.is_virtual or dataset.external is not None:
        raise DataError(path, "'flow' is stored in other files, expected the values in this one")
    if not bounded:
        refuse_bomb(path, os.stat(path).st_size, dataset.nbytes)
    if dataset.chunks is None:
        complete = dataset.id.get_storage_size() == dataset.nbytes
    else:
        chunk_bytes = math.prod(dataset.chunks) * dataset.dtype.itemsize
        filters = _filters(path, dataset)
        if chunk_bytes > _SMALL_CHUNK + dataset.nbytes // 2:
            raise DataError(path, f"'flow' is stored in chunks of {dataset.chunks}, too large; write smaller ones")
        counts = (math.ceil(side / chunk) for side, chunk in zip(dataset.shape, dataset.chunks, strict=True))
        complete = dataset.id.get_num_chunks() == math.prod(counts)
        _check_chunks(path, dataset, chunk_bytes, filters)
    if not complete:
        # HDF5 itself would fill the gaps with zeros.
        raise DataError(path, f"parts of 'flow' are missing, expected all {dataset.shape} values")


def _filters(path: Path | str, dataset: Any) -> list[int]:
    plan = dataset.id.get_create_plist()
    filters = [plan.get_filter(number)[0] for number in range(plan.get_nfilters())]
    if not set(filters) <= _FILTERS or len(set(filters)) < len(filters):
        raise DataError(path, f"'flow' is packed by HDF5 filters {filters}; expected gzip, as of Spring's files")
    return filters


def _check_chunks(path: Path | str, dataset: Any, chunk_bytes: int, filters: list[int]) -> None:
    """Unpack, in blocks, every chunk that could unpack to more than a small one."""
    found: list[tuple[int, int]] = []
    # A chunk's mask has a bit for each filter that it was not passed through.
    packed = 1 << filters.index(_DEFLATE) if _DEFLATE in filters else 0

    def note(chunk: Any) -> None:
        if chunk.size > chunk_bytes + _CHECKSUM_BYTES + chunk_bytes // 1000 + 64:
            raise DataError(path, f"a chunk of {chunk_bytes} bytes that is packed into {chunk.size}; it is damaged")
        if chunk.size * _LARGEST_RATIO > _SMALL_CHUNK and packed & ~chunk.filter_mask:
            found.append((chunk.byte_offset, chunk.size))

    dataset.id.chunk_iter(note)
    with open(path, "rb") as file:
        for place, size in found:
            file.seek(place)
            if not _fits(file, size, chunk_bytes + _CHECKSUM_BYTES):
                raise DataError(path, f"a chunk unpacks to more than the {chunk_bytes} bytes that it has; refused")


def _fits(file: IO[bytes], size: int, limit: int) -> bool:
    """Tell whether `size` packed bytes of a file unpack to `limit` bytes at most; damage is left to the library."""
    unpacked = 0
    with contextlib.suppress(ValueError):
        for content in inflated(file, size):
            unpacked += len(content)
            if unpacked > limit:
                return False
    return True
