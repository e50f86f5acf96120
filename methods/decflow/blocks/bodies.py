"""Which pixels move as one: head, neck with torso, and background, each with the rigid motion that fits it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import torch

from .rigid import RigidMotion, align_motion, fit_motion, local_contrast
from .unet import AtStride4, last_layer, resized

_ROUNDS = 2  # of alignment, at each scale
_MOST_PRECISION = 4.0  # of its logarithm


class Body(IntEnum):
    """What moves as one."""

    HEAD = 0
    TRUNK = 1
    BACKGROUND = 2


@dataclass(frozen=True)
class BodyFit:
    """Rigid motions that fit a facial flow and the images, at one scale.

    Attributes:
        body: (B, 3, h, w) logits, which body a pixel belongs to.
        rigid: (B, 1, h, w) logits, whether it moves as its body does, without deforming.
        depth: (B, 1, h, w), relative.
        flows: (B, 3, 2, h, w), the motion of each body, in px of that scale.
        mixture: (B, 2, h, w), the motion of the body that a pixel belongs to.
        along_depth: (B, 2, h, w), how that changes with depth: where an error of the depth shows.
    """

    body: torch.Tensor
    rigid: torch.Tensor
    depth: torch.Tensor
    flows: torch.Tensor
    mixture: torch.Tensor
    along_depth: torch.Tensor


class Depth(AtStride4):
    """Relative depth; a plane that is added to it changes no fit, and so it need not be right up to one."""

    def __init__(self, widths: tuple[int, ...]) -> None:
        super().__init__(widths)
        self.out = last_layer(self.width, 1)

    def forward(self, features: list[torch.Tensor]) -> torch.Tensor:
        """Return (B, 1, h / 4, w / 4)."""
        depth: torch.Tensor = self.out(self.decode(features))
        return depth


class Geometry(AtStride4):
    """Bodies, what can be trusted, and depth: all that the fits need beside flow and images."""

    def __init__(self, widths: tuple[int, ...]) -> None:
        super().__init__(widths)
        self.out = last_layer(self.width, 2 + len(Body))
        self.depth = Depth(widths)

    def forward(
        self, features: list[torch.Tensor], flow: torch.Tensor, image1: torch.Tensor, image2: torch.Tensor
    ) -> BodyFit:
        """Fit the motions of the bodies; the flow gets no gradient by way of the fit.

        Args:
            features: of the encoder.
            flow: (B, 2, h, w) in px.
            image1, image2: (B, 3, h, w) RGB in [-1, 1].
        """
        out = resized(self.out(self.decode(features)).float(), flow)
        rigid, precision, body = out[:, :1], out[:, 1:2], out[:, 2:]
        depth = resized(self.depth(features).float(), flow)
        with torch.autocast(flow.device.type, enabled=False):
            share = body.softmax(dim=1)
            # Where the flow can be trusted is learned from the fit alone; the alignment finds it in the images.
            trusted = (share * torch.sigmoid(rigid).square()).flatten(0, 1)[:, None]
            known = precision.clamp(-_MOST_PRECISION, _MOST_PRECISION).exp()
            start = fit_motion(_each(flow.detach()), _each(depth), trusted * _each(known))
            motion = self._aligned(start, trusted, image1, image2)
            flows = motion.flow().view(-1, len(Body), *flow.shape[1:])
            slopes = motion.coefficients[:, [3, 7]].view(-1, len(Body), 2, 1, 1)
        mixture, along = ((part * share[:, :, None]).sum(dim=1) for part in (flows, slopes))
        return BodyFit(body, rigid, depth, flows, mixture, along)

    def _aligned(
        self, start: RigidMotion, weight: torch.Tensor, image1: torch.Tensor, image2: torch.Tensor
    ) -> RigidMotion:
        first, second = (_each(local_contrast(image)) for image in (image1, image2))
        # Beyond that a finer grid costs time and finds the same.
        step = 1 + (
            first.shape[2] * first.shape[3] > 160 * 160
        )  # a sum, so that an exported graph decides for each size
        return align_motion(start, first, second, weight, rounds=_ROUNDS, step=step)


def _each(x: torch.Tensor) -> torch.Tensor:
    """Return (B, C, h, w) once for each body: (3 B, C, h, w)."""
    return x.repeat_interleave(len(Body), dim=0)
