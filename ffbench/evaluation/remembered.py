"""Flows that the runs of one method share: each pair of images is estimated once, by whichever run comes first."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ffbench.evaluation.fingerprint import method_fingerprint
from ffbench.evaluation.source import FlowSource, MethodSource
from ffbench.flows import Flows, NumpyFlows
from ffbench.io.atomic import atomic_path
from ffbench.protocol import Pair

_SECONDS = "seconds"


class RememberedFlows(FlowSource):
    """Flows of a method, out of a folder where an earlier run left them.

    A file is known by the images of a batch and by all that the method's flow depends on, so that the digits are those
    of a run that estimates everything. The seconds are those that the estimate took when it was made.
    """

    def __init__(self, source: MethodSource, folder: Path) -> None:
        """Take what estimates, and the folder of the files; it need not be there."""
        self.source, self.folder = source, folder
        self.card, self.device, self.method = source.card, source.device, source.method
        self.distribution, self.clock = source.distribution, source.clock
        self._fingerprint = method_fingerprint(source)

    def parameters_sha256(self) -> str | None:
        """Return the hash of the method's parameters; None where there are none."""
        return self.source.parameters_sha256()

    def peak_memory_mb(self) -> float | None:
        """Return the largest allocation on the device, in MiB; None on a CPU."""
        return self.source.peak_memory_mb()

    def flows(
        self, batch: Sequence[Pair[Any]], backward: bool
    ) -> tuple[list[NumpyFlows], list[NumpyFlows] | list[None], float]:
        """Return the flows of a batch, as `MethodSource.flows` does.

        Raises:
            MethodError: the method failed; the message names the pairs.
            DataError: the flows cannot be written.
        """
        forward, seconds = self._one_way(batch)
        if not backward:
            return forward, [None] * len(batch), seconds
        back, more = self._one_way([replace(pair, image1=pair.image2, image2=pair.image1) for pair in batch])
        return forward, back, seconds + more

    def _one_way(self, batch: Sequence[Pair[Any]]) -> tuple[list[NumpyFlows], float]:
        path = self.folder / f"{self._key(batch)}.npz"
        known = _read(path, len(batch))
        if known is not None:
            return known
        flows, _, seconds = self.source.flows(batch, backward=False)
        _write(path, flows, seconds)
        return flows, seconds

    def _key(self, batch: Sequence[Pair[Any]]) -> str:
        digest = hashlib.sha256(f"{self._fingerprint} {self.clock}".encode())
        for pair in batch:
            for image in (pair.image1, pair.image2):
                digest.update(f"{image.shape}".encode())
                digest.update(np.ascontiguousarray(image).data)
        return digest.hexdigest()[:32]


def _write(path: Path, flows: Sequence[NumpyFlows], seconds: float) -> None:
    arrays: dict[str, Any] = {_SECONDS: seconds}
    for number, flow in enumerate(flows):
        parts = {"facial": flow.facial, "head": flow.head, "found": flow.found, "confidence": flow.confidence}
        arrays |= {f"{name} {number}": part for name, part in parts.items() if part is not None}
    with atomic_path(path) as temporary:
        np.savez(temporary, **arrays)


def _read(path: Path, count: int) -> tuple[list[NumpyFlows], float] | None:
    """Return the flows of a file and their seconds; None where there is none, or not a whole one."""
    try:
        with np.load(path, allow_pickle=False) as file:
            flows = [
                Flows(
                    file[f"facial {number}"],
                    file.get(f"head {number}"),
                    found=file.get(f"found {number}"),
                    confidence=file.get(f"confidence {number}"),
                )
                for number in range(count)
            ]
            return flows, float(file[_SECONDS])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
        return None
