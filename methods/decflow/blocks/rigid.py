"""Motion of rigid bodies by construction: fitted in closed form to a flow, or aligned directly to the images.

A rigid body seen by a distant camera moves, whatever its rotation, by a flow that is affine in x, y and depth. Two
quadratic terms, shared by both components, stand for what perspective adds. The ten coefficients follow from weighted
least squares; depth and weights come from a network, and gradients pass through the solution to both.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F

from .solving import diagonal, solve
from .warping import sample, targets

# Of the sum of weights; the coordinates have unit variance. It decides only what the data leave open.
_RIDGE = (1e-6, 1e-4, 1e-4, 1e-3)
_RIDGE_QUADRATIC = 1e-3
_DAMPING = 1e-3  # of the mean of the normal equations' diagonal
_FLAT = 0.02  # local contrast, of white, below which a patch is not amplified any further
_FINE, _COARSE = 0.7, 3.0  # px, the band of the images that is aligned
_HALF_WEIGHT = 0.2  # of the local contrast: a residual of this size has half its weight


@dataclass(frozen=True)
class RigidMotion:
    """Motions of rigid bodies, one for each of B depth maps.

    Attributes:
        coefficients: (B, 10): of u for 1, x, y, z; of v for 1, x, y, z; of the two quadratic terms.
        x, y, z: (B, H, W), what the coefficients are of: centred, x and y of unit variance over the body.
    """

    coefficients: torch.Tensor
    x: torch.Tensor
    y: torch.Tensor
    z: torch.Tensor

    def flow(self) -> torch.Tensor:
        """Return the flow (B, 2, H, W) in px, at every pixel as if it were of the body."""
        c = self.coefficients[:, :, None, None]
        x, y, z = self.x, self.y, self.z
        bent = c[:, 8] * x + c[:, 9] * y
        u = c[:, 0] + c[:, 1] * x + c[:, 2] * y + c[:, 3] * z + bent * x
        v = c[:, 4] + c[:, 5] * x + c[:, 6] * y + c[:, 7] * z + bent * y
        return torch.stack([u, v], dim=1)


def fit_motion(flow: torch.Tensor, depth: torch.Tensor, weight: torch.Tensor, step: int = 4) -> RigidMotion:
    """Fit rigid motions to flows by weighted least squares.

    Args:
        flow: (B, 2, H, W) in px.
        depth: (B, 1, H, W), any scale and offset.
        weight: (B, 1, H, W), 0 or more: how much a pixel is to be trusted to move with the body.
        step: every how many pixels in both directions are looked at.
    """
    flow, depth, weight = flow.float(), depth.float()[:, 0], weight.float()[:, 0]
    height, width = flow.shape[2:]
    y, x = torch.meshgrid(
        torch.arange(height, device=flow.device, dtype=torch.float32),
        torch.arange(width, device=flow.device, dtype=torch.float32),
        indexing="ij",
    )
    few = (slice(None), slice(None, None, step), slice(None, None, step))
    sampled = weight[few]
    total = sampled.sum(dim=(1, 2), keepdim=True) + 1e-6

    def mean(values: torch.Tensor) -> torch.Tensor:
        return (sampled * values).sum(dim=(1, 2), keepdim=True) / total

    # Centred and scaled by the weights, so that the ridge means the same for any body.
    xs, ys = x[few[1:]], y[few[1:]]
    center_x, center_y, center_z = mean(xs), mean(ys), mean(depth[few])
    spread = (mean((xs - center_x).square() + (ys - center_y).square()) / 2 + 1).sqrt()
    x, y, z = (x - center_x) / spread, (y - center_y) / spread, depth - center_z
    terms = (x[few].flatten(1), y[few].flatten(1), z[few].flatten(1))
    weights = sampled.flatten(1)[:, None]
    one, none = torch.ones_like(weights[:, 0]), torch.zeros_like(weights[:, 0])
    basis_u, basis_v = _products(*terms, one, none), _products(*terms, none, one)
    target = flow[:, :, ::step, ::step].flatten(2)
    normal = (weights * basis_u) @ basis_u.transpose(1, 2) + (weights * basis_v) @ basis_v.transpose(1, 2)
    right = (weights * basis_u) @ target[:, 0, :, None] + (weights * basis_v) @ target[:, 1, :, None]
    ridge = flow.new_tensor([*_RIDGE, *_RIDGE, _RIDGE_QUADRATIC, _RIDGE_QUADRATIC])
    normal = normal + diagonal(ridge * total[:, 0])
    return RigidMotion(solve(normal, right)[:, :, 0], x, y, z)


def align_motion(
    motion: RigidMotion, first: torch.Tensor, second: torch.Tensor, weight: torch.Tensor, *, rounds: int, step: int
) -> RigidMotion:
    """Improve rigid motions until they bring image 2 onto image 1: Gauss-Newton on the images themselves.

    Where the images have little texture a flow leans towards its surroundings, and so does a fit to it. The images do
    not: each pixel counts by its gradient. A motion that explains the images no better than before stays as it was.

    Args:
        motion: where to begin.
        first, second: (B, 1, H, W), of `local_contrast`.
        weight: (B, 1, H, W), as for `fit_motion`.
        rounds: of Gauss-Newton.
        step: every how many pixels in both directions are looked at.
    """
    few = (slice(None), slice(None), slice(None, None, step), slice(None, None, step))
    x, y, z = (part[:, ::step, ::step] for part in (motion.x, motion.y, motion.z))
    small = replace(motion, x=x, y=y, z=z)
    terms = (x.flatten(1), y.flatten(1), z.flatten(1))
    here = torch.cat([first, *_gradients(first)], dim=1)[few]
    there = torch.cat([second, *_gradients(second)], dim=1)
    weight = weight.float()[few]
    found, least = motion.coefficients, None
    for turn in range(rounds + 1):
        where, inside = targets(small.flow(), step)
        warped = sample(there, where)
        residual = warped[:, :1] - here[:, :1]
        robust = 1 / (1 + (residual / _HALF_WEIGHT).square())
        cost = (weight * torch.where(inside > 0, 1 - robust, 1.0)).sum(dim=(1, 2, 3)).detach()
        better = torch.ones_like(cost, dtype=torch.bool) if least is None else cost < least
        found = torch.where(better[:, None], small.coefficients, found)
        least = cost if least is None else torch.minimum(cost, least)
        if turn == rounds:
            break
        slope = (warped[:, 1:] + here[:, 1:]).flatten(2) / 2
        jacobian = _products(*terms, slope[:, 0], slope[:, 1])
        trusted = (weight * inside * robust.detach()).flatten(2) * jacobian
        normal = trusted @ jacobian.transpose(1, 2)
        damping = normal.diagonal(dim1=1, dim2=2).mean(dim=1)[:, None] * _DAMPING + 1e-6
        normal = normal + diagonal(damping.expand(-1, normal.shape[1]))
        change = solve(normal, trusted @ residual.flatten(2).transpose(1, 2))[:, :, 0]
        # The last round alone passes a gradient: what it starts from does not change where it ends.
        small = replace(small, coefficients=small.coefficients.detach() - change)
    return replace(motion, coefficients=found)


def local_contrast(image: torch.Tensor) -> torch.Tensor:
    """Return grey values (B, 1, H, W) without brightness and contrast of their surroundings, from RGB in [-1, 1]."""
    grey = image.float().mean(dim=1, keepdim=True) / 2
    fine = _blurred(grey, _FINE)
    band = fine - _blurred(fine, _COARSE)
    contrast = (_blurred(band.square(), _COARSE) + _FLAT**2).sqrt()
    return band / contrast


def _products(
    x: torch.Tensor, y: torch.Tensor, z: torch.Tensor, along_u: torch.Tensor, along_v: torch.Tensor
) -> torch.Tensor:
    """Return (B, 10, n): what a component of the motion, `along_u` u + `along_v` v, is of each coefficient."""
    bent = along_u * x + along_v * y
    parts = [along_u, along_u * x, along_u * y, along_u * z, along_v, along_v * x, along_v * y, along_v * z]
    return torch.stack([*parts, bent * x, bent * y], dim=1)


def _gradients(image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    padded = F.pad(image, [1, 1, 1, 1], mode="replicate")
    x = (padded[:, :, 1:-1, 2:] - padded[:, :, 1:-1, :-2]) / 2
    y = (padded[:, :, 2:, 1:-1] - padded[:, :, :-2, 1:-1]) / 2
    return x, y


def _blurred(image: torch.Tensor, deviation: float) -> torch.Tensor:
    reach = max(1, round(3 * deviation))
    offsets = torch.arange(-reach, reach + 1, device=image.device, dtype=image.dtype)
    kernel = torch.exp(-(offsets / deviation).square() / 2)
    kernel = kernel / kernel.sum()
    image = F.conv2d(F.pad(image, [reach, reach, 0, 0], mode="replicate"), kernel.view(1, 1, 1, -1))
    return F.conv2d(F.pad(image, [0, 0, reach, reach], mode="replicate"), kernel.view(1, 1, -1, 1))
