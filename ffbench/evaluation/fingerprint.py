"""What makes two runs the same run, so that one may go on where the other stopped."""

from __future__ import annotations

import hashlib
import inspect
import json
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ffbench.evaluation.source import FlowSource, MethodSource
from ffbench.paths import PACKAGE
from ffbench.protocol import LearningProtocol, Protocol, ProtocolCard

if TYPE_CHECKING:
    from ffbench.method import Method


def run_fingerprint(
    method: Method | FlowSource,
    protocol: Protocol[Any],
    batch_size: int,
    limit: int | None,
    card: ProtocolCard | None = None,
) -> str:
    """Hash all that a score depends on: both cards, the parameters, the dataset, the batches, and the source code.

    The source is part of it so that scores of a method that was edited in between are never mixed, and the parameters
    so that those of two checkpoints are not, whatever the method's card says. `card` stands in for the protocol's own.
    """
    source = method if isinstance(method, FlowSource) else MethodSource(method)
    parts = {
        "method": source.card.model_dump(mode="json"),
        "parameters": source.parameters_sha256(),
        "protocol": (card or protocol.card).model_dump(mode="json"),
        "dataset": protocol.dataset.model_dump(mode="json"),
        "batch_size": batch_size,
        "limit": limit,
        "device": source.device.type if source.device is not None else "cpu",
        "submission": source.submission and source.submission.model_dump(mode="json"),
        "torch": metadata.version("torch"),
        "source": _source_sha256(PACKAGE, *_methods_source(source), _source(protocol)),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def pairs_fingerprint(
    method: Method | FlowSource, protocol: LearningProtocol[Any], batch_size: int, limit: int | None
) -> str:
    """Hash all that the descriptors of pairs depend on: `run_fingerprint` less variant, version and learning options.

    The version may be that of a variant; what code makes descriptors is known by its source.
    """
    options = {name: value for name, value in protocol.card.options.items() if name not in protocol.learning_options}
    card = protocol.card.model_copy(update={"variant": "", "version": "", "options": options})
    return run_fingerprint(method, protocol, batch_size, limit, card)


def _methods_source(source: FlowSource) -> list[Path | None]:
    """Return the code of a source of flows: of the method, and of those that it wraps."""
    if source.method is None:
        return [_source(source)]
    from ffbench.method import Method

    places, method = [], source.method
    while True:
        places.append(_source(method))
        wrapped = getattr(method, "wrapped", None)
        if not isinstance(wrapped, Method):
            return places
        method = wrapped


def _source(instance: object) -> Path | None:
    """Give the folder of the package that defines the class of `instance`, or its file outside a package."""
    try:
        file = Path(inspect.getfile(type(instance)))
    except (TypeError, OSError):
        return None  # defined in an interactive session
    return file.parent if (file.parent / "__init__.py").exists() else file


def _source_sha256(*places: Path | None) -> str:
    digest = hashlib.sha256()
    for place in places:
        if place is None:
            continue
        for file in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            digest.update(f"{file.relative_to(place.parent)}\n".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()
