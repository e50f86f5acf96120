"""The flows of a clip in one `.npz`, pair by pair, so that neither writer nor reader holds more than one."""

from __future__ import annotations

import contextlib
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from ffbench.flows import NumpyFlows
from ffbench.io.atomic import atomic_path

_HEADER = 512
"""Bytes of a member beside its numbers, about."""


@contextlib.contextmanager
def flow_archive(path: Path, pairs: Sequence[tuple[int, int]]) -> Iterator[Callable[[int, NumpyFlows], None]]:
    """Write a `.npz` atomically; gives the function that adds the flows of a pair by its number.

    `frames` (N, 2) int64 holds the frames of each pair; `facial_00000`, and `head_00000` where the method decomposes,
    are (H, W, 2) float32 in px, not packed. `numpy.load(path)["facial_00012"]` reads that pair alone.

    Raises:
        DataError: it cannot be written.
    """
    with atomic_path(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:

        def put(name: str, array: object) -> None:
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.ascontiguousarray(array), allow_pickle=False)

        def add(number: int, flows: NumpyFlows) -> None:
            put(f"facial_{number:05d}", flows.facial.astype(np.float32, copy=False))
            if flows.head is not None:
                put(f"head_{number:05d}", flows.head.astype(np.float32, copy=False))

        put("frames", np.array(pairs, np.int64).reshape(-1, 2))
        yield add


def archive_bytes(pairs: int, size: tuple[int, int], kinds: int) -> int:
    """Return about how long the file of so many pairs becomes, of flows of (H, W) px and so many kinds of flow."""
    return pairs * kinds * (8 * size[0] * size[1] + _HEADER)
