"""Writing a method's flows as a submission."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ffbench.errors import UsageError
from ffbench.evaluation.batches import read_batches
from ffbench.evaluation.confidence import confidence_of_batch, write_confidence
from ffbench.evaluation.fingerprint import run_fingerprint
from ffbench.evaluation.source import MethodSource
from ffbench.flow.files import write_flow
from ffbench.locks import own_folder
from ffbench.method import Method
from ffbench.protocol import NumpyFlows, Progress, Protocol
from ffbench.submissions.manifest import CONFIDENCE, Kind, file_stem

FORMATS = ("flo", "flo5")
"""Formats that keep float32 exactly, so that a submission scores as the method itself does."""
_MARK = ".ffbench-predict"
"""Names the run that fills a folder; validation passes over hidden files."""


def predict(
    method: Method,
    protocol: Protocol[Any],
    out: Path | str,
    *,
    file_format: str = "flo",
    batch_size: int = 1,
    progress: Progress | None = None,
    not_found: list[str] | None = None,
    save_confidence: bool = False,
) -> list[str]:
    """Write the flows of all pairs to `out`, in the layout that `ffbench submit` takes.

    `facial/KEY.flo` for each pair; `head/KEY.flo` if the method decomposes; `backward/KEY.flo` if the protocol makes
    use of backward flows. With `save_confidence` also `confidence/KEY.npy`, (H, W) float32 from 0 to 1: the method's
    own, or that of forward-backward consistency, which takes a second run of the method. A run that was interrupted
    goes on where it stopped. `not_found` takes the keys of pairs in which the method found nothing to go by, such as a
    face (`Flows.found`).

    Returns:
        The problems of pairs that cannot be read, for which no flow is written.

    Raises:
        UsageError: a format that does not keep flows exactly, or another process is writing to `out`.
        DataError: `out` holds other files than an interrupted run of the same, or cannot be written.
        MethodError: the method failed.
    """
    out = Path(out)
    if file_format not in FORMATS:
        raise UsageError(f"format '{file_format}': expected {' or '.join(FORMATS)}, which keep a flow exactly")
    source = MethodSource(method)
    run = f"{run_fingerprint(source, protocol, batch_size, None)} {file_format}{' confidence' * save_confidence}\n"
    with own_folder(out, _MARK, run, "holds flows of another method, protocol, dataset or version"):
        kinds = _kinds(method, protocol)
        return _write(source, protocol, out, kinds, file_format, batch_size, progress, not_found, save_confidence)


def _write(
    source: MethodSource,
    protocol: Protocol[Any],
    out: Path,
    kinds: list[Kind],
    file_format: str,
    batch_size: int,
    progress: Progress | None,
    not_found: list[str] | None,
    save_confidence: bool,
) -> list[str]:
    keys = list(protocol.keys())

    def files(key: str) -> list[Path]:
        flows = [out / f"{file_stem(kind, key)}.{file_format}" for kind in kinds]
        return [*flows, _confidence_file(out, key)] if save_confidence else flows

    remaining = [key for key in keys if not all(file.is_file() for file in files(key))]
    problems: list[str] = []
    done = len(keys) - len(remaining)
    if progress:
        progress(done, len(keys))
    for batch in read_batches(protocol, remaining, batch_size, problems):
        forward, backward, _ = source.flows(batch, protocol.needs_backward)
        if save_confidence:
            confidences = confidence_of_batch(source, batch, forward, backward)
            for pair, confidence in zip(batch, confidences, strict=True):
                write_confidence(_confidence_file(out, pair.key), confidence)
        for pair, flows, back in zip(batch, forward, backward, strict=True):
            if not_found is not None and flows.found is not None and not flows.found.all():
                not_found.append(pair.key)
            for kind, flow in _fields(flows, back).items():
                write_flow(out / f"{file_stem(kind, pair.key)}.{file_format}", flow)
        done += len(batch)
        if progress:
            progress(done + len(problems), len(keys))
    return problems


def _confidence_file(out: Path, key: str) -> Path:
    return out / CONFIDENCE / f"{key}.npy"


def _kinds(method: Method, protocol: Protocol[Any]) -> list[Kind]:
    kinds: dict[Kind, bool] = {
        "facial": True,
        "head": method.card.decomposes,
        "backward": protocol.needs_backward,
    }
    return [kind for kind, wanted in kinds.items() if wanted]


def _fields(flows: NumpyFlows, backward: NumpyFlows | None) -> dict[Kind, Any]:
    fields: dict[Kind, Any] = {"facial": flows.facial, "head": flows.head}
    if backward is not None:
        fields["backward"] = backward.facial
    return {kind: flow for kind, flow in fields.items() if flow is not None}
