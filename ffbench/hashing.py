"""Hashing files."""

from __future__ import annotations

import hashlib

from ffbench.archives.member_path import Place

_BLOCK = 2**20


def file_sha256(path: Place) -> str:
    """Hash a file's content, in hexadecimal, without holding it in memory.

    Raises:
        OSError: the file cannot be read.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
