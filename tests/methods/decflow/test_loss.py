from __future__ import annotations

import numpy as np
import pytest
import torch

from ffbench.methods.decflow.networks.base import FlowPredictions
from ffbench.methods.decflow.training.loss import (
    decomposition_loss,
    facial_loss,
    in_range,
    official_loss,
    sequence_loss,
)
from tests.reference import decflow as reference


@pytest.fixture
def scene() -> tuple[FlowPredictions, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Predictions of three steps, the true facial and head flow with a few wild pixels, and what is valid."""
    torch.manual_seed(0)
    facial, head = 10 * torch.randn(2, 2, 2, 4, 5, dtype=torch.float64)
    facial[0, :, 0, 0] = torch.tensor([300.0, 300.0])
    head[1, :, 1, 1] = torch.tensor([0.0, -400.0])
    steps = FlowPredictions(*(tuple(torch.randn(3, 2, 2, 4, 5, dtype=torch.float64)) for _ in range(2)))
    return steps, facial, head, (torch.rand(2, 4, 5) > 0.3).float()


def expected(predictions: tuple[torch.Tensor, ...], target: torch.Tensor, counted: torch.Tensor) -> float:
    return reference.sequence_loss([flow.numpy() for flow in predictions], target.numpy(), counted.numpy(), 0.85)


def test_losses_equal_the_reference(scene: tuple[FlowPredictions, torch.Tensor, torch.Tensor, torch.Tensor]) -> None:
    steps, facial, head, valid = scene
    facial_counted = (valid >= 0.5) & (torch.linalg.vector_norm(facial, dim=1) < 400)
    head_counted = (valid >= 0.5) & (torch.linalg.vector_norm(head, dim=1) < 400)
    expression = tuple(f - h for f, h in zip(steps.facial, steps.head, strict=True))
    of_facial = expected(steps.facial, facial, facial_counted)
    of_head = expected(steps.head, head, head_counted)
    of_expression = expected(expression, facial - head, head_counted)
    assert facial_loss(steps, facial, valid).item() == pytest.approx(of_facial, rel=1e-12)
    assert decomposition_loss(steps, facial, head, valid).item() == pytest.approx(of_head + of_expression, rel=1e-12)
    assert official_loss(steps, facial, head, valid).item() == pytest.approx(
        of_facial + 0.8 * of_head + 1.5 * of_expression, rel=1e-12
    )


def test_without_a_mask_every_pixel_in_range_counts() -> None:
    target = torch.zeros(1, 2, 2, 2)
    target[0, 0, 0, 0] = 400
    assert in_range(target).tolist() == [[[False, True], [True, True]]]
    steps = FlowPredictions((torch.ones(1, 2, 2, 2),), ())
    assert facial_loss(steps, target).item() == pytest.approx(6 / 8)


def test_unknown_targets_that_are_not_numbers_do_not_spoil_the_loss() -> None:
    target = torch.zeros(1, 2, 2, 2)
    target[0, :, 1, 1] = float("nan")
    valid = torch.ones(1, 2, 2)
    valid[0, 1, 1] = 0
    flow = torch.ones(1, 2, 2, 2, requires_grad=True)
    loss = sequence_loss([flow], target, valid)
    loss.backward()
    assert loss.item() == pytest.approx(0.75)
    assert flow.grad is not None
    assert np.isfinite(flow.grad.numpy()).all()


def test_no_predictions_and_no_head_flow() -> None:
    target = torch.zeros(1, 2, 2, 2)
    with pytest.raises(ValueError, match="no predictions"):
        sequence_loss([], target)
    with pytest.raises(ValueError, match="no predictions"):
        decomposition_loss(FlowPredictions((target,), ()), target, target)
