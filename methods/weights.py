"""Checkpoints of networks: found in a cache or fetched, verified by SHA-256, and read without running code."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import torch

from ffbench.errors import MethodError, reason
from ffbench.formats import checkpoint_files
from ffbench.io.hashing import file_sha256
from ffbench.method import RANDOM_WEIGHTS, MethodRequest, WeightsCard
from ffbench.paths import cache_dir

_HASH_IN_NAME = re.compile(r"-([0-9a-f]{8,64})\.[^.]+$")


def weight_folders() -> tuple[Path, Path]:
    """Where published checkpoints are looked for: PyTorch's own cache, then `weights` in ffbench's."""
    return Path(torch.hub.get_dir()) / "checkpoints", cache_dir() / "weights"


def published_file(url: str, wanted_by: str) -> Path:
    """Return the checkpoint that was published under `url`: from a cache folder, or fetched into PyTorch's.

    Published names end in the first digits of the file's sha256 (`raft-sintel-fb44381e.ckpt`), which are
    checked whether the file was fetched now or found.

    Args:
        url: where the file was published.
        wanted_by: the method, for the error.

    Raises:
        MethodError: the file has another hash, or is in no cache folder and cannot be fetched.
    """
    name = Path(urlsplit(url).path).name
    for folder in weight_folders():
        if (folder / name).is_file():
            _check_hash(folder / name)
            return folder / name
    target = weight_folders()[0] / name
    digits = _HASH_IN_NAME.search(name)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # Writes to a temporary file and moves it into place once the hash is right.
        torch.hub.download_url_to_file(url, str(target), digits.group(1) if digits else None)
    except (OSError, RuntimeError) as error:  # URLError is an OSError; a wrong hash is a RuntimeError
        folders = " or ".join(str(folder) for folder in weight_folders())
        raise MethodError(
            f"{wanted_by}: weights {name} are not in {folders} and cannot be fetched ({reason(error)}); "
            f"put the file of {url} there, or give --weights FILE (`--weights random` for speed runs)"
        ) from error
    return target


def read_checkpoint(path: Path, allowed: Sequence[Any] = ()) -> Mapping[str, Any]:
    """Read a checkpoint file, safetensors or PyTorch's own format, onto the CPU; no code in it is run.

    Args:
        path: the file.
        allowed: types beyond PyTorch's own list that may be in it, as `torch.serialization.safe_globals` takes them.

    Raises:
        MethodError: the file is missing, damaged, or holds something other than data.
    """
    if not path.is_file():
        raise MethodError(f"{path}: no such weights file")
    try:
        content = checkpoint_files.read_checkpoint(path, allowed=allowed)
    except (OSError, ValueError) as error:
        raise MethodError(f"{path}: cannot be read as a checkpoint ({error})") from error
    if not isinstance(content, Mapping):
        raise MethodError(f"{path}: expected a checkpoint with a state_dict, found {type(content).__name__}")
    return content


def state_of(checkpoint: Mapping[str, Any], path: Path) -> dict[str, torch.Tensor]:
    """Return the parameters of a checkpoint: what is under `state_dict` or `model`, else the whole of it.

    The prefix `module.` that DataParallel puts before every name is taken off.

    Raises:
        MethodError: there is no dictionary of tensors.
    """
    state = checkpoint.get("state_dict", checkpoint.get("model", checkpoint))
    if (
        not isinstance(state, Mapping)
        or not state
        or not all(isinstance(key, str) and isinstance(value, torch.Tensor) for key, value in state.items())
    ):
        raise MethodError(f"{path}: expected a dictionary of tensors or one under 'state_dict', found neither")
    prefix = "module." if all(key.startswith("module.") for key in state) else ""
    return {key.removeprefix(prefix): value for key, value in state.items()}


def load_requested(network: torch.nn.Module, request: MethodRequest) -> WeightsCard:
    """Put the weights that a request names into a network, and return the card that says which they are.

    Args:
        network: left as it is for `random`.
        request: what the user asked for.

    Raises:
        MethodError: it names none, or the file is missing, damaged or of another network.
    """
    if request.weights is None:
        raise MethodError(f"{request.name}: name a checkpoint with --weights FILE")
    if request.weights == RANDOM_WEIGHTS:
        return WeightsCard(name=RANDOM_WEIGHTS, source="untrained", random=True)
    file = Path(request.weights)
    load_state(network, state_of(read_checkpoint(file), file), file, request.name)
    return WeightsCard(name=file.name, source="file")


def load_state(network: torch.nn.Module, state: Mapping[str, torch.Tensor], path: Path, model: str) -> None:
    """Put parameters into a network, all of them and nothing else.

    Raises:
        MethodError: names or shapes differ; the message counts them and gives the first few.
    """
    expected = network.state_dict()
    problems = {
        "missing": [key for key in expected if key not in state],
        "unexpected": [key for key in state if key not in expected],
        "of another shape": [
            key for key, value in state.items() if key in expected and value.shape != expected[key].shape
        ],
    }
    found = [f"{len(keys)} {kind} ({_few(keys)})" for kind, keys in problems.items() if keys]
    if found:
        raise MethodError(f"{path}: not weights of {model}: {'; '.join(found)} of {len(expected)} expected")
    network.load_state_dict(dict(state))


def build_seeded(build: Callable[[], torch.nn.Module]) -> torch.nn.Module:
    """Build a network whose untrained parameters are the same each time, leaving the global generator alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return build()


def _check_hash(path: Path) -> None:
    digits = _HASH_IN_NAME.search(path.name)
    if digits is None:
        return
    found = file_sha256(path)
    if not found.startswith(digits.group(1)):
        raise MethodError(
            f"{path}: its sha256 starts with {found[: len(digits.group(1))]}, its name says {digits.group(1)}; "
            "it is damaged or not the published file: delete it and run again"
        )


def _few(keys: Sequence[str]) -> str:
    return ", ".join(keys[:3]) + (", ..." if len(keys) > 3 else "")
