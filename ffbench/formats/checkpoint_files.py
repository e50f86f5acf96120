"""Files of trained weights, read without running code, and checked first: PyTorch's own readers take any memory.

`torch.load(weights_only=True)` unpacks compressed records, and calls `bytearray` and `codecs.encode` with what the file
gives them: forty bytes make gigabytes.
"""

from __future__ import annotations

import encodings
import encodings.aliases
import io
import os
import pickletools
import re
import threading
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from ffbench.errors import DataError, reason
from ffbench.io.archives.zip_directory import read_directory, require_stored

if TYPE_CHECKING:
    import torch

_ZIP = b"PK\x03\x04"
_MAX_MEMBERS = 2**16
_FREE_PICKLE_BYTES = 2**19
_STREAM_PICKLES = 5
"""A mark, a version, the machine's sizes, the object, and the names of its tensors."""
_MAX_SAFETENSORS_HEADER = 2**20
"""Bytes, which describe 10,000 tensors; full of tensors without values they take 25 times as many in memory."""
_BYTEARRAY, _ENCODE = b"\nbytearray\n", b"_codecs\nencode\n"
_LONGEST_CODEC = 100
_BYTE_CODECS = ("base64_codec", "bz2_codec", "hex_codec", "quopri_codec", "uu_codec", "zlib_codec")


# PyTorch's message is a page that begins with how to load the file all the same; this is the part that says why.
_REFUSED = re.compile(r"WeightsUnpickler error: (?:Unsupported global: GLOBAL )?([^\n]*?)(?: by default)?(?:\. |\n|$)")
_ONE_READER = threading.Lock()  # PyTorch keeps its list of allowed names for the whole process


def read_checkpoint(path: Path | str, file: IO[bytes] | None = None, allowed: Sequence[Any] = ()) -> Any:
    """Read a checkpoint, safetensors or PyTorch's own format, onto the CPU; no code in it is run.

    Args:
        path: the file.
        file: its content, if it is open already.
        allowed: types beyond PyTorch's own list that may be in it, as `torch.serialization.safe_globals` takes them.

    Raises:
        ValueError: it is damaged, or holds something other than data; the message is one line.
        OSError: it cannot be opened.
    """
    import torch

    if file is None:
        with open(path, "rb") as opened:
            return read_checkpoint(path, opened, allowed)
    # A damaged or hostile file can fail in any way in either reader; every way is the file's fault.
    try:
        check_checkpoint(path, file)
        if Path(path).suffix == ".safetensors":
            import safetensors.torch

            return safetensors.torch.load(file.read())
        with _ONE_READER, torch.serialization.safe_globals(list(allowed)):
            return torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:
        refused = _REFUSED.search(str(error))
        raise ValueError(refused.group(1) if refused else reason(error)) from error


def read_safetensors(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """Read the tensors and the metadata of a safetensors file.

    Raises:
        ValueError: it is damaged, or none; the message is one line.
        OSError: it cannot be opened.
    """
    from safetensors import SafetensorError, safe_open

    try:
        check_checkpoint(path)
        with safe_open(str(path), framework="pt") as content:
            tensors = {key: content.get_tensor(key) for key in content.keys()}  # noqa: SIM118
            return tensors, dict(content.metadata() or {})
    except (ValueError, SafetensorError) as error:
        raise ValueError(reason(error)) from error


def check_checkpoint(path: Path | str, file: IO[bytes] | None = None) -> None:
    """Check that a file, PyTorch's or safetensors', takes no more memory than it has bytes, or a few times as many.

    Args:
        path: the file.
        file: its content, if it is open already; it is left at its beginning.

    Raises:
        ValueError: it packs or overlaps its tensors, makes values that it does not hold, or is damaged.
        OSError: it cannot be read.
    """
    if file is None:
        with open(path, "rb") as opened:
            check_checkpoint(path, opened)
        return
    length = file.seek(0, os.SEEK_END)
    file.seek(0)
    if Path(path).suffix == ".safetensors":
        header = int.from_bytes(file.read(8), "little")
        if header > min(length, _MAX_SAFETENSORS_HEADER):
            raise ValueError(f"states a header of {header} bytes, more than any has")
    elif file.read(4) == _ZIP:
        _check_zip(Path(path), file, length)
    else:
        _check_stream(file, length)
    file.seek(0)


def _check_zip(path: Path, file: IO[bytes], length: int) -> None:
    file.seek(0)
    try:
        with read_directory(path, file, _MAX_MEMBERS) as archive:
            require_stored(archive.infolist(), length)
            for member in archive.infolist():
                if member.filename.endswith(".pkl"):
                    if member.file_size > _most_pickled(length):
                        raise ValueError(f"{member.filename} has {member.file_size} bytes, more than any has")
                    _check_pickle(archive.read(member))
    except DataError as error:
        raise ValueError(error.reason) from error
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise ValueError(f"damaged ({error})") from error


def _check_pickle(content: bytes) -> None:
    """Refuse a pickle that calls `bytearray`, or encodes bytes as bytes, which doubles them as often as it likes."""
    if _BYTEARRAY in content:
        raise ValueError("makes a bytearray, which no checkpoint holds")
    if _ENCODE in content:
        for _, text, _ in pickletools.genops(content):
            if isinstance(text, str) and _packs_bytes(text):
                raise ValueError(f"encodes bytes as {text}, which no checkpoint holds")


def _packs_bytes(name: str) -> bool:
    """Tell whether Python takes a text for the name of a codec of bytes; it is not looked up, which would import it."""
    if len(name) > _LONGEST_CODEC:
        return False
    plain = encodings.normalize_encoding(name.lower()).replace(".", "_")
    return encodings.aliases.aliases.get(plain, plain) in _BYTE_CODECS


def _check_stream(file: IO[bytes], length: int) -> None:
    """Check a checkpoint of before PyTorch 1.6: a few pickles, and the values of tensors after them."""
    file.seek(0)
    content = io.BytesIO(file.read(_most_pickled(length)))
    for _ in range(_STREAM_PICKLES):
        for _ in pickletools.genops(content):
            pass
    _check_pickle(content.getvalue()[: content.tell()])


def _most_pickled(length: int) -> int:
    # An empty list takes one byte of a pickle and sixty in memory; a tensor takes 150 and has values elsewhere.
    return _FREE_PICKLE_BYTES + length // 32
