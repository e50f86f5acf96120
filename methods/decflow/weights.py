"""Weight files of the family: safetensors whose metadata say what network they are of and how it was trained."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import safetensors.torch
import torch
from pydantic import BaseModel, ConfigDict, ValidationError

from ffbench.errors import MethodError
from ffbench.io.atomic import atomic_path
from ffbench.io.json_models import first_fault

from .config import CorrectorConfig, LightConfig, NetworkConfig, PaperConfig
from .networks.base import FlowNetwork
from .networks.corrector import DecFlowCorrector
from .networks.gma import DecFlow
from .networks.light import DecFlowLight
from .official import is_official, load_official
from .semantic import SemanticEncoder
from .tensors import fill, read_safetensors, read_tensor_file

FORMAT = "ffbench-decflow-1"
Training = Mapping[str, str | int | float | bool]
_ENTRY = "ffbench"


class _Header(BaseModel):
    """What the metadata of a file say."""

    model_config = ConfigDict(extra="forbid")

    format: Literal["ffbench-decflow-1"]
    config: NetworkConfig
    training: dict[str, str | int | float | bool]


def create_network(config: PaperConfig | LightConfig | CorrectorConfig) -> FlowNetwork:
    """Build the network that a config describes, with random weights.

    Raises:
        DataError: the semantic encoder `facemesh` is asked for and cannot be fetched.
    """
    if isinstance(config, PaperConfig):
        return DecFlow(config)
    return DecFlowCorrector(config) if isinstance(config, CorrectorConfig) else DecFlowLight(config)


def save_weights(path: Path, network: FlowNetwork, training: Training, dtype: torch.dtype = torch.float32) -> None:
    """Write a network's weights, atomically.

    Args:
        path: a `.safetensors` file.
        network: its `config` goes into the metadata; a semantic encoder that is an asset is left out.
        training: how it was trained (recipe, steps, seeds, scores, commit, ...), for the model card.
        dtype: what floating-point values are stored as; they are read as float32.

    Raises:
        DataError: the file cannot be written.
    """
    tensors = {
        key: (value.to(dtype) if value.is_floating_point() else value).contiguous().cpu()
        for key, value in network.state_dict().items()
        if not _is_fetched(network, key)
    }
    header = {"format": FORMAT, "config": network.config.model_dump(), "training": dict(training)}
    with atomic_path(path) as temporary:
        # One entry: safetensors writes several in no fixed order, and equal weights are to make equal files.
        safetensors.torch.save_file(tensors, temporary, {_ENTRY: json.dumps(header)})


def weights_architecture(path: Path) -> str:
    """Name the architecture that a file of `save_weights` is of.

    Raises:
        MethodError: the file is missing, unreadable or none.
    """
    return _read_header(path, read_safetensors(path)[1]).config.architecture


def load_weights(path: Path, architecture: str) -> tuple[FlowNetwork, Training]:
    """Read a network: a file of `save_weights`, or for `decflow` the authors' `.pth`.

    Args:
        path: the file.
        architecture: `decflow` or `decflow-s`.

    Returns:
        The network in evaluation mode, and how it was trained as the file tells.

    Raises:
        MethodError: the file is missing, unreadable, of another architecture, or has values that are not finite.
        DataError: its semantic encoder is an asset that cannot be fetched.
    """
    if path.suffix == ".safetensors":
        network, training = _read_own(path, architecture)
    else:
        network, training = _read_official(path, architecture), {"recipe": "released by the authors"}
    network.eval()
    return network, training


def _read_own(path: Path, architecture: str) -> tuple[FlowNetwork, Training]:
    tensors, metadata = read_safetensors(path)
    header = _read_header(path, metadata)
    config, training = header.config, header.training
    if config.architecture != architecture:
        raise MethodError(
            f"{path}: weights of {config.architecture}; use them with --method {config.architecture}, "
            f"or name weights of {architecture}"
        )
    network = create_network(config)
    fetched = {key: value for key, value in network.state_dict().items() if _is_fetched(network, key)}
    fill(network, {**tensors, **fetched}, str(path))
    return network, training


def _read_header(path: Path, metadata: Mapping[str, str]) -> _Header:
    if _ENTRY not in metadata:
        raise MethodError(f"{path}: not weights of this method: expected metadata named '{_ENTRY}' ({FORMAT})")
    try:
        return _Header.model_validate_json(metadata[_ENTRY])
    except ValidationError as error:
        raise MethodError(f"{path}: its metadata are not valid: {first_fault(error, 'JSON')}") from error


def _read_official(path: Path, architecture: str) -> FlowNetwork:
    tensors = read_tensor_file(path)
    if architecture != "decflow" or not is_official(tensors):
        some = ", ".join(list(tensors)[:3])
        raise MethodError(
            f"{path}: not weights of {architecture}: expected a .safetensors file of ffbench"
            + (" or the authors' checkpoint" if architecture == "decflow" else "")
            + f", found keys such as {some}"
        )
    network = DecFlow(PaperConfig(semantic="dad3d", semantic_input="symmetric"))
    load_official(network, tensors, str(path))
    return network


def _is_fetched(network: FlowNetwork, key: str) -> bool:
    encoder = getattr(network, "semantic", None)
    return key.startswith("semantic.") and isinstance(encoder, SemanticEncoder) and not encoder.stored
