"""Losses of the network that corrects a classical flow.

Expression flow is zero nearly everywhere, so that an even mean over pixels teaches a network to say zero. Its loss has
therefore two parts: the mean over all pixels, and the mean over those where the face deforms, by how much it does.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F

from ffbench.synth.heads.head import Region
from ffbench.training.joint import joint_ratio, joint_total
from ffbench.training.loss import in_range
from ffbench.training.samples import Batch

from ..blocks.bodies import Body
from ..blocks.matching import matching_loss
from ..blocks.unet import resized
from ..networks.corrector import CorrectorPredictions

_POWER, _OFFSET = 0.7, 0.01  # of the robust error
_RIGID_BELOW, _RIGID_SHARE = 0.15, 0.03
"""Expression below which a pixel counts as moving rigidly: px, or a share of the head's motion if that is more."""
_GATE_HALF = 0.1  # px of expression where the gate is to be half open
_FULL_WEIGHT = 1.0  # px of expression from which on a pixel counts fully as deforming
_LEAST_SHARE = 0.005  # of the pixels, as if that much deformed: what one pixel weighs is bounded
_MOST_OF_A_FIT = 8.0  # px of error beyond which a fit that went astray teaches nothing
_FIT_SHARES = {Body.HEAD: 1.0, Body.TRUNK: 0.3, Body.BACKGROUND: 0.1}

WEIGHTS = {
    "facial": 1.0,
    "facial_deforming": 0.3,
    "log_error": 0.02,
    "expression": 1.0,
    "deforming": 0.3,
    "fit": 0.5,
    "body": 0.05,
    "rigid": 0.05,
    "gate": 0.05,
    "depth": 0.5,
    "matching": 0.05,
}
"""Factors of the parts, unless a stage says otherwise."""


def corrector_loss(predictions: CorrectorPredictions, batch: Batch, gamma: float) -> dict[str, torch.Tensor]:
    """Return the parts of the loss, unweighted.

    Args:
        predictions: of every step.
        batch: `TrainingPairs` with `region` and `depth`.
        gamma: weight of each step against the next.
    """
    facial, head = batch["facial"], batch["head"]
    valid = in_range(facial)
    known = in_range(head, batch["head_valid"]) & valid
    expression = facial - head
    factors = [gamma ** (len(predictions.facial) - 1 - step) for step in range(len(predictions.facial))]
    parts = {name: facial.new_zeros(()) for name in WEIGHTS}
    deforming = _length(expression).clamp(max=_FULL_WEIGHT) / _FULL_WEIGHT * known
    for factor, flow, log_error in zip(factors, predictions.facial, predictions.log_error, strict=True):
        error = _length(flow - facial)
        parts["facial"] = parts["facial"] + factor * _mean((error + _OFFSET) ** _POWER, valid)
        parts["facial_deforming"] = parts["facial_deforming"] + factor * _over_deforming(error, deforming, known)
        # Laplace's likelihood: the scale learns to be the error, which takes no gradient.
        scale = log_error[:, 0]
        parts["log_error"] = parts["log_error"] + factor * _mean(error.detach() * torch.exp(-scale) + scale, valid)
    for factor, flow, predicted in zip(factors, predictions.facial, predictions.head, strict=True):
        error = _length(flow - predicted - expression)
        parts["expression"] = parts["expression"] + factor * _mean(error, known)
        parts["deforming"] = parts["deforming"] + factor * _over_deforming(error, deforming, known)
    for step, match in enumerate(predictions.matches):
        parts["matching"] = parts["matching"] + factors[step] * matching_loss(match, facial, valid)
    return parts | _of_the_fit(predictions, batch, expression, known, gamma)


def _of_the_fit(
    predictions: CorrectorPredictions, batch: Batch, expression: torch.Tensor, known: torch.Tensor, gamma: float
) -> dict[str, torch.Tensor]:
    """What the rigid fits are made of, compared with the labels; gate and logits at full size alone."""
    fits, gate = predictions.fits, predictions.gate
    if not fits or gate is None:
        return {}
    region, depth = batch["region"], batch["depth"]
    size = _length(expression)
    body = _bodies(region)
    on_head = known & (depth > 0) & (body == Body.HEAD)
    masks = {
        Body.HEAD: on_head,
        Body.TRUNK: known & (region == int(Region.TORSO)),
        Body.BACKGROUND: known & (body == Body.BACKGROUND),
    }
    fit = expression.new_zeros(())
    for step, found in enumerate(fits):
        for which, mask in masks.items():
            scale = mask.shape[-1] // found.flows.shape[-1]
            flow = scale * resized(found.flows[:, which], batch["head"])
            error = _length(flow - batch["head"]).clamp(max=_MOST_OF_A_FIT)
            fit = fit + _FIT_SHARES[which] * gamma ** (len(fits) - 1 - step) * _mean(error, mask)
    last = fits[-1]
    rigid = _moves_rigidly(size, batch["head"]).float()
    open_ = size / (size + _GATE_HALF)
    return {
        "fit": fit,
        "body": _mean(F.cross_entropy(last.body, body, reduction="none"), known),
        "rigid": _mean(F.binary_cross_entropy_with_logits(last.rigid[:, 0], rigid, reduction="none"), known),
        "gate": _mean(F.binary_cross_entropy_with_logits(gate[:, 0], open_, reduction="none"), known),
        "depth": sum(
            (_depth_error(resized(found.depth, batch["head"])[:, 0], depth, on_head) for found in fits),
            start=size.new_zeros(()),
        ),
    }


def _moves_rigidly(expression: torch.Tensor, head: torch.Tensor) -> torch.Tensor:
    """Return which pixels move with the head, given the length of their expression flow and the head flow.

    By an absolute bound alone no part of a face that moves far and speaks would count, and the fit would rest on
    whatever else was taken for a head.
    """
    return expression < (_RIGID_SHARE * _length(head)).clamp(min=_RIGID_BELOW)


def _bodies(region: torch.Tensor) -> torch.Tensor:
    """Return which `Body` each pixel belongs to, (B, H, W) int64."""
    body = torch.full_like(region, int(Body.HEAD), dtype=torch.int64)
    body[(region == int(Region.NECK)) | (region == int(Region.TORSO))] = int(Body.TRUNK)
    body[region == int(Region.BACKGROUND)] = int(Body.BACKGROUND)
    return body


def _depth_error(predicted: torch.Tensor, depth: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return the mean error of a depth (B, H, W) over the mask, as a share of what is not plane in the true one.

    Scale, offset and a plane are left open, since the fits find them.
    """
    height, width = depth.shape[1:]
    y, x = torch.meshgrid(
        torch.linspace(-1, 1, height, device=depth.device),
        torch.linspace(-1, 1, width, device=depth.device),
        indexing="ij",
    )
    plane = torch.stack([torch.ones_like(x), x, y]).flatten(1).expand(len(depth), -1, -1)
    weight = mask.flatten(1)[:, None].float()
    count = weight.sum(dim=(1, 2)).clamp(min=1)
    true, found = (_beside(plane, part.flatten(1)[:, None], weight) for part in (depth, predicted))
    factor = (weight * true * found).sum(dim=2, keepdim=True) / (
        (weight * found.square()).sum(dim=2, keepdim=True) + 1e-3
    )
    deviation = ((weight * true.square()).sum(dim=(1, 2)) / count + 1e-4).sqrt()
    error = (weight * (true - factor * found).abs()).sum(dim=(1, 2)) / count / deviation
    seen = mask.flatten(1).any(dim=1)
    return joint_ratio((error * seen).sum(), seen.sum())


def _beside(basis: torch.Tensor, values: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Return what a weighted combination of the basis (B, K, n) leaves of the values (B, 1, n)."""
    normal = (weight * basis) @ basis.mT + 1e-3 * torch.eye(basis.shape[1], device=basis.device)
    left: torch.Tensor = values - torch.linalg.solve(normal, (weight * basis) @ values.mT).mT @ basis
    return left


def _over_deforming(error: torch.Tensor, deforming: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """Return the mean of log(1 + error) over pixels that deform, each by how much it does.

    Of a mouth that nobody could follow the logarithm keeps the error from being all that a step is about.
    """
    least = _LEAST_SHARE * joint_total(known.sum()) + 1
    return joint_ratio((error.log1p() * deforming).sum(), deforming.sum(), least)


def _length(flow: torch.Tensor) -> torch.Tensor:
    # The small number keeps the gradient finite where the length is zero.
    return (flow.square().sum(dim=1) + 1e-8).sqrt()


def _mean(values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    return joint_ratio(torch.where(mask, values, 0.0).sum(), mask.sum())
