"""Pairs in which a method finds nothing are counted; a network is not compared with its own output."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from ffbench.errors import MethodError, UsageError
from ffbench.evaluation import evaluate, run_folder
from ffbench.method import Flows, Method, MethodCard, WeightsCard
from ffbench.results.record.pair_table import read_pair_table
from ffbench.results.record.run_record import read_record
from ffbench.results.report.text import print_record
from tests.toys import Stripes


class DarkIsNothing(Method):
    """Finds something in images whose first pixel is bright; stops at a call if told so."""

    def __init__(self, *, sha256: str | None = None, fail_at: int | None = None) -> None:
        weights = None if sha256 is None else WeightsCard(name="finder", source="a file", sha256=sha256)
        self.card = MethodCard(id="finder", title="Finder", weights=weights)
        self.calls, self.fail_at = 0, fail_at

    def forward(self, image1: torch.Tensor, image2: torch.Tensor) -> Flows[torch.Tensor]:
        self.calls += 1
        if self.calls == self.fail_at:
            raise MethodError("finder: stopped")
        flow = torch.zeros(len(image1), 2, *image1.shape[2:])
        return Flows(flow, found=(image1[:, 0, 0, 0] >= 0.5).numpy())


def dark_pairs(protocol: Stripes, *, backward: bool = False) -> set[str]:
    pairs = list(map(protocol.load, protocol.keys()))
    return {
        pair.key for pair in pairs if pair.image1[0, 0, 0] < 128 or (backward and pair.image2[0, 0, 0] < 128)
    }  # fmt: skip


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("batch_size", [1, 4])
def test_pairs_without_a_find_are_counted_and_labelled(tmp_path: Path, backward: bool, batch_size: int) -> None:
    protocol = Stripes(12, backward=backward)
    dark = dark_pairs(protocol, backward=backward)
    record = evaluate(DarkIsNothing(), protocol, out=tmp_path, batch_size=batch_size)
    assert 0 < len(dark) < 12
    assert record.not_found == len(dark)
    assert record.complete
    folder = run_folder(tmp_path, "stripes", "finder", record.fingerprint)
    assert {s.key for s in read_pair_table(folder / "pairs.parquet") if s.labels.get("found") == "no"} == dark
    assert read_record(folder / "record.json").not_found == len(dark)


def test_the_count_survives_an_interruption(tmp_path: Path) -> None:
    with pytest.raises(MethodError):
        evaluate(DarkIsNothing(fail_at=8), Stripes(12), out=tmp_path)
    record = evaluate(DarkIsNothing(), Stripes(12), out=tmp_path)
    assert record.cost.resumed_pairs == 7
    assert record.not_found == len(dark_pairs(Stripes(12)))


def test_the_count_is_printed_where_there_is_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = evaluate(DarkIsNothing(), Stripes(12), out=tmp_path)
    print_record(record, tmp_path)
    assert f"{record.not_found} of 12 pairs have zero flow" in capsys.readouterr().out.replace("\n", " ")
    print_record(record.model_copy(update={"not_found": 0}), tmp_path)
    assert "zero flow" not in capsys.readouterr().out


def test_a_find_of_the_wrong_shape_is_refused() -> None:
    method = DarkIsNothing()
    method.forward = lambda image1, image2: Flows(torch.zeros(1, 2, 8, 8), found=np.array([True, False]))  # type: ignore[method-assign]
    with pytest.raises(MethodError, match="found"):
        method.estimate(*np.zeros((2, 8, 8, 3), np.uint8))


def test_a_network_is_not_held_against_its_own_output(tmp_path: Path) -> None:
    protocol = Stripes(3)
    protocol.dataset = protocol.dataset.model_copy(update={"reference_networks": ("a" * 64,)})
    with pytest.raises(UsageError, match=r"finder: the reference of stripes was made by the same network"):
        evaluate(DarkIsNothing(sha256="a" * 64), protocol, out=tmp_path)
    assert not list(tmp_path.iterdir())
    for other in ("b" * 64, None):
        assert evaluate(DarkIsNothing(sha256=other), protocol, out=tmp_path).complete
