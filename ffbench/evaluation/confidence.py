"""Confidence for every method: its own, or else that of forward-backward consistency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ffbench.evaluation.source import FlowSource
from ffbench.flow.confidence import forward_backward_confidence
from ffbench.io.atomic import atomic_path
from ffbench.method import Method
from ffbench.protocol import NumpyFlows, Pair
from ffbench.typing import Image

Confidence = npt.NDArray[np.float32]


def confidence_of_batch(
    source: FlowSource,
    batch: Sequence[Pair[Any]],
    forward: Sequence[NumpyFlows],
    backward: Sequence[NumpyFlows | None],
) -> list[Confidence]:
    """Return the confidence (H, W) of each pair of a batch, as `confidence_of_pair` does.

    Args:
        source: what estimates flows, and runs again where backward flows are needed and not there.
        batch, forward: pairs and their flows.
        backward: the backward flows where they are known, else None.
    """
    own = [flows.confidence for flows in forward]
    known = list(backward)
    if any(mine is None and back is None for mine, back in zip(own, known, strict=True)):
        swapped = [replace(pair, image1=pair.image2, image2=pair.image1) for pair in batch]
        known = list(source.flows(swapped, False)[0])
    return [
        _consistency(flows, back) if mine is None else mine
        for mine, flows, back in zip(own, forward, known, strict=True)
    ]


def confidence_of_pair(method: Method, image1: Image, image2: Image, forward: NumpyFlows) -> Confidence:
    """Return the confidence (H, W), 0 to 1, in the facial flow that a method gave for two images.

    It is the method's own where it gives one. Else the method runs again, from `image2` to `image1`, and the confidence
    is that of forward-backward consistency.
    """
    if forward.confidence is not None:
        return forward.confidence
    return _consistency(forward, method.estimate(image2, image1))


def write_confidence(path: Path, confidence: Confidence) -> None:
    """Write a confidence (H, W) as a `.npy` file of float32.

    Raises:
        DataError: the file cannot be written.
    """
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.save(file, confidence.astype(np.float32, copy=False), allow_pickle=False)


def _consistency(forward: NumpyFlows, backward: NumpyFlows | None) -> Confidence:
    if backward is None:
        raise ValueError("no backward flow")
    return forward_backward_confidence(forward.facial, backward.facial)
