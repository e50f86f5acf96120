"""Files of named tensors, and filling a network with them strictly."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import nn

from ffbench.errors import MethodError
from ffbench.formats import checkpoint_files

_SHOWN = 3


def read_tensor_file(path: Path) -> dict[str, torch.Tensor]:
    """Read a safetensors file, or a PyTorch checkpoint with `weights_only=True`.

    A checkpoint's `state_dict` is taken out of it, and the prefix `module.` of data-parallel training off
    every key.

    Raises:
        MethodError: the file is missing or unreadable, or holds something else than named tensors.
    """
    if path.suffix == ".safetensors":
        return read_safetensors(path)[0]
    try:
        content = checkpoint_files.read_checkpoint(path)
    except FileNotFoundError as error:
        raise MethodError(f"{path}: no such file; expected a checkpoint") from error
    except (OSError, ValueError) as error:
        raise MethodError(f"{path}: not a PyTorch checkpoint that can be read safely ({error})") from error
    if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        content = content["state_dict"]
    if not isinstance(content, Mapping) or not all(isinstance(value, torch.Tensor) for value in content.values()):
        raise MethodError(f"{path}: not a checkpoint; expected named tensors, found {type(content).__name__}")
    return {str(key).removeprefix("module."): value for key, value in content.items()}


def read_safetensors(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """Read the tensors and the metadata of a safetensors file.

    Raises:
        MethodError: the file is missing or is none.
    """
    try:
        return checkpoint_files.read_safetensors(path)
    except FileNotFoundError as error:
        raise MethodError(f"{path}: no such file; expected a safetensors file") from error
    except (OSError, ValueError) as error:
        raise MethodError(f"{path}: not a readable safetensors file ({error})") from error


def fill(network: nn.Module, tensors: Mapping[str, torch.Tensor], source: str) -> None:
    """Copy `tensors` into a network, all of them into all of its parameters and buffers.

    Counts of batches, which BatchNorm does not use, may be missing.

    Raises:
        MethodError: keys that do not fit, shapes that differ, or values that are not finite; the network is
            left as it was.
    """
    own = network.state_dict()
    missing = [key for key in own if key not in tensors and not key.endswith("num_batches_tracked")]
    unknown = [key for key in tensors if key not in own]
    if missing or unknown:
        raise MethodError(f"{source}: weights of another network: {describe(missing, unknown)}")
    for key, value in tensors.items():
        if value.shape != own[key].shape:
            raise MethodError(f"{source}: {key} is {tuple(value.shape)}, expected {tuple(own[key].shape)}")
        if not torch.isfinite(value).all():
            raise MethodError(f"{source}: {key} has values that are not finite; the file is damaged or training failed")
    with torch.no_grad():
        for key, value in tensors.items():
            own[key].copy_(value)


def describe(missing: list[str], unknown: list[str]) -> str:
    """Name the first few keys that do not fit."""
    parts = []
    for title, keys in (("missing", missing), ("unknown", unknown)):
        if keys:
            more = f" and {len(keys) - _SHOWN} more" if len(keys) > _SHOWN else ""
            parts.append(f"{title} {', '.join(keys[:_SHOWN])}{more}")
    return "; ".join(parts)
