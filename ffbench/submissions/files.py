"""Opens a submission, in whatever container it comes."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ffbench.errors import DataError
from ffbench.io.object_store import ObjectStore, is_url, path_of_url
from ffbench.submissions.bundle import BundleFiles
from ffbench.submissions.containers.archive_files import ArchiveFiles
from ffbench.submissions.containers.entries import SubmissionFiles, bytes_allowed
from ffbench.submissions.containers.folder_files import FolderFiles
from ffbench.submissions.manifest import KINDS, Manifest


@contextlib.contextmanager
def open_files(place: Path | str, manifest: Manifest) -> Iterator[SubmissionFiles]:
    """Open a submission: a folder, a `.zip`, `.tar`, `.tar.gz` or `.tgz` archive, or a bundle. None is ever unpacked.

    An archive or a bundle may be named by a URL; it is copied into a temporary folder, which is removed.

    Raises:
        UsageError: the backend of the URL is not installed.
        DataError: it is missing, of another kind, damaged, or holds what an honest submission does not: links,
            absolute names or `..`, encrypted files, or far more files than the protocol has pairs.
    """
    local = path_of_url(str(place)) if is_url(place) else Path(place)
    if local is not None:
        with _opened(local, manifest) as files:
            yield files
        return
    archive = ObjectStore(str(place))
    with tempfile.TemporaryDirectory(prefix="ffbench-") as folder:
        copy = Path(folder) / archive.url.rpartition("/")[2]
        # What is stored takes no more than what it unpacks to.
        archive.fetch(copy, _bytes_expanded(manifest))
        try:
            files = _opened(copy, manifest)
        except DataError as error:
            raise DataError(str(error).replace(str(copy), archive.url)) from error
        with files:
            yield files


def _max_entries(manifest: Manifest) -> int:
    return 4 * len(KINDS) * len(manifest.sizes) + 1000


def _bytes_expanded(manifest: Manifest) -> int:
    """Return how many bytes an honest archive unpacks to at most, names and headers included."""
    return sum(map(bytes_allowed, manifest.sizes.values())) * len(manifest.kinds) + 4096 * _max_entries(manifest)


def _opened(path: Path, manifest: Manifest) -> SubmissionFiles:
    max_entries = _max_entries(manifest)
    if path.is_dir():
        return FolderFiles(path, max_entries)
    if not path.is_file():
        raise DataError(path, "no such folder or archive")
    name = path.name.lower()
    if name.endswith((".zip", ".tar", ".tar.gz", ".tgz")):
        return ArchiveFiles(path, max_entries, _bytes_expanded(manifest))
    if name.endswith(".bundle"):
        return BundleFiles(path, manifest)
    raise DataError(path, "expected a folder, an archive named .zip, .tar, .tar.gz or .tgz, or a .bundle")
