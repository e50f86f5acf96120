"""A fast path is held to the flow of the plain one, in both parts, and is told how much faster it is."""

from __future__ import annotations

import time

import pytest
import torch

from ffbench.errors import MethodError, UsageError
from ffbench.evaluation.fast_path import MOST_PX, compare_fast_path, require_fast_path
from ffbench.evaluation.source import MethodSource
from ffbench.method import Flows, Method, MethodCard
from ffbench.run_config import RunConfig
from tests.toys import Stripes

FAST = RunConfig("shifted", precision="bf16")


class Shifted(Method):
    """No flow, but for an error at one pixel of one part; waits at every call."""

    def __init__(self, part: str = "facial", error: float = 0.0, seconds: float = 0.0) -> None:
        self.card = MethodCard(id="shifted", title="Shifted", decomposes=True)
        self.part, self.error, self.seconds = part, error, seconds

    def forward(self, image1: torch.Tensor, image2: torch.Tensor) -> Flows[torch.Tensor]:
        time.sleep(self.seconds)
        parts = {name: torch.zeros(1, 2, *image1.shape[2:]) for name in ("facial", "head")}
        parts[self.part][0, :, 3, 5] = torch.tensor([0.6, 0.8]) * self.error
        return Flows(**parts)


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RunConfig, "load", lambda config: Shifted(seconds=0.04))


@pytest.mark.parametrize("part", ["facial", "head"])
def test_one_pixel_of_one_part_is_enough(part: str) -> None:
    pair = Stripes().load("001")
    near = require_fast_path(FAST, MethodSource(Shifted(part, 0.99 * MOST_PX)), pair)
    assert near.largest == pytest.approx(0.99 * MOST_PX, rel=1e-5)
    assert near.mean == pytest.approx(near.largest / (2 * 12 * 16), rel=1e-5)
    with pytest.raises(MethodError, match=r"shifted: the fast path is off by up to 0\.011 px .* pair 001\)"):
        require_fast_path(FAST, MethodSource(Shifted(part, 1.1 * MOST_PX)), pair)


def test_a_flow_that_is_not_finite_is_refused() -> None:
    with pytest.raises(MethodError):
        require_fast_path(FAST, MethodSource(Shifted(error=float("nan"))), Stripes().load("001"))


def test_it_says_how_much_faster_it_is() -> None:
    found = compare_fast_path(FAST, MethodSource(Shifted(seconds=0.01)), Stripes().load("001"))
    assert 1.3 < found.ratio < 10
    assert found.largest == 0


def test_the_plain_path_is_none_to_compare() -> None:
    with pytest.raises(UsageError, match="give --compile or --precision"):
        require_fast_path(RunConfig("shifted"), MethodSource(Shifted()), Stripes().load("001"))
