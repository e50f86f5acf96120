"""Flows that are kept beside a record: the files that `ffbench predict` writes, also of an interrupted run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from ffbench import read_flow
from ffbench.errors import MethodError
from ffbench.evaluation import evaluate
from ffbench.evaluation.source import FlowKeeper
from ffbench.method import Flows, Method, MethodCard
from ffbench.submissions.export.predict import FlowFiles, predict
from tests.toys import Stripes


class Shift(Method):
    """Moves all by 10 x the mean brightness, the head by half of it; finds nothing in dark pairs; may fail."""

    def __init__(self, fail_after: int | None = None) -> None:
        self.card = MethodCard(id="shift", title="Shift", decomposes=True)
        self.calls, self.fail_after = 0, fail_after

    def forward(self, image1: torch.Tensor, image2: torch.Tensor) -> Flows[torch.Tensor]:
        if self.calls == self.fail_after:
            raise MethodError("out of light")
        self.calls += 1
        light = 10 * image1.mean((1, 2, 3))
        flow = light[:, None, None, None].expand(-1, 2, *image1.shape[2:])
        return Flows(flow, flow / 2, found=(light > 5).numpy())


def keeper(method: Method, protocol: Stripes) -> Callable[[Path], FlowKeeper]:
    return lambda folder: FlowFiles(folder / "flows", method, protocol)


def files(folder: Path) -> dict[str, bytes]:
    found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return {name: content for name, content in found.items() if not name.startswith(".")}


@pytest.mark.parametrize("backward", [False, True])
def test_they_are_what_predict_writes(backward: bool, tmp_path: Path) -> None:
    protocol = Stripes(5, backward=backward)
    record = evaluate(Shift(), protocol, out=tmp_path, keep=keeper(Shift(), protocol))
    assert record.path is not None
    saved = files(record.path.with_name("flows"))
    predict(Shift(), protocol, tmp_path / "predicted")
    assert saved == files(tmp_path / "predicted")
    assert len(saved) == 5 * (3 if backward else 2) + ("not_found.txt" in saved)
    flow = read_flow(record.path.parent / "flows" / "facial" / "000.flo")
    assert np.allclose(flow, 10 * protocol.load("000").image1.mean() / 255, atol=1e-5)
    assert record == evaluate(Shift(), protocol, out=tmp_path / "plain").model_copy(update={"cost": record.cost})


@pytest.mark.parametrize("kept_before", [False, True])
def test_an_interrupted_run_has_all_flows_in_the_end_and_scores_none_again(kept_before: bool, tmp_path: Path) -> None:
    protocol = Stripes(5)
    first = Shift(fail_after=3)
    with pytest.raises(MethodError):
        evaluate(first, protocol, out=tmp_path, keep=keeper(first, protocol) if kept_before else None)
    second = Shift()
    record = evaluate(second, protocol, out=tmp_path, keep=keeper(second, protocol))
    assert record.cost.resumed_pairs == 3
    assert second.calls == (2 if kept_before else 5)
    predict(Shift(), protocol, tmp_path / "predicted")
    assert record.path is not None
    assert files(record.path.with_name("flows")) == files(tmp_path / "predicted")
