"""Whose weights: what the kernel itself can say of the parameters that a method runs with.

A method's card is its own word. Here the file that a method is handed is hashed before it is read, and parameters that
the method holds are hashed as they are, so that scores of two checkpoints are never taken for those of one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from ffbench.errors import FfbenchError, MethodError, os_reason, reason, user_line
from ffbench.io.hashing import file_sha256
from ffbench.method import RANDOM_WEIGHTS, Method, MethodCard, MethodEntry, MethodRequest, WeightsCard


def build_method(entry: MethodEntry, request: MethodRequest) -> Method:
    """Build a method, and put onto its card what the kernel knows of its weights.

    Raises:
        FfbenchError: the method's own refusal, which comes first: it knows whether it takes weights at all.
        MethodError: the file is missing, is a folder, changed while it was read or cannot be used; or the method's
            card tells of other weights than it was given, or is missing.
    """
    given = None if request.weights is None else _given(request.weights)
    wanted = "" if request.weights is None else f" with --weights {request.weights}"
    try:
        method = entry.load(request)
    except (FfbenchError, MemoryError):
        raise
    except Exception as error:  # whatever other people's code may raise
        fault = given.fault if given else ""
        raise MethodError(
            fault or f"{request.name} cannot be built{wanted}: {reason(error)}{user_line(error)}"
        ) from error
    if not isinstance(method, Method):
        raise MethodError(f"{request.name}: gave {type(method).__name__}, expected a Method")
    if not isinstance(getattr(method, "card", None), MethodCard):
        raise MethodError(f"{request.name}: has no card, expected `card = MethodCard(id=..., title=...)`")
    if given is not None:
        method.card = _with_given(method.card, given)
    method.card = vouched_card(method)
    return method


def vouched_card(method: Method) -> MethodCard:
    """Return the card of a method, with weights on it wherever the method has parameters.

    Weights that the method names without a hash get that of the parameters. Where it names none, weights that nobody
    stated are put onto the card, and the record is not ranked.
    """
    card = method.card
    if card.weights is not None and (card.weights.random or card.weights.sha256 is not None):
        return card
    sha256 = parameters_sha256(method)
    if card.weights is not None:
        return _with_weights(card, card.weights.model_copy(update={"sha256": sha256}))
    if sha256 is None and not card.parameters:
        return card
    weights = WeightsCard(name="unknown", source="the method states none", sha256=sha256, stated=False)
    return _with_weights(card, weights)


def parameters_sha256(method: Method) -> str | None:
    """Hash names, types and values of all parameters and buffers that a method holds; None if it has no parameters.

    Networks are found in the attributes of the method, in lists and mappings there, and in methods that it wraps.
    """
    digest = hashlib.sha256()
    found = False
    for name, network in networks(method):
        found = found or next(network.parameters(), None) is not None
        for key, value in network.state_dict().items():
            if isinstance(value, torch.Tensor):
                digest.update(f"{name} {key} {value.dtype} {tuple(value.shape)}\n".encode())
                digest.update(_bytes(value))
    return digest.hexdigest() if found else None


def networks(method: Method) -> Iterator[tuple[str, torch.nn.Module]]:
    """Find the networks of a method, each with the name of the attribute that holds it."""
    waiting: list[tuple[str, object]] = [("", method)]
    seen = set()
    while waiting:
        name, holder = waiting.pop()
        if id(holder) in seen:
            continue
        seen.add(id(holder))
        if isinstance(holder, torch.nn.Module):
            yield name, holder
        elif isinstance(holder, Method):
            waiting += [(f"{name}.{key}", value) for key, value in vars(holder).items()]
        elif isinstance(holder, Mapping):
            waiting += [(f"{name}.{key}", value) for key, value in holder.items()]
        elif isinstance(holder, list | tuple):
            waiting += [(f"{name}.{index}", value) for index, value in enumerate(holder)]


def _bytes(value: torch.Tensor) -> bytes:
    try:
        return value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
    except (RuntimeError, TypeError, ValueError):  # sparse, quantized or not yet initialized
        return repr(value).encode()


@dataclass(frozen=True)
class _Given:
    """What the user named as weights; a file as it was before the method read it. `fault` says why it cannot be one."""

    name: str
    path: Path | None = None
    sha256: str | None = None
    stamp: tuple[int, ...] = ()
    fault: str = ""


def _given(weights: str | Path) -> _Given:
    if str(weights) == RANDOM_WEIGHTS:
        return _Given(RANDOM_WEIGHTS)
    path = Path(weights)
    if path.is_dir():
        return _Given(path.name, path, fault=f"{path}: is a folder, expected a weights file")
    if not path.is_file():
        return _Given(path.name, path, fault=f"{path}: no such weights file")
    try:
        return _Given(path.name, path, file_sha256(path), _stamp(path))
    except OSError as error:
        return _Given(path.name, path, fault=f"{path}: cannot be read ({os_reason(error)})")


def _with_given(card: MethodCard, given: _Given) -> MethodCard:
    """Compare a card with the weights that were given, and complete it."""
    stated = card.weights
    if given.fault:
        raise MethodError(given.fault)
    if given.path is None:
        if stated is not None and not stated.random:
            raise MethodError(f"{card.id}: was asked for random weights, and its card says '{stated.label}'")
        random = WeightsCard(name=RANDOM_WEIGHTS, source="the method states none", random=True, stated=False)
        return card if stated is not None else _with_weights(card, random)
    if _stamp(given.path) != given.stamp:
        raise MethodError(f"{given.path}: changed while {card.id} read it; copy the file and name the copy")
    if stated is None:
        weights = WeightsCard(name=given.name, source="file", sha256=given.sha256, stated=False)
    elif stated.sha256 not in (None, given.sha256) or stated.random:
        claimed = "random weights" if stated.random else f"SHA-256 {stated.sha256}"
        raise MethodError(f"{card.id}: its card says {claimed}, and it was given {given.path} ({given.sha256})")
    else:
        weights = stated.model_copy(update={"sha256": given.sha256})
    return _with_weights(card, weights)


def _with_weights(card: MethodCard, weights: WeightsCard) -> MethodCard:
    return card.model_copy(update={"weights": weights})


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        status = path.stat()
    except OSError:
        return ()
    return status.st_ino, status.st_size, status.st_mtime_ns
