"""Inference on a GPU, as `ffbench eval` runs it: `make bench-gpu`.

    python ci/gpu.py [DEVICE [SECONDS]] > gpu.json

Each method is run by each path (precision, compiled or not, pairs at once) on textured images, copies to the device and
back included, and its flow is held to that of the plain path: float32, not compiled, one pair. The table goes to
stderr. No path is begun after SECONDS (300 where none are given), so that the whole stays under 8 minutes; those that
were not reached are named.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ffbench.errors import FfbenchError
from ffbench.evaluation.fast_path import pixel_differences
from ffbench.evaluation.source import MethodSource
from ffbench.flows import NumpyFlows
from ffbench.protocol import Pair
from ffbench.results.record.environment import environment
from ffbench.results.tables import Table, as_text
from ffbench.testing.canary import textured_image
from ffbench.timing import load_for_timing

METHODS = ("decflow-s", "decflow-c", "raft", "gma")
ROUNDS = 5
_HEADS = ("method", "precision", "compiled", "pairs at once", "pairs/s", "memory, MiB", "largest difference, px")


@dataclass(frozen=True)
class Path:
    """One way to run a method."""

    precision: Any
    compile: bool
    batch: int


PLAIN = Path("fp32", False, 1)
PATHS = (PLAIN, Path("fp32", False, 8), Path("bf16", False, 8), Path("fp16", False, 8), Path("fp16", True, 8))


@dataclass(frozen=True)
class Measured:
    """What one method took by one path.

    Attributes:
        seconds: a pair, the median of the rounds, copies included.
        memory: the largest allocation on the device, MiB; None on a CPU.
        difference: of the flow from that of the plain path, the largest at any pixel, px.
    """

    method: str
    path: Path
    seconds: float
    memory: float | None
    difference: float


def measure(
    methods: Sequence[str], device: str, height: int, width: int, paths: Sequence[Path] = PATHS, seconds: float = 300
) -> tuple[list[Measured], list[str]]:
    """Run methods by all paths, the plain one first; give what was measured, and a line for each that was not.

    Args:
        methods: names; one without weights of its own runs with random ones, which takes as long.
        device: `cuda`, or `cpu` to see that the paths agree.
        height, width: of the images, px.
        paths: besides the plain one.
        seconds: after which no path is begun.
    """
    ends = time.monotonic() + seconds
    first = np.uint8(np.round(255 * textured_image(height, width)))
    found, left = [], []
    plain: dict[str, NumpyFlows] = {}
    # Compiling takes longest, so it comes last for every method.
    for path in (PLAIN, *sorted((path for path in paths if path != PLAIN), key=lambda path: path.compile)):
        for name in methods:
            if time.monotonic() > ends:
                left.append(f"{name} by {path}: no time was left")
                continue
            if path != PLAIN and name not in plain:
                left.append(f"{name} by {path}: its plain path was not measured")
                continue
            try:
                source = MethodSource(load_for_timing(name, device, path.precision, compile=path.compile))
                pairs = [Pair(str(k), first, np.roll(first, (-2, 3 + k), (0, 1)), None) for k in range(path.batch)]
                flows, taken = _run(source, pairs)
            except FfbenchError as error:
                left.append(f"{name} by {path}: {error}")
                continue
            difference = float(pixel_differences(flows, plain.setdefault(name, flows)).max())
            found.append(Measured(name, path, taken / path.batch, source.peak_memory_mb(), difference))
    return found, left


def _run(source: MethodSource, pairs: Sequence[Pair[Any]]) -> tuple[NumpyFlows, float]:
    """Return the flow of the first pair, and the seconds that all of them took, the first run left out."""
    forward, _, _ = source.flows(pairs, backward=False)
    return forward[0], statistics.median(source.flows(pairs, backward=False)[2] for _ in range(ROUNDS))


def table(found: Sequence[Measured], title: str) -> Table:
    """Return a line for each path of each method."""
    rows = tuple(
        (
            one.method,
            one.path.precision,
            "yes" if one.path.compile else "no",
            str(one.path.batch),
            f"{1 / one.seconds:.3g}",
            "-" if one.memory is None else f"{one.memory:.0f}",
            f"{one.difference:.2g}",
        )
        for one in found
    )
    return Table(title, _HEADS, rows, frozenset({0, 1, 2}))


def main(device: str = "cuda", seconds: str = "300") -> None:
    """Measure, and print the table on stderr and the JSON document on stdout."""
    import torch

    if device == "cuda" and not torch.cuda.is_available():
        sys.exit("PyTorch sees no GPU here; `python ci/gpu.py cpu 60` tries the script without one")
    found, left = measure(METHODS, device, 512, 512, seconds=float(seconds))
    print(as_text(table(found, f"512x512 px on {device}, {ROUNDS} rounds")), *left, sep="\n", file=sys.stderr)
    where = environment(torch.device(device)).model_dump()
    print(json.dumps({"environment": where, "measured": [asdict(one) for one in found], "left": left}, indent=1))


if __name__ == "__main__":
    main(*sys.argv[1:])
