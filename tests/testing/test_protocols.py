"""The contract of a protocol and of a dataset: what ships passes, and each way to be wrong is found."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from ffbench.cli import app
from ffbench.datasets.base import Dataset, Found
from ffbench.datasets.registry import dataset_names, load_dataset
from ffbench.errors import DataError
from ffbench.protocol import NumpyFlows, Pair, PairScore, Score, Term
from ffbench.registry import load_protocol
from ffbench.testing import check_dataset, check_protocol, require
from tests.toys import Stripes


def wrong(protocol: Any) -> list[str]:
    return [check.name for check in check_protocol(protocol) if check.outcome == "wrong"]


@pytest.mark.parametrize(
    "name", ["ck_landmarks", "ffn_head", "ffn_expression", "ck_vertices", "casme2_5", "casme2_spot"]
)
def test_protocols_that_ship_pass(name: str) -> None:
    require(check_protocol(load_protocol(name)))


class Twice(Stripes):
    def keys(self) -> list[str]:
        return [*super().keys(), *super().keys()]


class Restless(Stripes):
    loads = 0

    def load(self, key: str) -> Pair[float]:
        self.loads += 1
        pair = super().load(key)
        return dataclasses.replace(pair, image1=pair.image1 + np.uint8(self.loads))


class Moody(Stripes):
    scored = 0

    def score(self, pair: Pair[float], forward: NumpyFlows, backward: NumpyFlows | None) -> PairScore:
        self.scored += 1
        return PairScore(pair.key, {"epe": Term(float(self.scored), 1.0)})


class FirstCounts(Stripes):
    def summarize(self, scores: Sequence[PairScore]) -> list[Score]:
        return super().summarize(scores[:1])


class Closed(Stripes):
    def __init__(self, pairs: int) -> None:
        super().__init__(pairs)
        self.help = lambda: None


@pytest.mark.parametrize(
    ("made", "name"),
    [
        (Twice, "keys"),
        (Restless, "pairs"),
        (Moody, "scores are pure"),
        (FirstCounts, "a summary blind to order"),
        (Closed, "pickling"),
    ],
)
def test_each_way_to_be_wrong_is_found(made: type[Stripes], name: str) -> None:
    assert wrong(Stripes(4)) == []
    assert name in wrong(made(4))


@pytest.mark.parametrize("name", dataset_names())
def test_datasets_that_ship_pass(name: str) -> None:
    require(check_dataset(load_dataset(name)))


def test_a_dataset_that_passes_everything_is_found() -> None:
    def check(place: object, quick: bool, progress: object) -> Found:
        return Found([], [], False)

    dataset = Dataset("toy", "Toy", "nothing", "none", "here", "me, 2026", ("toy",), check)
    assert {seen.name: seen.outcome for seen in check_dataset(dataset)} == {
        "what it says of itself": "wrong",
        "an empty folder": "wrong",
        "mini dataset": "note",
    }


def test_the_commands(tmp_path: Path) -> None:
    for command in (["protocols", "try", "ck_landmarks"], ["data", "try", "ck_plus"]):
        result = CliRunner().invoke(app, command)
        assert result.exit_code == 0, result.output
        assert result.stdout.startswith("ok")
    refused = CliRunner().invoke(app, ["protocols", "try", "ck_landmarks", "--data", str(tmp_path)])
    assert isinstance(refused.exception, DataError)
