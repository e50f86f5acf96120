"""How long methods take on the same two images, taken in turn, beside the least that their arithmetic needs.

Absolute times say little on a machine that others use; ratios of times taken in turn say more, since a slow moment
slows all of them.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch.utils.flop_counter import FlopCounterMode

from ffbench.cards import Precision
from ffbench.errors import MethodError
from ffbench.method import Method
from ffbench.results.tables import Table
from ffbench.run_config import RunConfig
from ffbench.testing.canary import textured_image
from ffbench.threads import limited

_PRODUCT = 1024  # side of the matrices whose product shows the rate
_SHIFT = (3, -2)  # px


@dataclass(frozen=True)
class Timing:
    """What one method took.

    Attributes:
        method: the id of its card.
        random: whether its weights are random, which changes no time.
        seconds: of each round, wall clock.
        ratio: median over the rounds of its time over that of the first method in the same round.
        operations: floating-point operations that PyTorch counts, two for a multiplication with its sum; None where
            it counts none, as for OpenCV's methods.
        floor: `operations` over the rate of a large matrix product in the same run, s.
    """

    method: str
    random: bool
    seconds: tuple[float, ...]
    ratio: float
    operations: int | None
    floor: float | None

    @property
    def median(self) -> float:
        """Seconds a pair, the median of the rounds."""
        return statistics.median(self.seconds)


def timing_table(timings: Sequence[Timing], title: str) -> Table:
    """Return a line for each method: seconds a pair, ratio to the first, operations, time over the floor."""
    rows = tuple(
        (
            timing.method + (" (random weights)" if timing.random else ""),
            f"{timing.median:.3g}",
            f"{min(timing.seconds):.3g} to {max(timing.seconds):.3g}",
            f"{timing.ratio:.3g}",
            "-" if timing.operations is None else f"{timing.operations / 1e9:.4g}",
            "-" if timing.floor is None else f"{timing.floor:.3g}",
            "-" if timing.floor is None else f"{timing.median / timing.floor:.3g}",
        )
        for timing in timings
    )
    heads = ("method", "s/pair, median", "least to most", f"over {timings[0].method}", "GFLOP", "floor s", "over floor")
    return Table(title, heads, rows, frozenset({0}))


def load_for_timing(name: str, device: str, precision: Precision = "fp32", *, compile: bool = False) -> Method:
    """Load a method for its speed: with random weights where it has none of its own.

    Raises:
        UsageError, MethodError: as of `load_method`.
    """
    config = RunConfig(name, device=device, precision=precision, compile=compile)
    try:
        return config.load()
    except MethodError as error:
        try:
            return replace(config, weights="random").load()
        except MethodError:
            raise error from None


def time_methods(
    methods: Sequence[Method],
    height: int,
    width: int,
    *,
    rounds: int = 5,
    threads: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> list[Timing]:
    """Run methods in turn on one pair of textured images, after one run each that is not counted.

    Args:
        methods: at least one, all on one device; the first is what the others are compared with.
        height, width: of the images, px.
        rounds: how often each is run.
        threads: of the processor that all libraries may use.
        progress: called with the runs that are done and the runs in all.

    Raises:
        MethodError: a method fails.
    """
    device = methods[0].device
    images = _pair(height, width, device)
    taken: list[list[float]] = [[] for _ in methods]
    runs, total = 0, len(methods) * (rounds + 1)
    with limited(threads), torch.inference_mode():
        rate = operation_rate(device)
        counted = []
        for method in methods:
            with FlopCounterMode(display=False) as counter:
                method.estimate(*images)
            counted.append(int(counter.get_total_flops()) or None)
            runs = _told(progress, runs, total)
        for _ in range(rounds):
            for method, seconds in zip(methods, taken, strict=True):
                seconds.append(_seconds(lambda method=method: method.estimate(*images), device))  # type: ignore[misc]
                runs = _told(progress, runs, total)
    return [
        Timing(
            method=method.card.id,
            random=method.card.weights is not None and method.card.weights.random,
            seconds=tuple(seconds),
            ratio=statistics.median(own / first for own, first in zip(seconds, taken[0], strict=True)),
            operations=operations,
            floor=None if operations is None else operations / rate,
        )
        for method, seconds, operations in zip(methods, taken, counted, strict=True)
    ]


def operation_rate(device: torch.device) -> float:
    """Return floating-point operations a second of a large float32 matrix product, the best of three."""
    matrix = torch.rand(_PRODUCT, _PRODUCT, device=device)
    _seconds(lambda: matrix @ matrix, device)
    return 2 * _PRODUCT**3 / min(_seconds(lambda: matrix @ matrix, device) for _ in range(3))


def _pair(height: int, width: int, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    first = torch.from_numpy(textured_image(height, width).transpose(2, 0, 1).copy())[None].to(device)
    return first, torch.roll(first, (_SHIFT[1], _SHIFT[0]), (2, 3))


def _seconds(call: Callable[[], object], device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    clock = time.perf_counter()
    call()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - clock


def _told(progress: Callable[[int, int], None] | None, runs: int, total: int) -> int:
    if progress is not None:
        progress(runs + 1, total)
    return runs + 1
