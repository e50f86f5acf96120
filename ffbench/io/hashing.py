"""Hashing files."""

from __future__ import annotations

import hashlib

from ffbench.errors import reading
from ffbench.io.archives.member_path import DatasetPath

_BLOCK = 2**20
_SIGNED = 2**63 - 1


def file_state(path: DatasetPath) -> list[int]:
    """Return what changes when a file does: [size in bytes, times of change and of status change in ns, inode].

    Anybody can set the first time back; the second is the file system's own, and another file has another inode. Of a
    file in an archive, times and inode are the archive's.

    Raises:
        OSError: there is no such file.
    """
    status = path.stat()
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino & _SIGNED]


def file_sha256(path: DatasetPath) -> str:
    """Hash a file's content, in hexadecimal, without holding it in memory.

    Raises:
        OSError: the file cannot be read.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def data_sha256(path: DatasetPath) -> str:
    """Hash a file of the user's as `file_sha256` does.

    Raises:
        DataError: the file cannot be read.
    """
    with reading(path):
        return file_sha256(path)
