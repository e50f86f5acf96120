"""Reads the tensors of a TorchScript archive without running any of the code that is in it.

`torch.jit.load` would compile and run what the file brings; `torch.load(weights_only=True)` refuses such
files. The archive is a zip: a pickle of the modules' attributes, which an unpickler reads that knows
tensors and plain containers and nothing else, and one member for each tensor's values, uncompressed.
"""

from __future__ import annotations

import io
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path, PurePosixPath
from typing import Any

import torch

from ffbench.errors import DataError, MethodError
from ffbench.io.archives.zip_directory import read_directory, require_stored

_DTYPES = {
    "FloatStorage": torch.float32,
    "DoubleStorage": torch.float64,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}
_LIST_BUILDERS = ("build_intlist", "build_tensorlist", "build_doublelist", "build_boollist")
_DEEPEST = 32
_MAX_MEMBERS = 2**16


def read_tensors(path: Path) -> dict[str, torch.Tensor]:
    """Return every parameter and buffer of the archive by its dotted name, as `state_dict` would.

    Raises:
        MethodError: the file is missing, is no TorchScript archive, or holds anything but tensors and
            plain attributes.
    """
    try:
        with path.open("rb") as file, read_directory(path, file, _MAX_MEMBERS) as archive:
            roots = [name for name in archive.namelist() if PurePosixPath(name).name == "data.pkl"]
            if len(roots) != 1:
                raise ValueError(f"{len(roots)} members are named data.pkl")
            root = PurePosixPath(roots[0])
            # Code may be compressed; it is not read.
            read = [item for item in archive.infolist() if item.filename.startswith(f"{root.parent}/data")]
            require_stored(read, path.stat().st_size)
            module = _Unpickler(archive, root).load()
        tensors: dict[str, torch.Tensor] = {}
        _collect(module, "", tensors, depth=0)
    except FileNotFoundError as error:
        raise MethodError(f"{path}: no such file; expected a TorchScript archive") from error
    except (OSError, ValueError, LookupError, TypeError, AttributeError, EOFError, RuntimeError) as error:
        raise MethodError(f"{path}: not a TorchScript archive that can be read ({error})") from error
    except (DataError, zipfile.BadZipFile, pickle.UnpicklingError) as error:
        raise MethodError(f"{path}: not a TorchScript archive that can be read ({error})") from error
    return tensors


class _Module:
    """Stands for a module of the archive, whatever its class: only its attributes count."""


class _Unpickler(pickle.Unpickler):
    def __init__(self, archive: zipfile.ZipFile, root: PurePosixPath) -> None:
        super().__init__(io.BytesIO(_read(archive, root)))
        self._archive = archive
        self._folder = root.parent / "data"

    def find_class(self, module: str, name: str) -> Any:
        if module.split(".")[0] == "__torch__":
            return _Module
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuild
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if module == "torch" and name in _DTYPES:
            return _DTYPES[name]
        if module == "torch.jit._pickle" and name in _LIST_BUILDERS:
            return _same
        if (module, name) == ("torch.jit._pickle", "restore_type_tag"):
            return _untagged
        raise pickle.UnpicklingError(f"it holds a {module}.{name}")

    def persistent_load(self, reference: Any) -> torch.Tensor:
        kind, dtype, key, _, count = reference
        if kind != "storage" or not isinstance(key, str) or not key.isdigit() or not isinstance(dtype, torch.dtype):
            raise pickle.UnpicklingError("it refers to something that is no tensor")
        content = bytearray(_read(self._archive, self._folder / key))
        if len(content) != count * dtype.itemsize:
            raise pickle.UnpicklingError(f"tensor {key} has {len(content)} bytes for {count} values")
        return torch.frombuffer(content, dtype=dtype) if content else torch.empty(0, dtype=dtype)


def _read(archive: zipfile.ZipFile, name: PurePosixPath) -> bytes:
    return archive.read(str(name))


def _rebuild(storage: torch.Tensor, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: Any) -> Any:
    # Raises when it would reach beyond the storage.
    return storage.as_strided(size, stride, offset)


def _same(values: list[Any]) -> list[Any]:
    return values


def _untagged(value: Any, tag: str) -> Any:
    return value


def _collect(value: object, name: str, tensors: dict[str, torch.Tensor], depth: int) -> None:
    if depth > _DEEPEST:
        raise ValueError(f"modules are nested more than {_DEEPEST} deep")
    for key, child in vars(value).items() if isinstance(value, _Module) else ():
        if isinstance(child, torch.Tensor):
            tensors[name + key] = child
        elif isinstance(child, _Module):
            _collect(child, f"{name}{key}.", tensors, depth + 1)
