"""What the networks of the family share: what they take and give."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from ..config import CorrectorConfig, LightConfig, PaperConfig


@dataclass(frozen=True)
class FlowPredictions:
    """The flows after each update step, coarse to fine: (B, 2, H, W) float32 in pixels, the last one the result.

    `head` is empty when the head decoder was not run.
    """

    facial: tuple[torch.Tensor, ...]
    head: tuple[torch.Tensor, ...]

    @property
    def expression(self) -> tuple[torch.Tensor, ...]:
        """Expression flow of each step: facial - head (paper, section 4.3)."""
        return tuple(facial - head for facial, head in zip(self.facial, self.head, strict=bool(self.head)))


class FlowNetwork(nn.Module):
    """A network that estimates facial and head flow with two decoders over shared encoders.

    `facial_decoder` and `head_decoder` are the two; everything else is shared. The first stage of the
    paper's training runs everything but the head decoder, the second, after `freeze_facial`, trains
    nothing else.
    """

    config: PaperConfig | LightConfig | CorrectorConfig
    stride: int
    """Height and width must be multiples of this."""
    smallest: int
    """Least height and width."""
    facial_decoder: nn.Module
    head_decoder: nn.Module
    steps: int
    """How many predictions `forward` makes by default."""
    _facial_frozen = False

    @abstractmethod
    def forward(
        self,
        image1: torch.Tensor,
        image2: torch.Tensor,
        *,
        iterations: int | None = None,
        head: bool = True,
        every_step: bool | None = None,
    ) -> FlowPredictions:
        """Estimate the flows from `image1` to `image2`.

        Args:
            image1, image2: (B, 3, H, W), RGB in [0, 1]; H and W multiples of `stride`, at least `smallest`.
            iterations: update steps; None for the network's own.
            head: run the head decoder too.
            every_step: give the flows after every step (for training losses) or only the last; by default
                every one in training mode.

        Raises:
            ValueError: a size that does not fit.
        """

    def freeze_facial(self) -> None:
        """Keep all that facial flow depends on as it is, BatchNorm's statistics too, whatever the mode."""
        self._facial_frozen = True
        for part in self._facial_parts():
            part.requires_grad_(False)
        self.train(self.training)

    def unfreeze(self) -> None:
        """Let everything be trained again but the face-semantic encoder, which has no gradient of its own."""
        self._facial_frozen = False
        for name, part in self.named_children():
            part.requires_grad_(name != "semantic")
        self.train(self.training)

    def train(self, mode: bool = True) -> FlowNetwork:
        """Set the mode of all that is not frozen."""
        super().train(mode)
        if self._facial_frozen:
            for part in self._facial_parts():
                part.train(False)
        return self

    def _facial_parts(self) -> list[nn.Module]:
        return [part for name, part in self.named_children() if name != "head_decoder"]

    def __call__(self, *args: Any, **kwargs: Any) -> FlowPredictions:
        """Call `forward`."""
        predictions: FlowPredictions = super().__call__(*args, **kwargs)
        return predictions

    def check_size(self, image1: torch.Tensor, image2: torch.Tensor) -> None:
        """Check the images against what the network takes.

        Raises:
            ValueError: they do not fit.
        """
        height, width = image1.shape[2:]
        fits = height % self.stride == 0 and width % self.stride == 0 and min(height, width) >= self.smallest
        if image1.shape != image2.shape or image1.shape[1] != 3 or not fits:
            raise ValueError(
                f"images must be (B, 3, H, W) of one size, H and W multiples of {self.stride} and at least "
                f"{self.smallest}, got {tuple(image1.shape)} and {tuple(image2.shape)}"
            )
