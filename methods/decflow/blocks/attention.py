"""Global motion aggregation: motion of places that look alike, taken together (GMA, section 3)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import nn

MATRIX_LIMIT_BYTES = 2 << 30
"""The attention of all cells to all cells is held up to this size, and computed anew at every use beyond it."""


class AttentionMap:
    """How much every cell looks at every other, and the means of values under it."""

    def __init__(self, query: torch.Tensor, key: torch.Tensor, hold: bool | None = None) -> None:
        """Take queries and keys (B, C, H, W); `hold` forces or forbids holding the matrix."""
        cells = query.shape[2] * query.shape[3]
        if hold is None:
            hold = query.shape[0] * cells**2 * 4 <= MATRIX_LIMIT_BYTES
        self._query, self._key = (x.flatten(2).transpose(1, 2) for x in (query, key))
        self._matrix: torch.Tensor | None = None
        if hold:
            scores = self._query @ self._key.transpose(1, 2) * query.shape[1] ** -0.5
            # Under autocast the softmax comes in float32; cast back once, not at every use.
            self._matrix = scores.softmax(dim=-1).to(scores.dtype)

    def aggregate(self, values: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        """Return the mean of each of `values`, (B, C, H, W), under the attention of every cell."""
        batch, channels, height, width = values[0].shape
        stacked = torch.stack([value.flatten(2).transpose(1, 2) for value in values], dim=1)
        if self._matrix is not None:
            # One product for all values, so that the matrix is read once.
            side_by_side = stacked.transpose(1, 2).flatten(2)
            means = (self._matrix @ side_by_side).view(batch, height * width, len(values), channels)
            means = means.permute(0, 2, 3, 1)
        else:
            shape = (batch, len(values), *self._query.shape[1:])
            # Only rows that lie together get the kernel that never makes the matrix.
            query, key = (x.contiguous()[:, None].expand(shape) for x in (self._query, self._key))
            means = F.scaled_dot_product_attention(query, key, stacked).transpose(2, 3)
        return list(means.reshape(batch, len(values), channels, height, width).unbind(dim=1))


class GlobalAttention(nn.Module):
    """Attention between cells from their context features, one head."""

    def __init__(self, context: int, dimension: int) -> None:
        super().__init__()
        self.query_key = nn.Conv2d(context, 2 * dimension, 1, bias=False)

    def forward(self, context: torch.Tensor) -> AttentionMap:
        """Compare the cells of (B, context, H, W)."""
        query, key = self.query_key(context).chunk(2, dim=1)
        return AttentionMap(query, key)


class Aggregator(nn.Module):
    """One decoder's share of the aggregation: its values, and how much of their means is added."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.value = nn.Conv2d(channels, channels, 1, bias=False)
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, motion: torch.Tensor, mean: torch.Tensor) -> torch.Tensor:
        """Add the aggregated values to the motion features."""
        return motion + self.gamma * mean
