"""What makes two runs the same run, so that one may go on where the other stopped."""

from __future__ import annotations

import hashlib
import inspect
import json
from pathlib import Path
from typing import Any

import torch

import ffbench
from ffbench.evaluation.source import FlowSource
from ffbench.method import Method
from ffbench.protocol import Protocol, ProtocolCard


def run_fingerprint(
    method: Method | FlowSource,
    protocol: Protocol[Any],
    batch_size: int,
    limit: int | None,
    card: ProtocolCard | None = None,
) -> str:
    """Hash all that a score depends on: both cards, the dataset, the batches, and the source code behind them.

    The source is part of it so that scores of a method that was edited in between are never mixed. `card` stands in
    for the protocol's own.
    """
    parts = {
        "method": method.card.model_dump(mode="json"),
        "protocol": (card or protocol.card).model_dump(mode="json"),
        "dataset": protocol.dataset.model_dump(mode="json"),
        "batch_size": batch_size,
        "limit": limit,
        "device": method.device.type,
        **_submission(method),
        "torch": torch.__version__,
        "source": _source_sha256(Path(ffbench.__file__).parent, _source(method), _source(protocol)),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def pairs_fingerprint(method: Method | FlowSource, protocol: Protocol[Any], batch_size: int, limit: int | None) -> str:
    """Hash all that the descriptors of pairs depend on: `run_fingerprint` less variant, version and learning options.

    The version may be that of a variant; what code makes descriptors is known by its source.
    """
    options = {name: value for name, value in protocol.card.options.items() if name not in protocol.learning_options}
    card = protocol.card.model_copy(update={"variant": "", "version": "", "options": options})
    return run_fingerprint(method, protocol, batch_size, limit, card)


def _submission(method: Method | FlowSource) -> dict[str, Any]:
    submission = method.submission if isinstance(method, FlowSource) else None
    return {} if submission is None else {"submission": submission.model_dump(mode="json")}


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
