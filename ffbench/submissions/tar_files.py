"""A submission in a tar archive, plain or gzipped, read member by member in bounded memory."""

from __future__ import annotations

import contextlib
import io
import os
import tarfile
import tempfile
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, BinaryIO

from ffbench.archives.names import safe_name
from ffbench.archives.scratch import copy_exactly, write_scratch
from ffbench.errors import DataError
from ffbench.submissions.files import Entry, SubmissionFiles, entries_below_common_folder, too_many

_BLOCK_BYTES = 2**20
_HEADER_BYTES = 2**16
_HEADERS_PER_MEMBER = 16


class _HeaderReader:
    """A file that lets the parser of headers take little at a time, and few headers for a member.

    Long names and attributes are stored as members of their own, of any size and number that the header states.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.reads = 0

    def read(self, count: int = -1) -> bytes:
        self.reads += 1
        if count < 0 or count > _HEADER_BYTES or self.reads > _HEADERS_PER_MEMBER:
            raise tarfile.ReadError("a header is larger than any that a submission needs")
        return self._file.read(count)

    def __getattr__(self, name: str) -> object:
        return getattr(self._file, name)


class TarFiles(SubmissionFiles):
    """The members of a tar archive.

    A gzipped one can be read only from its beginning, so it is first unpacked as a whole, the tar that is in it and
    no member of it, into one unnamed temporary file of at most `max_bytes`.
    """

    def __init__(self, path: Path, max_entries: int, max_bytes: int) -> None:
        self.path = path
        self._lock = threading.Lock()
        try:
            self._file: IO[bytes] = path.open("rb") if path.suffix.lower() == ".tar" else _unzipped(path, max_bytes)
        except OSError as error:
            raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error
        try:
            self.entries = self._list(max_entries)
        except DataError:
            self._file.close()
            raise
        # Beside TarError, damage shows as whatever the parser trips over.
        except Exception as error:
            self._file.close()
            raise DataError(f"{path}: cannot be read as a tar archive ({error})") from error

    def _list(self, max_entries: int) -> list[Entry]:
        reader = _HeaderReader(self._file)  # type: ignore[arg-type]
        length = self._file.seek(0, os.SEEK_END)
        self._file.seek(0)
        found: list[tuple[str, int, str | int]] = []
        with tarfile.open(fileobj=reader, mode="r:") as archive:  # type: ignore[call-overload]
            for count, member in enumerate(archive, start=1):
                reader.reads = 0
                if count > max_entries:
                    raise too_many(self.path, max_entries)
                if member.isdir() and member.name in (".", "./", ""):
                    continue
                name = safe_name(self.path, member.name)
                if member.isdir():
                    continue
                if not member.isreg() or member.issparse():
                    raise DataError(f"{self.path}: {name} is a link or a special file, expected plain files only")
                if member.offset_data + member.size > length:
                    raise DataError(f"{self.path}: is cut short inside {name}")
                found.append((name, member.size, member.offset_data))
        return entries_below_common_folder(found)

    @contextlib.contextmanager
    def open(self, entry: Entry) -> Iterator[Path]:
        """Copy one member to a scratch file."""
        with tempfile.TemporaryDirectory(prefix="ffbench-") as folder:
            copy = Path(folder) / f"flow{Path(entry.name).suffix.lower()}"
            with self._lock:  # the position is shared by threads
                self._file.seek(int(entry.place))
                content = self._file.read(entry.bytes)
            copy_exactly(io.BytesIO(content), copy, entry.bytes)
            yield copy

    def close(self) -> None:
        """Close the archive, and with it the temporary file."""
        self._file.close()


def _unzipped(path: Path, max_bytes: int) -> IO[bytes]:
    """Unzip into an unnamed temporary file.

    Raises:
        DataError: damaged, cut short, or larger than `max_bytes`.
    """
    target = tempfile.TemporaryFile(prefix="ffbench-")  # noqa: SIM115
    try:
        _unzip(path, target, max_bytes)
    except BaseException:
        target.close()
        raise
    return target


def _unzip(path: Path, target: IO[bytes], max_bytes: int) -> None:
    decoder = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    written = 0
    with path.open("rb") as file:
        while not decoder.eof:
            # What the decoder was given and has not taken comes first: it gives at most a block at a time.
            block = decoder.unconsumed_tail or file.read(_BLOCK_BYTES)
            try:
                content = decoder.decompress(block, _BLOCK_BYTES)
            except zlib.error as error:
                raise DataError(f"{path}: cannot be unzipped, it is damaged ({error})") from error
            if not block and not content:
                raise DataError(f"{path}: cannot be unzipped, it is cut short")
            written += len(content)
            if written > max_bytes:
                raise DataError(f"{path}: unzips to more than {max_bytes} bytes, which no submission has; refused")
            write_scratch(target, content)
        if decoder.unused_data or file.read(1):
            raise DataError(f"{path}: has bytes after the end of the gzip data; it is damaged or not one archive")
