"""Opens a submission, in whatever container it comes."""

from __future__ import annotations

from pathlib import Path

from ffbench.errors import DataError
from ffbench.submissions.bundle import BundleFiles
from ffbench.submissions.containers.archive_files import ArchiveFiles
from ffbench.submissions.containers.entries import SubmissionFiles, bytes_allowed
from ffbench.submissions.containers.folder_files import FolderFiles
from ffbench.submissions.manifest import KINDS, Manifest


def open_files(path: Path | str, manifest: Manifest) -> SubmissionFiles:
    """Open a submission: a folder, a `.zip`, `.tar`, `.tar.gz` or `.tgz` archive, or a bundle. None is ever unpacked.

    Raises:
        DataError: it is missing, of another kind, damaged, or holds what an honest submission does not: links,
            absolute names or `..`, encrypted files, or far more files than the protocol has pairs.
    """
    path = Path(path)
    max_entries = 4 * len(KINDS) * len(manifest.sizes) + 1000
    if path.is_dir():
        return FolderFiles(path, max_entries)
    if not path.is_file():
        raise DataError(path, "no such folder or archive")
    name = path.name.lower()
    if name.endswith((".zip", ".tar", ".tar.gz", ".tgz")):
        expanded = sum(map(bytes_allowed, manifest.sizes.values())) * len(manifest.kinds) + 4096 * max_entries
        return ArchiveFiles(path, max_entries, expanded)
    if name.endswith(".bundle"):
        return BundleFiles(path, manifest)
    raise DataError(path, "expected a folder, an archive named .zip, .tar, .tar.gz or .tgz, or a .bundle")
