"""Scratch copies of members of archives: exactly as many bytes as were stated, in blocks."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import IO

from ffbench.errors import DataError, UsageError, os_reason

_BLOCK_BYTES = 2**20


def copy_exactly(content: IO[bytes], target: Path, count: int, *, alone: bool = True) -> None:
    """Write `count` bytes of `content` to `target`, in blocks.

    Args:
        content: a file, read from where it stands.
        target: the copy.
        count: how many bytes.
        alone: whether nothing may follow them in `content`.

    Raises:
        DataError: there are fewer, or more; the message begins with the target.
    """
    left = count
    with target.open("wb") as file:
        while left:
            block = content.read(min(left, _BLOCK_BYTES))
            if not block:
                raise DataError(
                    target, f"is cut short, {count - left} bytes of the {count} that were stated", fault="truncated"
                )
            write_scratch(file, block)
            left -= len(block)
        if alone and content.read(1):
            raise DataError(target, f"has more bytes than the {count} that were stated")


def write_scratch(file: IO[bytes], content: bytes) -> None:
    """Write to a temporary file.

    Raises:
        UsageError: there is no room; no fault of the submission, so not a DataError.
    """
    try:
        file.write(content)
        file.flush()
    except OSError as error:
        raise UsageError(
            f"{tempfile.gettempdir()}: no scratch copy can be written ({os_reason(error)}); "
            "make room there, or name another folder by TMPDIR"
        ) from error
