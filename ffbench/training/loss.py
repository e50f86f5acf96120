"""The loss that recurrent flow networks are trained with (RAFT, Eq. 7)."""

from __future__ import annotations

from collections.abc import Sequence

import torch

GAMMA = 0.85
MAX_FLOW = 400.0


def sequence_loss(
    predictions: Sequence[torch.Tensor],
    target: torch.Tensor,
    valid: torch.Tensor | None = None,
    gamma: float = GAMMA,
) -> torch.Tensor:
    """Mean absolute error of every prediction, the last weighted 1 and each before it `gamma` times the next.

    Args:
        predictions: flows (B, 2, H, W) in pixels, coarse to fine.
        target: the true flow, (B, 2, H, W).
        valid: (B, H, W), what is at least 0.5 counts; None for all. The mean is over all pixels, counted
            or not.
        gamma: how fast the weights fall.

    Raises:
        ValueError: there are no predictions.
    """
    if not predictions:
        raise ValueError("no predictions to take a loss of")
    mask = torch.ones_like(target[:, 0], dtype=torch.bool) if valid is None else valid >= 0.5
    mask = mask[:, None]
    # where, not a product: an unknown target may be anything, NaN too.
    losses = [torch.where(mask, (flow - target).abs(), 0.0).mean() for flow in predictions]
    weights = [gamma ** (len(losses) - 1 - step) for step in range(len(losses))]
    return sum((w * loss for w, loss in zip(weights[1:], losses[1:], strict=True)), weights[0] * losses[0])


def in_range(target: torch.Tensor, valid: torch.Tensor | None = None) -> torch.Tensor:
    """Return the pixels (B, H, W) that are valid and whose true flow is shorter than `MAX_FLOW`."""
    short = target.square().sum(dim=1).sqrt() < MAX_FLOW
    return short if valid is None else short & (valid >= 0.5)
