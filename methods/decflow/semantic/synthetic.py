"""A face-semantic encoder of the project's own, trained on the dense labels of the face engine."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from ffbench.training.joint import joint_ratio

from ..blocks.layers import InstanceNorm, ResidualBlock, init_encoder, upsample_aligned
from .base import SemanticEncoder

_WIDTHS = (24, 48, 64, 96, 128)


class SyntheticEncoder(SemanticEncoder):
    """Down to 1/32 and back up to 1/8, so that every cell has seen the whole face: 64 channels at 1/8.

    It is trained through `SemanticTrainer`. H and W need only be multiples of 8: inside, the image is
    padded to multiples of 32.
    """

    channels = 64

    def __init__(self) -> None:
        super().__init__()
        w2, w4, w8, w16, w32 = _WIDTHS
        self.stem = nn.Sequential(nn.Conv2d(3, w2, 7, stride=2, padding=3), InstanceNorm(w2), nn.ReLU())
        self.down4 = ResidualBlock(w2, w4, 2, InstanceNorm)
        self.down8 = ResidualBlock(w4, w8, 2, InstanceNorm)
        self.down16 = ResidualBlock(w8, w16, 2, InstanceNorm)
        self.down32 = nn.Sequential(ResidualBlock(w16, w32, 2, InstanceNorm), ResidualBlock(w32, w32, 1, InstanceNorm))
        self.up16 = ResidualBlock(w32 + w16, w16, 1, InstanceNorm)
        self.up8 = ResidualBlock(w16 + w8, self.channels, 1, InstanceNorm)
        init_encoder(self)
        self.freeze()

    def encode(self, image: torch.Tensor) -> torch.Tensor:
        """See `SemanticEncoder.encode`."""
        height, width = image.shape[2:]
        image = F.pad(2 * image - 1, (0, -width % 32, 0, -height % 32), mode="replicate")
        at8 = self.down8(self.down4(self.stem(image)))
        at16 = self.down16(at8)
        at16 = self.up16(torch.cat([upsample_aligned(self.down32(at16), 2), at16], dim=1))
        features: torch.Tensor = self.up8(torch.cat([upsample_aligned(at16, 2), at8], dim=1))
        return features[:, :, : height // 8, : width // 8]


class SemanticTrainer(nn.Module):
    """The encoder with the heads that its labels need; what it predicts is there for training only.

    Args:
        encoder: trained in place; its gradients are turned on until `encoder.freeze()`.
        regions: how many regions the labels tell apart, background among them.
    """

    def __init__(self, encoder: SyntheticEncoder, regions: int) -> None:
        super().__init__()
        self.encoder = encoder.requires_grad_(True)
        self.regions = nn.Conv2d(encoder.channels, regions, 1)
        self.uv = nn.Conv2d(encoder.channels, 2, 1)

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Predict the labels of images (B, 3, H, W), RGB in [0, 1], at 1/8 of their size.

        Returns:
            Region logits (B, regions, H / 8, W / 8) and texture coordinates (B, 2, H / 8, W / 8).
        """
        features = self.encoder.encode(image)
        return self.regions(features), self.uv(features)


def semantic_loss(
    logits: torch.Tensor, uv: torch.Tensor, true_regions: torch.Tensor, true_uv: torch.Tensor
) -> torch.Tensor:
    """Cross-entropy of the regions plus the mean absolute error of the texture coordinates on the surface.

    Args:
        logits, uv: what `SemanticTrainer` gives.
        true_regions: (B, H, W) integers, at full size; 0 is the background.
        true_uv: (B, 2, H, W) in [0, 1], at full size; not looked at on the background, nor where it is zero: eyes,
            teeth and tongue have no place on the sheet of skin.
    """
    # Cell i of the 1/8 grid stands at pixel 8 i.
    regions = true_regions[:, ::8, ::8].long()
    true_uv = true_uv[:, :, ::8, ::8]
    error = (uv.float() - true_uv).abs().sum(dim=1)
    surface = (regions > 0) & (true_uv != 0).any(dim=1)
    return F.cross_entropy(logits.float(), regions) + joint_ratio((error * surface).sum(), surface.sum())
