"""How much memory a file may ask for: its own length is the measure, since a stated size costs nothing to write."""

from __future__ import annotations

import functools
import zlib
from collections.abc import Callable, Iterator
from typing import IO, Any, ParamSpec, TypeVar

from ffbench.errors import DataError, reading

P = ParamSpec("P")
T = TypeVar("T")
SMALL_BYTES = 2**26
"""What any file may unpack to, however short it is."""
MAX_RATIO = 200
"""Beyond `SMALL_BYTES` a file may unpack to this many times its length. Photographs and flows reach 2 to 40; a thousand
is what deflate makes of nothing but zeros."""
BLOCK_BYTES = 2**18


def is_bomb(stored: int, unpacked: int) -> bool:
    """Tell whether `stored` bytes that unpack to `unpacked` bytes are packed to use up memory."""
    return unpacked > SMALL_BYTES and unpacked > MAX_RATIO * stored


def refuse_bomb(path: object, stored: int, unpacked: int) -> None:
    """Refuse a file of `stored` bytes that unpacks to far more; `path` names it in the error.

    Raises:
        DataError: it does.
    """
    if is_bomb(stored, unpacked):
        raise DataError(
            path, f"{stored} bytes that unpack to {unpacked}, more than {MAX_RATIO} times as many; it is refused"
        )


def read_bounded(path: Any, most_bytes: int, too_large: str, *, missing: str | None = None, more: str = "") -> bytes:
    """Read a whole file that has at most `most_bytes`; no more is read of a larger one, also if it grows meanwhile.

    Args:
        path: a `Path`, or a place in an archive.
        most_bytes: more are refused.
        too_large: the reason that is given then; `{size}` in it stands for the size in bytes.
        missing, more: as `reading` takes them.

    Raises:
        DataError: it cannot be read or is larger.
    """
    with reading(path, missing=missing, more=more):
        size = path.stat().st_size
        if size > most_bytes:
            raise DataError(path, too_large.format(size=size))
        with path.open("rb") as file:
            # What is no plain file has no size; of what grows no more is taken than was there.
            content: bytes = file.read(size or most_bytes + 1)
    if len(content) > most_bytes:
        raise DataError(path, too_large.format(size=len(content)))
    return content


class CutShortError(ValueError):
    """Packed data that end too early."""


def inflated(file: IO[bytes], size: int, wbits: int = zlib.MAX_WBITS) -> Iterator[bytes]:
    """Unpack `size` deflated bytes of a file, from where it stands, in blocks of at most `BLOCK_BYTES`.

    Args:
        file: read block by block too.
        size: how many packed bytes there are.
        wbits: kind of wrapping, as `zlib.decompressobj` takes it.

    Raises:
        ValueError: the data are damaged, cut short (`CutShortError`), or followed by other bytes; the message goes on
            after "it".
    """
    decoder = zlib.decompressobj(wbits)
    while not decoder.eof:
        block = decoder.unconsumed_tail
        if not block:
            block = file.read(min(size, BLOCK_BYTES))
            size -= len(block)
        try:
            content = decoder.decompress(block, BLOCK_BYTES)
        except zlib.error as error:
            raise ValueError(f"is damaged ({error})") from error
        if content:
            yield content
        elif not block:
            raise CutShortError("is cut short")
    if decoder.unused_data or size:
        raise ValueError("has bytes after the end of the packed data")


def names_file_if_out_of_memory(read: Callable[P, T]) -> Callable[P, T]:
    """Turn a want of memory in a reader, whose first argument is the file, into a `DataError` that names the file."""

    @functools.wraps(read)
    def reader(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return read(*args, **kwargs)
        except MemoryError as error:
            file = next(iter((*args, *kwargs.values())), "")
            raise DataError(file, "there is not enough memory to read it") from error

    return reader
