"""What a face-semantic encoder is: E_D of Eq. 5."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

import torch
from torch import nn


class SemanticEncoder(nn.Module):
    """A frozen network that gives features of what is where on a face.

    Its parameters take no gradient, its BatchNorm keeps the statistics that it came with whatever mode the
    rest is in (unless `keeps_statistics` is turned off), and nothing is recorded for a backward pass.
    """

    channels: int
    """Channels of the features."""
    stored: ClassVar[bool] = True
    """Whether the trained values are kept in checkpoints; if not, they are fetched anew."""
    keeps_statistics: bool = True
    """Whether BatchNorm stays in evaluation mode while the rest is trained."""

    @abstractmethod
    def encode(self, image: torch.Tensor) -> torch.Tensor:
        """Encode (B, 3, H, W), RGB in [0, 1], into (B, channels, H / 8, W / 8); H and W are multiples of 8."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Encode without recording for a backward pass."""
        with torch.no_grad():
            return self.encode(image)

    def freeze(self) -> None:
        """Turn gradients off; a subclass calls this at the end of its constructor."""
        self.requires_grad_(False)
        self.train(False)

    def train(self, mode: bool = True) -> SemanticEncoder:
        """Stay in evaluation mode while statistics are kept."""
        super().train(mode and not self.keeps_statistics)
        return self

    def __call__(self, *args: Any, **kwargs: Any) -> torch.Tensor:
        """Call `forward`."""
        features: torch.Tensor = super().__call__(*args, **kwargs)
        return features
