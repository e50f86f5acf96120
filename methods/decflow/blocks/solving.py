"""Small linear systems: by LAPACK, or in operations that ONNX has."""

from __future__ import annotations

import torch


def solve(normal: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """Return x of normal x = right, (B, N, M).

    Args:
        normal: (B, N, N), symmetric and positive definite.
        right: (B, N, M).
    """
    return eliminated(normal, right) if torch.onnx.is_in_onnx_export() else torch.linalg.solve(normal, right)


def eliminated(normal: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """Do what `solve` does by Gauss-Jordan elimination in float64.

    ONNX has no operation that solves. Of a positive definite matrix no pivot is zero, whatever their order.
    """
    size = normal.shape[-1]
    rows = torch.cat([normal, right], dim=-1).double()
    for number in range(size):
        row = rows[:, number : number + 1] / rows[:, number : number + 1, number : number + 1]
        rest = rows - rows[:, :, number : number + 1] * row
        rows = torch.cat([rest[:, :number], row, rest[:, number + 1 :]], dim=1)
    return rows[:, :, size:].to(right.dtype)


def diagonal(values: torch.Tensor) -> torch.Tensor:
    """Return (B, N, N) with `values` (B, N) on the diagonal; `torch.diag_embed` in operations that ONNX has."""
    return values[:, :, None] * torch.eye(values.shape[1], device=values.device, dtype=values.dtype)
