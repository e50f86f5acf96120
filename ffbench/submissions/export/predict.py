"""Writing a method's flows as a submission."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ffbench.errors import UsageError, reading, writing
from ffbench.evaluation.batches import read_batches
from ffbench.evaluation.confidence import confidence_of_batch, write_confidence
from ffbench.evaluation.fingerprint import run_fingerprint
from ffbench.evaluation.source import FlowKeeper, MethodSource
from ffbench.flow.files import write_flow
from ffbench.io.atomic import write_text
from ffbench.io.locks import own_folder
from ffbench.method import Method
from ffbench.protocol import NumpyFlows, Progress, Protocol
from ffbench.submissions.manifest import CONFIDENCE, NOT_FOUND, Kind, file_stem

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
    goes on where it stopped. `not_found.txt` and `not_found` take the keys of pairs in which the method found nothing
    to go by, such as a face, in one of the two directions (`Flows.found`); also those of an interrupted run.

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
        files = FlowFiles(out, method, protocol, file_format, not_found)
        return _write(source, protocol, out, files, batch_size, progress, save_confidence)


class FlowFiles(FlowKeeper):
    """Flows of pairs as files, in the layout that `ffbench submit` takes."""

    def __init__(
        self,
        out: Path | str,
        method: Method,
        protocol: Protocol[Any],
        file_format: str = "flo",
        not_found: list[str] | None = None,
    ) -> None:
        """Take note of the folder, and of the files that it will hold.

        Args:
            out: the folder; files of an interrupted run of the same may be in it.
            method: says whether there is a head flow.
            protocol: says whether there is a backward flow.
            file_format: one of `FORMATS`.
            not_found: takes the keys of `not_found.txt`.
        """
        self._out, self._format, self._kinds = Path(out), file_format, _kinds(method, protocol)
        self._lost = _Lost(self._out / NOT_FOUND, [] if not_found is None else not_found, set(protocol.keys()))

    def has(self, key: str) -> bool:
        """Whether the flows of a pair are there already."""
        return all(self._file(kind, key).is_file() for kind in self._kinds)

    def write(self, key: str, forward: NumpyFlows, backward: NumpyFlows | None) -> None:
        """Write the flows of a pair.

        Raises:
            DataError: they cannot be written.
        """
        if not (_is_found(forward) and (backward is None or _is_found(backward))):
            self._lost.add(key)
        for kind, flow in _fields(forward, backward).items():
            write_flow(self._file(kind, key), flow)

    def _file(self, kind: Kind, key: str) -> Path:
        return self._out / f"{file_stem(kind, key)}.{self._format}"


def _write(
    source: MethodSource,
    protocol: Protocol[Any],
    out: Path,
    files: FlowFiles,
    batch_size: int,
    progress: Progress | None,
    save_confidence: bool,
) -> list[str]:
    def has(key: str) -> bool:
        return files.has(key) and (not save_confidence or _confidence_file(out, key).is_file())

    keys = list(protocol.keys())
    remaining = [key for key in keys if not has(key)]
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
            files.write(pair.key, flows, back)
        done += len(batch)
        if progress:
            progress(done + len(problems), len(keys))
    return problems


def _confidence_file(out: Path, key: str) -> Path:
    return out / CONFIDENCE / f"{key}.npy"


class _Lost:
    """The keys of pairs in which nothing was found, in a file that a killed process leaves sound but for its last line.

    Attributes:
        keys: those that are in the file, in its order.
    """

    def __init__(self, path: Path, keys: list[str], known: set[str]) -> None:
        self._path, self.keys = path, keys
        if path.is_file():
            with reading(path):
                lines = path.read_text("utf-8", "replace").splitlines()
            self.keys += dict.fromkeys(line for line in lines if line in known)
            # Half of a line would become half of a name.
            write_text(path, "".join(f"{key}\n" for key in self.keys))
        self._noted = set(self.keys)

    def add(self, key: str) -> None:
        """Note a key, before the flows of its pair are written: no flow is there without it."""
        if key in self._noted:
            return
        with writing(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8", newline="\n") as file:
                file.write(f"{key}\n")
        self.keys.append(key)
        self._noted.add(key)


def _is_found(flows: NumpyFlows) -> bool:
    return flows.found is None or bool(flows.found.all())


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
