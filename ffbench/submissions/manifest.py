"""The files that a submission to a protocol must hold: their names and sizes."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from ffbench.errors import DataError
from ffbench.evaluation.batches import read_ahead
from ffbench.flow.formats.flo import HEADER
from ffbench.io import atomic
from ffbench.paths import cache_dir
from ffbench.protocol import Progress, Protocol

Kind = Literal["facial", "head", "backward"]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""Folders of a submission. `facial` must be there; each of the others holds every pair or none."""
CONFIDENCE = "confidence"
"""A further folder that `ffbench predict --save-confidence` writes; a submission may hold it, and nothing reads it."""
NOT_FOUND = "not_found.txt"
"""Beside the folders of flows: the keys of pairs in which the method found nothing to go by, one a line."""
_AHEAD = 4
_MAX_CACHE_BYTES = 2**28


@dataclass(frozen=True)
class Manifest:
    """What a protocol on a dataset wants predictions for.

    `dataset_sha256` is the hash of the dataset's files; `sizes` gives (H, W) in pixels by key; `backward` whether the
    protocol makes use of backward flows; `unreadable` the problems of pairs that cannot be read, for which
    nothing is wanted.
    """

    protocol: str
    protocol_version: str
    dataset_sha256: str
    sizes: dict[str, tuple[int, int]]
    backward: bool
    unreadable: tuple[str, ...] = ()

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The folders that may be there."""
        return KINDS if self.backward else KINDS[:2]

    def files(self, kind: Kind = "facial") -> Iterator[tuple[str, str, tuple[int, int], int]]:
        """Return (name, key, (H, W), bytes as `.flo`) of each file of one kind."""
        for key, size in self.sizes.items():
            yield f"{file_stem(kind, key)}.flo", key, size, flo_bytes(size)


def flo_bytes(size: tuple[int, int]) -> int:
    """Return the length of a `.flo` file of a flow of (H, W) pixels."""
    return HEADER.size + 8 * size[0] * size[1]


def file_stem(kind: Kind, key: str) -> str:
    """Return the name of a pair's file inside a submission, with `/` between folders and without its suffix.

    Raises:
        DataError: the key cannot be a file's name everywhere.
    """
    parts = key.split("/")
    if any(part in ("", ".", "..") for part in parts) or "\\" in key or not key.isprintable():
        raise DataError(f"pair {key!r}: cannot be the name of a file, so the protocol takes no submissions")
    return f"{kind}/{key}"


def build_manifest(protocol: Protocol[Any], progress: Progress | None = None) -> Manifest:
    """List the files that a submission to `protocol` must hold.

    The sizes of the images are read once and remembered in the cache folder for as long as the dataset is the same.

    Raises:
        DataError: the protocol has no pairs that can be read, or keys that cannot be names of files.
    """
    keys = list(protocol.keys())
    cache = cache_dir() / "submissions" / f"{_identity(protocol, keys)}.json"
    sizes = _read_cache(cache, keys)
    problems: list[str] = []
    if sizes is None:
        sizes = {}
        for done, pair in enumerate(read_ahead(protocol, keys, _AHEAD, problems), start=1):
            sizes[pair.key] = (pair.image1.shape[0], pair.image1.shape[1])
            if progress:
                progress(done, len(keys))
        if not problems:
            # Only a convenience, also on a full disk.
            with contextlib.suppress(DataError):
                atomic.write_text(cache, json.dumps([sizes[key] for key in keys]))
    if not sizes:
        raise DataError(protocol.dataset.name, "no pair can be read, so there is nothing to submit to")
    for key in sizes:
        file_stem("facial", key)
    card, dataset = protocol.card, protocol.dataset
    return Manifest(card.id, card.version, dataset.manifest_sha256, sizes, protocol.needs_backward, tuple(problems))


def _identity(protocol: Protocol[Any], keys: list[str]) -> str:
    content = [protocol.card.model_dump(mode="json"), protocol.dataset.model_dump(mode="json"), keys]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _read_cache(path: Path, keys: list[str]) -> dict[str, tuple[int, int]] | None:
    try:
        if path.stat().st_size > _MAX_CACHE_BYTES:
            return None
        content = json.loads(path.read_text())
        if len(content) != len(keys):
            return None
        return {key: (int(height), int(width)) for key, (height, width) in zip(keys, content, strict=True)}
    except (OSError, ValueError, TypeError):
        return None
