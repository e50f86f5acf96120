"""Our numbers against those of other packages, where they compute the same."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest
import torch

from ffbench.metrics.dense.errors import dense_terms
from ffbench.packages.torchvision_ops import make_importable


def _import(name: str) -> Any:
    pytest.importorskip(name.partition(".")[0])
    make_importable()
    return importlib.import_module(name)


def _scene() -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(0)
    truth = rng.normal(0, 40, (64, 80, 2)).astype(np.float32)
    prediction = truth + rng.standard_t(2, (64, 80, 2)).astype(np.float32) * np.float32(2)
    return prediction, truth, rng.random((64, 80)) < 0.6


def test_mmflow_gives_the_same_epe_and_fl() -> None:
    evaluation = _import("mmflow.core.evaluation")
    prediction, truth, mask = _scene()
    ours = dense_terms(prediction, truth, mask)
    theirs = evaluation.eval_metrics([prediction], [truth], [mask.astype(np.float32)], ["EPE", "Fl"])
    assert ours["epe"].sum / ours["epe"].count == pytest.approx(theirs["EPE"], rel=1e-6)
    assert 0 < ours["fl"].sum / ours["fl"].count == pytest.approx(theirs["Fl"], rel=1e-12)


def test_ptlflow_gives_the_same_epe_outliers_fl_and_wauc() -> None:
    metrics = _import("ptlflow.utils.flow_metrics").FlowMetrics()
    prediction, truth, mask = _scene()
    ours = {name: term.sum / term.count for name, term in dense_terms(prediction, truth, mask).items()}

    def batch(array: Any) -> torch.Tensor:
        return torch.from_numpy(array).movedim(-1, 0)[None]

    metrics.update({"flows": batch(prediction)}, {"flows": batch(truth), "valids": batch(mask.astype("f4")[..., None])})
    theirs = {name: float(value) for name, value in metrics.compute().items()}
    assert ours["epe"] == pytest.approx(theirs["epe"], rel=1e-5)
    assert 0 < ours["fl"] == pytest.approx(theirs["flall"], rel=1e-5)
    assert ours["wauc"] == pytest.approx(theirs["wauc"], rel=1e-5)
    for pixels in (1, 3, 5):
        assert 100 - ours[f"outliers_{pixels}px"] == pytest.approx(100 * theirs[f"px{pixels}"], rel=1e-5)
