"""The command line in a process of its own, which tells what it has imported: `python -m tests.torchless COMMAND ...`.

Its protocol and its method import PyTorch no sooner than they are run, as those that ship do.
"""

from __future__ import annotations

import os
import sys
from importlib.metadata import EntryPoint

import numpy as np

from ffbench import cli, registry
from ffbench.protocol import (
    DatasetCard,
    MetricCard,
    NumpyFlows,
    Pair,
    PairScore,
    Protocol,
    ProtocolCard,
    ProtocolEntry,
    StatedScoring,
    Term,
)
from tests.core_only import block

VERSION = "1.0"
PAIRS = 6
SIZE = (12, 16)
CARD = ProtocolCard(
    id="plain",
    version=VERSION,
    title="Plain",
    primary="epe",
    metrics={"epe": MetricCard(title="Endpoint error", unit="px", minimum=0)},
)


class Plain(Protocol[float]):
    """Grey pairs whose true flow is (key's number, 0); scored by EPE over all pixels."""

    card = CARD
    dataset = DatasetCard(name="plain", origin="synthetic", reference="ground truth", manifest_sha256="0" * 64)

    def keys(self) -> list[str]:
        return [f"{number:03d}" for number in range(PAIRS)]

    def load(self, key: str) -> Pair[float]:
        image = np.full((*SIZE, 3), 128, np.uint8)
        return Pair(key, image, image, float(key))

    def score(self, pair: Pair[float], forward: NumpyFlows, backward: NumpyFlows | None) -> PairScore:
        error = np.hypot(forward.facial[..., 0].astype(np.float64) - pair.reference, forward.facial[..., 1])
        return PairScore(pair.key, {"epe": Term(float(error.sum()), error.size)})


plain = ProtocolEntry("grey pairs", load=lambda request: Plain(), scoring=lambda card: StatedScoring(CARD))


def main() -> None:
    """Run the command; on the last line of stderr stands whether PyTorch was imported.

    With `CORE_ONLY` in the environment nothing can be imported that an extra installs.
    """
    if "CORE_ONLY" in os.environ:
        block()
    points = {
        registry.METHOD_GROUP: [EntryPoint("zero", "ffbench.methods.baselines:zero", registry.METHOD_GROUP)],
        registry.PROTOCOL_GROUP: [EntryPoint("plain", "tests.torchless:plain", registry.PROTOCOL_GROUP)],
    }
    registry.entry_points = lambda group: points[group]  # type: ignore[assignment, attr-defined]
    try:
        cli.main()
    finally:
        print(f"torch: {'torch' in sys.modules}", file=sys.stderr)


if __name__ == "__main__":
    main()
