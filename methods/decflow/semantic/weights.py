"""Fills a semantic encoder with values that were trained elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import nn

from ffbench.errors import MethodError
from ffbench.packages.torchvision_ops import make_importable

from ..config import SemanticName
from ..tensors import fill, read_tensor_file
from .resnet import from_pytorchcv, from_torchvision
from .torchscript import read_tensors

_INSIDE = "semantic."  # what its entries begin with in the weights of a whole network
_DAD3D_STEM = "init_block.conv.conv.weight"


def load_semantic_weights(encoder: nn.Module, name: SemanticName, path: Path | None) -> None:
    """Fill an encoder that `create_semantic_encoder(name)` built.

    Args:
        encoder: filled in place.
        name: `dad3d` takes DAD-3DNet's `dad_3dheads.trcd`, of which only tensors are read and no code is
            run; `imagenet` takes a file of torchvision's ResNet-50, or None for torchvision's own download
            (`IMAGENET1K_V1`); `pytorchcv` a file of its resnet50, such as pytorchcv keeps in `~/.torch/models`;
            `synthetic` a safetensors file of the encoder, or of a network that has one.
        path: the file.

    Raises:
        MethodError: the file is missing, unreadable or of another network, or a download fails.
    """
    if name == "dad3d" and path is not None:
        tensors = read_tensors(path)
        stems = [key for key in tensors if key.endswith(_DAD3D_STEM)]
        if len(stems) != 1:
            raise MethodError(f"{path}: no ResNet-50 in it; expected DAD-3DNet's dad_3dheads.trcd")
        prefix = stems[0].removesuffix(_DAD3D_STEM)
        inside = {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
        fill(encoder, _translated(inside, from_pytorchcv), str(path))
    elif name == "imagenet":
        source = str(path or "torchvision's ResNet-50")
        fill(encoder, _translated(read_tensor_file(path) if path else _download(), from_torchvision), source)
    elif name == "pytorchcv" and path is not None:
        inside = {key.removeprefix("features."): value for key, value in read_tensor_file(path).items()}
        fill(encoder, _translated(inside, from_pytorchcv), str(path))
    elif name == "synthetic" and path is not None:
        tensors = read_tensor_file(path)
        inside = {key.removeprefix(_INSIDE): value for key, value in tensors.items() if key.startswith(_INSIDE)}
        fill(encoder, inside or tensors, str(path))
    else:
        raise MethodError(f"the semantic encoder '{name}' needs no weights file, or one must be named")


def _translated(tensors: Mapping[str, torch.Tensor], translate: Callable[[str], str | None]) -> dict[str, torch.Tensor]:
    return {ours: value for key, value in tensors.items() if (ours := translate(key)) is not None}


def _download() -> Mapping[str, torch.Tensor]:
    try:
        make_importable()
        from torchvision.models import ResNet50_Weights

        state: Mapping[str, torch.Tensor] = ResNet50_Weights.IMAGENET1K_V1.get_state_dict(check_hash=True)
    except (OSError, RuntimeError, ImportError) as error:
        raise MethodError(
            f"torchvision's ResNet-50 could not be fetched ({error}); name its file resnet50-0676ba61.pth instead"
        ) from error
    return state
