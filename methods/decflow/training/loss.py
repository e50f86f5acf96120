"""Training losses over the flows of every update step (RAFT, Eq. 7; paper, section 4.3)."""

from __future__ import annotations

import torch

from ffbench.training.loss import GAMMA, in_range, sequence_loss

from ..networks.base import FlowPredictions

OFFICIAL_HEAD_WEIGHT = 0.8
OFFICIAL_EXPRESSION_WEIGHT = 1.5


def facial_loss(
    predictions: FlowPredictions, facial: torch.Tensor, valid: torch.Tensor | None = None, gamma: float = GAMMA
) -> torch.Tensor:
    """The paper's first stage: the optical flow loss of the facial flow."""
    return sequence_loss(predictions.facial, facial, in_range(facial, valid), gamma)


def decomposition_loss(
    predictions: FlowPredictions,
    facial: torch.Tensor,
    head: torch.Tensor,
    valid: torch.Tensor | None = None,
    gamma: float = GAMMA,
) -> torch.Tensor:
    """The paper's second stage: L = L_head + L_expression.

    The true expression flow is facial - head; both losses count the pixels whose head flow is in range, as
    the authors' code does.
    """
    counted = in_range(head, valid)
    return sequence_loss(predictions.head, head, counted, gamma) + sequence_loss(
        predictions.expression, facial - head, counted, gamma
    )


def official_loss(
    predictions: FlowPredictions,
    facial: torch.Tensor,
    head: torch.Tensor,
    valid: torch.Tensor | None = None,
    gamma: float = GAMMA,
) -> torch.Tensor:
    """What the authors' released code minimises in both stages: facial + 0.8 head + 1.5 expression."""
    counted = in_range(head, valid)
    head_loss = sequence_loss(predictions.head, head, counted, gamma)
    expression_loss = sequence_loss(predictions.expression, facial - head, counted, gamma)
    return (
        facial_loss(predictions, facial, valid, gamma)
        + OFFICIAL_HEAD_WEIGHT * head_loss
        + OFFICIAL_EXPRESSION_WEIGHT * expression_loss
    )
