"""Whether a fast path of a method, compiled or in half precision, gives the flow of the plain one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ffbench.errors import MethodError, UsageError
from ffbench.evaluation.source import MethodSource
from ffbench.flows import NumpyFlows
from ffbench.protocol import Pair

if TYPE_CHECKING:
    from ffbench.run_config import RunConfig

MOST_PX = 0.01
"""Largest difference at any pixel that a fast path may make."""


@dataclass(frozen=True)
class FastPathDifference:
    """How far the flow of a fast path is from that of the plain one, on one pair.

    Attributes:
        largest, mean: length of the difference over all pixels of facial and head flow, px.
        ratio: seconds of the plain path over those of the fast one, each after a first run.
    """

    largest: float
    mean: float
    ratio: float


def pixel_differences(one: NumpyFlows, other: NumpyFlows) -> npt.NDArray[np.float64]:
    """Return how far two flows are apart at each pixel, px: of facial flow, and of head flow where both have it."""
    parts = [(one.facial, other.facial), (one.head, other.head)]
    return np.concatenate(
        [np.linalg.norm(a.astype(np.float64) - b, axis=2).ravel() for a, b in parts if a is not None and b is not None]
    )


def compare_fast_path(config: RunConfig, fast: MethodSource, pair: Pair[Any]) -> FastPathDifference:
    """Run a pair by a method as it is configured, and by the same method in float32 and not compiled.

    Args:
        config: of the method.
        fast: the method, as `config` loads it.
        pair: the pair.

    Raises:
        UsageError: the configuration is the plain one.
        MethodError: one of the two fails.
    """
    plain_config = replace(config, compile=False, precision="fp32")
    if plain_config == config:
        raise UsageError("--check compares a fast path with the plain one: give --compile or --precision")
    plain = MethodSource(plain_config.load(), fast.clock)
    (expected, slow), (found, quick) = (_second_run(source, pair) for source in (plain, fast))
    lengths = pixel_differences(found, expected)
    return FastPathDifference(float(lengths.max()), float(lengths.mean()), slow / max(quick, 1e-9))


def require_fast_path(config: RunConfig, fast: MethodSource, pair: Pair[Any]) -> FastPathDifference:
    """Return `compare_fast_path`, if no pixel differs by more than `MOST_PX`.

    Raises:
        UsageError: the configuration is the plain one.
        MethodError: a pixel differs by more, or one of the two fails.
    """
    found = compare_fast_path(config, fast, pair)
    if not found.largest <= MOST_PX:
        raise MethodError(
            f"{fast.card.id}: the fast path is off by up to {found.largest:.2g} px (mean {found.mean:.2g} px, pair "
            f"{pair.key}), expected at most {MOST_PX} px: leave out --compile and --precision, or --check"
        )
    return found


def _second_run(source: MethodSource, pair: Pair[Any]) -> tuple[Any, float]:
    for _ in range(2):
        (flows,), _, seconds = source.flows([pair], backward=False)
    return flows, seconds
