"""The recurrent unit of the decoders."""

from __future__ import annotations

import torch
from torch import nn


class GatedUpdate(nn.Module):
    """A convolutional GRU whose context never changes: its share of the gates is computed once per pair."""

    def __init__(self, hidden: int, context: int, motion: int, kernel: tuple[int, int]) -> None:
        super().__init__()
        padding = (kernel[0] // 2, kernel[1] // 2)
        self.context = nn.Conv2d(context, 3 * hidden, kernel, padding=padding)
        self.gates = nn.Conv2d(hidden + motion, 2 * hidden, kernel, padding=padding, bias=False)
        self.candidate = nn.Conv2d(hidden + motion, hidden, kernel, padding=padding, bias=False)
        # As one convolution over state, context and motion together would be drawn.
        bound = (kernel[0] * kernel[1] * (hidden + context + motion)) ** -0.5
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)

    def prepare(self, context: torch.Tensor) -> torch.Tensor:
        """Return the context's share of the two gates and of the candidate, (B, 3 * hidden, h, w)."""
        share: torch.Tensor = self.context(context)
        return share

    def forward(self, hidden: torch.Tensor, motion: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
        """Return the next hidden state."""
        size = hidden.shape[1]
        gates = torch.sigmoid(self.gates(torch.cat([hidden, motion], dim=1)) + share[:, : 2 * size])
        update, reset = gates.chunk(2, dim=1)
        candidate = self.candidate(torch.cat([reset * hidden, motion], dim=1)) + share[:, 2 * size :]
        return torch.lerp(hidden.to(candidate.dtype), torch.tanh(candidate), update)
