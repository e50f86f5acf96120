"""Features of the pretrained face mesh network, which regresses 468 points of a face."""

from __future__ import annotations

from typing import ClassVar

import torch
import torch.nn.functional as F

from ffbench.assets import asset_path
from ffbench.facemesh.crop import CROP_SIZE
from ffbench.facemesh.network import FEATURE_CHANNELS, FaceMeshNetwork

from .base import SemanticEncoder

# The maps at 1/8, 1/16 and 1/32: finer ones say little that the context network does not see itself.
_FIRST_MAP = 2


class FaceMeshEncoder(SemanticEncoder):
    """The face mesh network over the whole image.

    The network expects a face that fills about two thirds of a 192x192 crop. What it is given here is the
    whole image, made square by repeating its border, and resized to 192x192; its maps are then read
    bilinearly where the cells of the 1/8 grid lie. So the features are best where the face takes up most
    of the image, as in FacialFlowNet and in face crops, and fade as it gets smaller.

    The trained values come from the asset `face_mesh`, fetched on first use, and are not kept in
    checkpoints.
    """

    channels = sum(FEATURE_CHANNELS[_FIRST_MAP:])
    stored: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()
        self.network = FaceMeshNetwork(asset_path("face_mesh"))
        self.freeze()

    def encode(self, image: torch.Tensor) -> torch.Tensor:
        """See `SemanticEncoder.encode`."""
        height, width = image.shape[2:]
        side = max(height, width)
        left, top = (side - width) // 2, (side - height) // 2
        square = F.pad(image, (left, side - width - left, top, side - height - top), mode="replicate")
        crop = F.interpolate(square, size=(CROP_SIZE, CROP_SIZE), mode="bilinear", antialias=True)
        maps = self.network.features(crop)[_FIRST_MAP:]
        # grid_sample's coordinates run from -1 to 1 between the outer edges of the square.
        x, y = (
            (torch.arange(0, size, 8, device=image.device, dtype=crop.dtype) + 0.5 + start) * 2 / side - 1
            for size, start in ((width, left), (height, top))
        )
        grid = torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)
        grid = grid.expand(image.shape[0], *grid.shape)
        read = [F.grid_sample(level.float(), grid, align_corners=False, padding_mode="border") for level in maps]
        return torch.cat(read, dim=1)
