"""Fetches a model folder from the hub: its configuration and its weights, in bounded size, and nothing else.

A repository is anybody's. Two files are asked for by name, so that no list of its files is followed, and code, pickles
and whatever else it holds stay there. What is fetched lies in the hub's own cache, under the commit that it is of.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from ffbench.errors import DataError
from ffbench.extras import naming_extra
from ffbench.hub.failures import naming_repository
from ffbench.hub.names import PREFIX, HubName
from ffbench.io.hashing import data_sha256

MOST_WEIGHTS_BYTES = 4 * 2**30
MOST_CONFIG_BYTES = 2**20
FILES: Mapping[str, int] = MappingProxyType({"config.json": MOST_CONFIG_BYTES, "model.safetensors": MOST_WEIGHTS_BYTES})
"""What is fetched, and the bytes that each may have."""
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class FetchedFolder(NamedTuple):
    """A folder of the cache with a model's configuration and weights, and its repository at a commit."""

    folder: Path
    pinned: str


def fetch_model_folder(name: HubName) -> FetchedFolder:
    """Fetch a model's `config.json` and `model.safetensors`, or find them in the hub's cache.

    Of a branch or a tag the hub is asked for the commit; where it cannot be reached, the one that was fetched last is
    taken. A commit that is in the cache is not asked for.

    Raises:
        MissingExtraError: huggingface_hub is not installed.
        DataError: the hub cannot be reached or has no such repository, revision or file; a file is larger than it may
            be; or a file of weights is not the one that the hub names by its SHA-256.
    """
    with naming_extra(str(name)):
        from huggingface_hub import HfApi
    with naming_repository(name, "be fetched"):
        commit = HfApi().resolve_revision(name.repository, revision=name.revision).resolved
        if not _COMMIT.fullmatch(commit):
            raise DataError(name, "the hub names no commit of it, of 40 hexadecimal digits")
        paths = [_fetch(name, commit, file, most) for file, most in FILES.items()]
    folders = {path.parent for path in paths}
    if len(folders) != 1 or paths[0].parent.name != commit:
        raise DataError(name, f"the hub gave files of another commit than {commit}; try again")
    return FetchedFolder(folders.pop(), f"{name.repository}@{commit}")


def _fetch(name: HubName, commit: str, file: str, most: int) -> Path:
    """Return a file of a commit in the cache, fetched if it is not there."""
    from huggingface_hub import errors, hf_hub_download, try_to_load_from_cache

    found: Any = try_to_load_from_cache(name.repository, file, revision=commit)
    if not isinstance(found, str):
        try:
            stated = hf_hub_download(name.repository, file, revision=commit, dry_run=True)
            if stated.file_size is None:
                raise DataError(name, f"the hub does not say how large its {file} is; it is not fetched")
            if not stated.is_cached:
                _check_size(name, file, stated.file_size, most)
            found = hf_hub_download(
                name.repository, file, revision=commit, tqdm_class=_bounded_progress(name, file, most)
            )
        except errors.RemoteEntryNotFoundError as error:
            raise DataError(name, f"holds no {file}; expected a model repository with {' and '.join(FILES)}") from error
    path = Path(found)
    _check_size(name, file, path.stat().st_size, most)
    # The cache names a large file by the hash that the hub states of it; a transfer by HTTP compares lengths alone.
    blob = path.resolve().name
    if _SHA256.fullmatch(blob) and data_sha256(path) != blob:
        raise DataError(path, f"is not the {file} of {name}, whose SHA-256 is {blob}: delete it and run again")
    return path


def _check_size(name: HubName, file: str, size: int, most: int) -> None:
    if size > most:
        raise DataError(name, f"its {file} has {size} bytes, more than the {most} that are fetched")


def _bounded_progress(name: HubName, file: str, most: int) -> type[Any]:
    """Return the hub's progress bar, which ends a transfer of more bytes than were stated: it sees each block first."""
    from huggingface_hub.utils import tqdm  # type: ignore[attr-defined]

    class BoundedProgress(tqdm):
        received = 0

        def update(self, n: float | None = 1) -> bool | None:
            self.received += int(n or 0)
            _check_size(name, file, self.received, most)
            moved: bool | None = super().update(n)
            return moved

    return BoundedProgress


def pinned_name(pinned: str) -> str:
    """Return the name by which a repository at a commit is loaded again.

    >>> pinned_name("lab/faces@0123456")
    'hf:lab/faces@0123456'
    """
    return PREFIX + pinned
