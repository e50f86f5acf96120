"""Correlation of two feature maps, looked up in windows around where flows point (RAFT, section 3.2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

import torch
import torch.nn.functional as F

CorrelationKind = Literal["auto", "volume", "on_demand"]
VOLUME_LIMIT_BYTES = 2 << 30
"""`auto` holds the correlation of all pairs up to this size, and computes windows on demand beyond it."""


class Correlation(Protocol):
    """Correlation of two feature maps."""

    def lookup(self, flows: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        """Read the windows around where `flows`, each (B, 2, H, W) in cells, point.

        Returns:
            For each flow (B, levels * (2 * radius + 1) ** 2, H, W) float32: level by level, within a level
            the offset in y running fastest.
        """


def correlate(
    features1: torch.Tensor, features2: torch.Tensor, levels: int, radius: int, kind: CorrelationKind = "auto"
) -> Correlation:
    """Correlate two feature maps (B, C, H, W) in float32; level l is pooled l times by 2 on the second map's side.

    Raises:
        ValueError: the maps are too small for that many levels.
    """
    height, width = features1.shape[2:]
    if min(height, width) < 2 ** (levels - 1):
        raise ValueError(f"{levels} levels need maps of {2 ** (levels - 1)} cells a side, got {height}x{width}")
    if kind == "auto":
        # The levels above the first add a third.
        size = features1.shape[0] * (height * width) ** 2 * 4 * 4 / 3
        kind = "volume" if size <= VOLUME_LIMIT_BYTES else "on_demand"
    features1, features2 = features1.float(), features2.float()
    if kind == "volume":
        return _Volume(features1, features2, levels, radius)
    return _OnDemand(features1, features2, levels, radius)


def cell_grid(like: torch.Tensor) -> torch.Tensor:
    """Return the coordinates (1, 2, H, W) of the cells of a map (B, C, H, W): channel 0 is x, 1 is y."""
    height, width = like.shape[2:]
    y, x = torch.meshgrid(
        torch.arange(height, device=like.device, dtype=torch.float32),
        torch.arange(width, device=like.device, dtype=torch.float32),
        indexing="ij",
    )
    return torch.stack([x, y])[None]


class _Volume:
    """All pairs, computed once and held."""

    def __init__(self, features1: torch.Tensor, features2: torch.Tensor, levels: int, radius: int) -> None:
        batch, channels, height, width = features1.shape
        self._grid = cell_grid(features1)
        with torch.autocast(features1.device.type, enabled=False):
            volume = features1.flatten(2).transpose(1, 2) @ features2.flatten(2)
            volume = (volume / channels**0.5).view(batch * height * width, 1, height, width)
        steps = torch.arange(-radius, radius + 1, device=features1.device, dtype=torch.float32)
        offsets = torch.cartesian_prod(steps, steps)
        self._pyramid = []
        for level in range(levels):
            if level:
                volume = F.avg_pool2d(volume, 2)
            # grid_sample wants (2 p + 1) / size - 1 for p = centre / 2**level + offset.
            factor = 2 / torch.tensor([volume.shape[3], volume.shape[2]], device=volume.device)
            self._pyramid.append((volume, factor / 2**level, (offsets + 0.5) * factor - 1))

    def lookup(self, flows: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        batch, _, height, width = flows[0].shape
        # One gather for all flows: (B * H * W, flows, 1, 2).
        centers = torch.stack([self._grid + flow for flow in flows], dim=-1)
        centers = centers.permute(0, 2, 3, 4, 1).reshape(batch * height * width, len(flows), 1, 2)
        windows = []
        for volume, factor, offsets in self._pyramid:
            points = torch.addcmul(offsets, centers, factor)
            windows.append(F.grid_sample(volume, points, align_corners=False).squeeze(1))
        result = torch.cat(windows, dim=2).view(batch, height, width, len(flows), -1)
        return list(result.permute(3, 0, 4, 1, 2).unbind())


class _OnDemand:
    """Only the windows, computed at every lookup: memory grows with the map and not with its square."""

    def __init__(self, features1: torch.Tensor, features2: torch.Tensor, levels: int, radius: int) -> None:
        self._grid = cell_grid(features1)
        self._radius = radius
        self._features1 = features1.permute(0, 2, 3, 1).contiguous()
        # Pooling the second map is pooling the volume: correlation is linear in it.
        pyramid = [features2]
        for _ in range(levels - 1):
            pyramid.append(F.avg_pool2d(pyramid[-1], 2))
        self._pyramid = [level.permute(0, 2, 3, 1).contiguous() for level in pyramid]

    def lookup(self, flows: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        # numba, which only this needs, takes most of a second to import.
        from .local_correlation import local_correlation

        results = []
        for flow in flows:
            centers = (self._grid + flow).permute(0, 2, 3, 1)
            windows = [
                local_correlation(self._features1, features2, centers / 2**level, self._radius)
                for level, features2 in enumerate(self._pyramid)
            ]
            results.append(torch.cat(windows, dim=3).permute(0, 3, 1, 2))
        return results
