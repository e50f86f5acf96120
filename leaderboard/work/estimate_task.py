"""What the bounded process does with a pair of images: run a method on it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ffbench.protocol import NumpyFlows, Pair

PAIR, FLOWS = "pair.npz", "flows.npz"
_NO_MEMORY = ("can't allocate memory", "not enough memory", "Insufficient memory", "out of memory", "std::bad_alloc")
"""How PyTorch, OpenCV and C++ say it."""


def answer(folder: Path, request: dict[str, Any]) -> dict[str, Any]:
    """Run the method on the images of `PAIR`, and on the swapped ones too if the backward flow is wanted.

    Writes `FLOWS`: `facial` and, where the method decomposes, `head`, both (H, W, 2) float32 in px; and the same of the
    backward flow under `backward_facial` and `backward_head`.

    Returns:
        `seconds` that the method took, its loading not counted.

    Raises:
        FfbenchError: the method cannot be loaded, or failed.
        MemoryError: it needs more than this process may have.
    """
    from ffbench.protocol import Pair

    with np.load(folder / PAIR, allow_pickle=False) as images:
        pair = Pair("pair", images["image1"], images["image2"], None)
    forward, backward, seconds = run_method(request, [pair], backward=request["backward"])
    arrays: dict[str, Any] = {}
    for prefix, flows in (("", forward[0]), ("backward_", backward[0])):
        if flows is not None:
            parts = {"facial": flows.facial, "head": flows.head}
            arrays |= {f"{prefix}{name}": flow for name, flow in parts.items() if flow is not None}
    np.savez(folder / FLOWS, **arrays)
    return {"seconds": seconds}


def run_method(
    request: dict[str, Any], pairs: Sequence[Pair[Any]], *, backward: bool
) -> tuple[Sequence[NumpyFlows], Sequence[NumpyFlows | None], float]:
    """Run the method that a request names, pair by pair.

    Returns:
        The flows, the backward flows if they are wanted, and the seconds that the method took.

    Raises:
        FfbenchError: the method cannot be loaded, or failed.
        MemoryError: it needs more than this process may have.
    """
    import cv2

    from ffbench.errors import MethodError
    from ffbench.evaluation.source import MethodSource
    from ffbench.registry import load_method

    try:
        source = MethodSource(load_method(request["method"], installed_only=True))
        found = [source.flows([pair], backward) for pair in pairs]
    except (RuntimeError, cv2.error, MethodError) as error:
        # What a method raises while it is built is the cause of a MethodError.
        if any(words in str(error.__cause__ or error) for words in _NO_MEMORY):
            raise MemoryError from error
        raise
    return [one[0][0] for one in found], [one[1][0] for one in found], sum(one[2] for one in found)
