"""What makes two runs the same run, so that one may go on where the other stopped."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ffbench.evaluation.closure import ancestors, files_sha256, import_closure, own_folders
from ffbench.evaluation.source import FlowSource, MethodSource
from ffbench.protocol import LearningProtocol, Protocol, ProtocolCard

if TYPE_CHECKING:
    from ffbench.method import Method

_SCORING = tuple(
    f"ffbench.evaluation.{name}" for name in ("batches", "journal", "scoring", "source", "learning.descriptors")
)
"""Modules that bring flows to a protocol and keep its scores."""


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
    # `card` is given where what is learnt does not matter, and then neither does what learns.
    learner = protocol.learner if card is None and isinstance(protocol, LearningProtocol) else None
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
        "source": _source_sha256(source, *_methods_of(source), protocol, *([] if learner is None else [learner])),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def method_fingerprint(source: MethodSource) -> str:
    """Hash all that a method's flow of given images depends on: its card, parameters, device and source code."""
    parts = {
        "method": source.card.model_dump(mode="json"),
        "parameters": source.parameters_sha256(),
        "device": source.device.type,
        "torch": metadata.version("torch"),
        "source": _source_sha256(*_methods_of(source)),
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


def _methods_of(source: FlowSource) -> Iterator[Method]:
    """Yield the method of a source of flows, and those that it wraps."""
    if source.method is None:
        return
    from ffbench.method import Method

    method: object = source.method
    while isinstance(method, Method):
        yield method
        method = getattr(method, "wrapped", None)


def _source_sha256(*instances: object) -> str:
    """Hash the code that objects run, and that brings flows to a protocol and keeps its scores.

    Of classes of ffbench it is what their modules import; of those of other packages also whatever else lies in the
    folder of the module.
    """
    folders, roots, also = own_folders(), list(_SCORING), set[Path]()
    for instance in instances:
        try:
            file = Path(inspect.getfile(type(instance))).resolve()
        except (TypeError, OSError):
            continue  # defined in an interactive session
        name = type(instance).__module__
        if name.partition(".")[0] == "ffbench":
            # What a package of methods or protocols says in its `__init__`, such as presets, matters too.
            is_kernel = not any(name.startswith(f"{tree}.") for tree in folders if tree != "ffbench")
            roots += [name] if is_kernel else ancestors(name)
        elif (file.parent / "__init__.py").exists():
            top = next(folder for folder in file.parents if not (folder.parent / "__init__.py").exists())
            folders[top.name] = top
            roots += ancestors(".".join(file.relative_to(top.parent).with_suffix("").parts))
            also.add(file.parent)
        else:
            folders[file.stem] = file.with_suffix("")
            roots.append(file.stem)
            # A file alone may import files beside it; where packages are installed these are others' files.
            if not any(part.endswith("-packages") for part in file.parts):
                folders[""] = file.parent
    return files_sha256(import_closure(roots, folders), also)
