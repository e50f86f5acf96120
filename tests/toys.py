"""A method and a protocol small enough to know every number of."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import torch

from ffbench.errors import DataError, MethodError
from ffbench.method import Flows, Method, MethodCard, MethodEntry
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

VERSION = "1.0"


class BrightnessFlow(Method):
    """Says that everything moves right by 10 x the mean brightness of image 1, and down by the number of its calls."""

    def __init__(self, seconds: float = 0.0, fail_after: int | None = None) -> None:
        self.card = MethodCard(id="brightness", title="Brightness")
        self.seconds = seconds
        self.fail_after = fail_after
        self.batches: list[int] = []

    def forward(self, image1: torch.Tensor, image2: torch.Tensor) -> Flows[torch.Tensor]:
        if self.fail_after is not None and len(self.batches) >= self.fail_after:
            raise MethodError("brightness: out of light")
        self.batches.append(len(image1))
        time.sleep(self.seconds)
        flow = torch.zeros(image1.shape[0], 2, *image1.shape[2:])
        flow[:, 0] = 10 * image1.mean(dim=(1, 2, 3))[:, None, None]
        return Flows(flow)


STRIPES = ProtocolCard(
    id="stripes",
    version=VERSION,
    title="Stripes",
    primary="epe",
    metrics={"epe": MetricCard(title="Endpoint error", unit="px", minimum=0)},
    group_by=("parity",),
)


class Stripes(Protocol[float]):
    """Pairs of random images whose true flow is (key's number, 0); scored by EPE over all pixels."""

    fixed_weights = True

    def __init__(
        self, pairs: int = 12, *, unreadable: Sequence[int] = (), wide_from: int | None = None, backward: bool = False
    ) -> None:
        self.card = STRIPES
        self.dataset = DatasetCard(
            name="stripes", origin="synthetic", reference="ground truth", manifest_sha256="0" * 64
        )
        self.needs_backward = backward
        self.count, self.unreadable, self.wide_from = pairs, set(unreadable), wide_from

    def keys(self) -> list[str]:
        return [f"{number:03d}" for number in range(self.count)]

    def load(self, key: str) -> Pair[float]:
        number = int(key)
        if number in self.unreadable:
            raise DataError(f"stripes/{key}.png: cannot be read")
        width = 24 if self.wide_from is not None and number >= self.wide_from else 16
        rng = np.random.default_rng(number)
        image1, image2 = rng.integers(0, 256, (2, 12, width, 3), np.uint8)
        return Pair(key, image1, image2, float(number), {"parity": "odd" if number % 2 else "even"})

    def score(self, pair: Pair[float], forward: NumpyFlows, backward: NumpyFlows | None) -> PairScore:
        assert (backward is not None) == self.needs_backward
        error = np.hypot(forward.facial[..., 0].astype(np.float64) - pair.reference, forward.facial[..., 1])
        left = error[:, :8]
        terms = {"epe": Term(float(error.sum()), error.size), "epe/left": Term(float(left.sum()), left.size)}
        return PairScore(pair.key, terms, pair.labels)


brightness = MethodEntry("brightness", lambda request: BrightnessFlow())
broken_method = MethodEntry("breaks in the middle", lambda request: BrightnessFlow(fail_after=3))


def scoring(stated: ProtocolCard) -> StatedScoring:
    return StatedScoring(STRIPES, fixed_weights=True)


stripes = ProtocolEntry("stripes", lambda request: Stripes(6), scoring)
torn_stripes = ProtocolEntry("stripes with an unreadable pair", lambda request: Stripes(6, unreadable=[2]), scoring)
