"""The correlation operator of FlowNet and its descendants in PyTorch, with the arguments of mmcv's CUDA operator."""

from __future__ import annotations

import torch
import torch.nn.functional as F


def correlation(
    first: torch.Tensor,
    second: torch.Tensor,
    kernel_size: int = 1,
    max_displacement: int = 1,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
    dilation_patch: int = 1,
) -> torch.Tensor:
    """Compare each position of one feature map with displaced positions of another (FlowNet, 2015, Eq. 1).

    With d = dilation_patch * (p - max_displacement, q - max_displacement), both terms zero outside of the maps:

        out[n, p, q, y, x] = sum over channels c and taps i, j < kernel_size of
            first[n, c, u + (i, j) * dilation] * second[n, c, u + (i, j) * dilation + d],  u = stride * (y, x) - padding

    Args:
        first, second: features (N, C, H, W).
        kernel_size: side of the window that is compared; it begins at u, it is not centred on it.
        max_displacement: displacements on each side of zero, along each axis.
        stride: step between the positions that are compared.
        padding: zeros around both maps.
        dilation: step between the taps of the window.
        dilation_patch: step between displacements.

    Returns:
        (N, D, D, H', W') with D = 2 * max_displacement + 1 (first y, then x) and
        H' = floor((H + 2 * padding - dilation * (kernel_size - 1) - 1) / stride) + 1.
    """
    reach = dilation_patch * max_displacement
    first = F.pad(first, [padding] * 4)
    second = F.pad(second, [padding + reach] * 4)
    window = dilation * (kernel_size - 1)
    height, width = ((side - window - 1) // stride + 1 for side in first.shape[2:])

    def at(features: torch.Tensor, y: int, x: int) -> torch.Tensor:
        rows = slice(y, y + stride * (height - 1) + 1, stride)
        columns = slice(x, x + stride * (width - 1) + 1, stride)
        return features[:, :, rows, columns]

    taps = [(i * dilation, j * dilation) for i in range(kernel_size) for j in range(kernel_size)]
    starts = range(0, 2 * reach + 1, dilation_patch) if reach else [0]
    products = [
        torch.stack([(at(first, i, j) * at(second, i + y, j + x)).sum(1) for i, j in taps]).sum(0)
        for y in starts
        for x in starts
    ]
    return torch.stack(products, 1).reshape(-1, len(starts), len(starts), height, width)


class Correlation(torch.nn.Module):
    """`correlation` as the module that mmflow builds from its configs; the arguments are those of the function."""

    def __init__(
        self,
        kernel_size: int = 1,
        max_displacement: int = 1,
        stride: int = 1,
        padding: int = 0,
        dilation: int = 1,
        dilation_patch: int = 1,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size  # mmflow reads this one
        self._arguments = (kernel_size, max_displacement, stride, padding, dilation, dilation_patch)

    def forward(self, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        """Return the correlation of two feature maps."""
        return correlation(first, second, *self._arguments)
