"""One hash for all files of a dataset, without reading tens of gigabytes each time."""

from __future__ import annotations

import contextlib
import hashlib
import json
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

from ffbench.errors import DataError, reading
from ffbench.io import atomic
from ffbench.io.archives.member_path import DatasetPath
from ffbench.io.hashing import data_sha256, file_state
from ffbench.paths import cache_dir

_READERS = 4
_MAX_CACHE_BYTES = 2**28
LARGE_DATASET_BYTES = 2**31
"""Bytes that take long enough to hash for the user to be told."""
_CLOCK_NS = 2 * 10**9
"""Resolution of the coarsest clock of a file system (FAT). A file that changed later than this before it was hashed may
change again and look the same: its hash is not remembered."""
_STATE = 4
_forget = False


@contextlib.contextmanager
def rehashing(wanted: bool = True) -> Iterator[None]:
    """Hash every file anew within the block, whatever is remembered of it."""
    global _forget
    before, _forget = _forget, wanted
    try:
        yield
    finally:
        _forget = before


def manifest_sha256(files: Mapping[str, DatasetPath]) -> str:
    """Hash names and contents of `files`: the same on every machine that has the same files.

    The hash of each file is remembered in the cache folder by its size, times of change and of status change, and inode
    (`file_state`), so that a large dataset is read once. Who sets the time of a file back changes its status, and is
    found; who can set the clock of the machine, or write into the cache folder, is not: `rehashing` reads everything.

    Args:
        files: what each file is called in the manifest, and where it lies. Names are relative to the dataset.

    Raises:
        DataError: a file cannot be read.
    """
    if not files:
        return hashlib.sha256().hexdigest()
    names = sorted(files)
    cache = cache_dir() / "manifests" / f"{hashlib.sha256(str(files[names[0]].absolute()).encode()).hexdigest()}.json"
    known = _read_cache(cache)
    states = {name: _state(files[name]) for name in names}
    stale = [name for name in names if _forget or name not in known or known[name][:_STATE] != states[name]]
    size = sum(states[name][0] for name in stale)
    if size > LARGE_DATASET_BYTES:
        print(f"ffbench: hashing {len(stale)} files ({size / 2**30:.0f} GiB), once", file=sys.stderr)
    settled = time.time_ns() - _CLOCK_NS
    with ThreadPoolExecutor(_READERS, thread_name_prefix="ffbench-hash") as readers:
        digests = dict(zip(stale, readers.map(lambda name: data_sha256(files[name]), stale), strict=True))
    entries = {name: [*states[name], digests[name]] if name in digests else known[name] for name in names}
    kept = {**known, **{name: entry for name, entry in entries.items() if max(states[name][1:3]) < settled}}
    if kept != known:
        # Only a convenience: a dataset on a machine with a full disk can still be evaluated.
        with contextlib.suppress(DataError):
            atomic.write_text(cache, json.dumps(kept))
    digest = hashlib.sha256()
    for name in names:
        digest.update(f"{name}\0{entries[name][_STATE]}\n".encode())
    return digest.hexdigest()


def _state(path: DatasetPath) -> list[int]:
    with reading(path):
        return file_state(path)


def _read_cache(path: DatasetPath) -> dict[str, list[object]]:
    try:
        if path.stat().st_size > _MAX_CACHE_BYTES:
            return {}
        content = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    if not isinstance(content, dict):
        return {}
    return {
        name: entry
        for name, entry in content.items()
        if isinstance(entry, list) and len(entry) == _STATE + 1 and isinstance(entry[_STATE], str)
    }
