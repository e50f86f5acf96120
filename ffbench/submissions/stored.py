"""One pair's flows out of a folder of predictions."""

from __future__ import annotations

from pathlib import Path

from ffbench.errors import DataError
from ffbench.flow.checks import FlowField
from ffbench.flow.files import SUFFIXES, read_flow
from ffbench.flows import Flows
from ffbench.protocol import NumpyFlows
from ffbench.submissions.manifest import Kind, file_stem


def read_stored(folder: Path, key: str, size: tuple[int, int]) -> NumpyFlows:
    """Read the facial flow of a pair, and its head flow if it is there, as `predict` writes them.

    Args:
        folder: holds `facial/`.
        key: the pair's key.
        size: (H, W) of its images.

    Raises:
        DataError: the facial flow is missing, or a file is damaged or of another size.
    """
    facial = _read(folder, "facial", key, size)
    if facial is None:
        raise DataError(
            folder, f"has no {file_stem('facial', key)}.flo, nor one of {', '.join(SUFFIXES[1:])} of that name"
        )
    return Flows(facial, _read(folder, "head", key, size))


def _read(folder: Path, kind: Kind, key: str, size: tuple[int, int]) -> FlowField | None:
    base = folder / file_stem(kind, key)
    for suffix in SUFFIXES:
        path = base.with_name(f"{base.name}{suffix}")
        if path.is_file():
            return read_flow(path, size)
    return None
