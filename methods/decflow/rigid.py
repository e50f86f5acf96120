"""Head flow by construction: the motion of a rigid body, solved in closed form from facial flow.

A rigid body seen by a distant camera moves, whatever its rotation, by a flow that is affine in x, y and depth. Two
quadratic terms, shared by both components, stand for what perspective adds. The ten coefficients are those of a
weighted least-squares fit; depth and weights come from a network, and gradients pass through the solution to both.
"""

from __future__ import annotations

import torch

# Of the sum of weights; the coordinates have unit variance. It decides only what the data leave open.
_RIDGE = (1e-6, 1e-4, 1e-4, 1e-3)
_RIDGE_QUADRATIC = 1e-3


def fit_head_flow(
    flow: torch.Tensor, depth: torch.Tensor, weight: torch.Tensor, step: int = 4
) -> tuple[torch.Tensor, torch.Tensor]:
    """Fit the motion of a rigid head to a flow.

    Args:
        flow: (B, 2, H, W) in px.
        depth: (B, 1, H, W), any scale and offset.
        weight: (B, 1, H, W), 0 or more: how much a pixel is to be trusted to move with the head.
        step: every how many pixels in both directions are looked at for the fit.

    Returns:
        The fitted flow (B, 2, H, W) in px at every pixel, and the ten coefficients (B, 10).
    """
    height, width = flow.shape[-2:]
    flow, depth, weight = flow.float(), depth.float(), weight.float()
    y, x = torch.meshgrid(
        torch.arange(height, device=flow.device, dtype=torch.float32),
        torch.arange(width, device=flow.device, dtype=torch.float32),
        indexing="ij",
    )
    sampled = weight[:, 0, ::step, ::step]
    total = sampled.sum(dim=(1, 2), keepdim=True) + 1e-6

    def mean(values: torch.Tensor) -> torch.Tensor:
        return (sampled * values).sum(dim=(1, 2), keepdim=True) / total

    # Centred and scaled by the weights, so that the ridge means the same for any face.
    xs, ys = x[::step, ::step], y[::step, ::step]
    centre_x, centre_y, centre_z = mean(xs), mean(ys), mean(depth[:, 0, ::step, ::step])
    spread = (mean((xs - centre_x).square() + (ys - centre_y).square()) / 2 + 1).sqrt()
    x, y, z = (x - centre_x) / spread, (y - centre_y) / spread, depth[:, 0] - centre_z

    terms = torch.stack([torch.ones_like(x), x, y, z], dim=1)
    quadratic_u, quadratic_v = torch.stack([x * x, x * y], dim=1), torch.stack([x * y, y * y], dim=1)
    small = [_flat(part[:, :, ::step, ::step]) for part in (terms, quadratic_u, quadratic_v)]
    none = torch.zeros_like(small[0])
    basis_u = torch.cat([small[0], none, small[1]], dim=1)
    basis_v = torch.cat([none, small[0], small[2]], dim=1)
    target = _flat(flow[:, :, ::step, ::step])
    weights = _flat(sampled[:, None])
    normal = (weights * basis_u) @ basis_u.mT + (weights * basis_v) @ basis_v.mT
    right = (weights * basis_u) @ target[:, 0, :, None] + (weights * basis_v) @ target[:, 1, :, None]
    ridge = flow.new_tensor([*_RIDGE, *_RIDGE, _RIDGE_QUADRATIC, _RIDGE_QUADRATIC])
    normal = normal + torch.diag_embed(ridge * total[:, 0])
    coefficients = torch.linalg.solve(normal, right)[:, :, 0]

    u, v, q = coefficients[:, :4], coefficients[:, 4:8], coefficients[:, 8:]
    fitted_u = _sum(u, terms) + _sum(q, quadratic_u)
    fitted_v = _sum(v, terms) + _sum(q, quadratic_v)
    return torch.stack([fitted_u, fitted_v], dim=1), coefficients


def _flat(x: torch.Tensor) -> torch.Tensor:
    return x.flatten(2)


def _sum(coefficients: torch.Tensor, terms: torch.Tensor) -> torch.Tensor:
    return (coefficients[:, :, None, None] * terms).sum(dim=1)
