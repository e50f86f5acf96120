"""Correlation of each feature with a window around where it points to, computed on demand.

Nothing of the size of all pairs is held. Two implementations that agree: one compiled for the CPU, and one
in PyTorch operations for every other device.
"""

from __future__ import annotations

import functools
import itertools
import math
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numba
import numpy as np
import torch

from ffbench.threads import usable_cores


def local_correlation(
    features1: torch.Tensor, features2: torch.Tensor, centers: torch.Tensor, radius: int
) -> torch.Tensor:
    """Correlate every cell of the first map with a window of the second, read bilinearly.

    Args:
        features1: (B, H, W, C).
        features2: (B, h, w, C), may be of another size.
        centers: (B, H, W, 2), where each cell points to in the second map: x, y in cells. No gradient flows
            to them.
        radius: the window is 2 * radius + 1 cells wide and high, one cell apart.

    Returns:
        (B, H, W, (2 * radius + 1) ** 2) dot products over sqrt(C), the offset in y running fastest; cells
        outside the second map count as zero.
    """
    if features1.device.type == "cpu" and not torch.onnx.is_in_onnx_export():
        return _on_cpu(features1, features2, centers.detach(), radius)
    return local_correlation_torch(features1, features2, centers, radius)


def local_correlation_torch(
    features1: torch.Tensor, features2: torch.Tensor, centers: torch.Tensor, radius: int
) -> torch.Tensor:
    """Do what `local_correlation` does in PyTorch operations, one row of the window at a time."""
    batch, channels = features1.shape[0], features1.shape[3]
    rows, columns = features2.shape[1:3]
    corner = centers.detach().floor()
    fraction = (centers.detach() - corner).to(features1.dtype)
    offsets = torch.arange(-radius, radius + 2, device=features1.device)
    # Far outside, where an integer could overflow, every cell is zero all the same.
    x = corner[..., 0, None].clamp(-radius - 2, columns + radius + 1).long() + offsets
    y = corner[..., 1, None].clamp(-radius - 2, rows + radius + 1).long() + offsets
    inside_x = (x >= 0) & (x < columns)
    x = x.clamp(0, columns - 1)
    first_cell = (torch.arange(batch, device=features1.device) * rows * columns).view(batch, 1, 1, 1)
    table = features2.reshape(batch * rows * columns, channels)
    lines = []
    for line in y.unbind(dim=-1):
        inside = inside_x & ((line >= 0) & (line < rows))[..., None]
        cells = first_cell + line.clamp(0, rows - 1)[..., None] * columns + x
        with torch.autocast(features1.device.type, enabled=False):
            products = torch.einsum("bhwc,bhwnc->bhwn", features1, table[cells])
        lines.append(products * inside)
    patch = torch.stack(lines, dim=-1) / math.sqrt(channels)
    fx, fy = fraction[..., 0, None, None], fraction[..., 1, None, None]
    patch = patch[..., :-1, :] * (1 - fx) + patch[..., 1:, :] * fx
    patch = patch[..., :-1] * (1 - fy) + patch[..., 1:] * fy
    return patch.flatten(start_dim=3)


class _Compiled(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, features1: torch.Tensor, features2: torch.Tensor, centers: torch.Tensor, radius: int
    ) -> torch.Tensor:
        features1, features2 = features1.detach().contiguous(), features2.detach().contiguous()
        centers = centers.to(features1.dtype).contiguous()
        batch, height, width, _ = features1.shape
        result = features1.new_empty(batch, height, width, (2 * radius + 1) ** 2)
        arrays = [t.numpy() for t in (features1, features2, centers, result)]
        _in_parallel(_correlate, batch * height, radius, *arrays)
        ctx.save_for_backward(features1, features2, centers)
        ctx.radius = radius
        return result

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, None, None]:
        features1, features2, centers = ctx.saved_tensors
        gradient1, gradient2 = torch.zeros_like(features1), torch.zeros_like(features2)
        gradient = gradients[0].to(features1.dtype).contiguous()
        # Each thread has channels of its own, so every sum is taken in one order: results do not depend
        # on the number of threads.
        channels = features1.shape[-1]
        arrays = [t.numpy() for t in (features1, features2, centers, gradient, gradient1, gradient2)]
        _in_parallel(_backpropagate, channels, ctx.radius, *arrays)
        return gradient1, gradient2, None, None


# torch.compile cannot look into numba's kernels: it leaves a gap for them.
_on_cpu: Callable[..., torch.Tensor] = torch.compiler.disable(_Compiled.apply)  # type: ignore[no-untyped-call]


def _in_parallel(kernel: Callable[..., None], count: int, *arguments: object) -> None:
    """Run `kernel(start, stop, ...)` over ranges that together cover `count`, in PyTorch's number of threads."""
    threads = min(torch.get_num_threads(), count)
    if threads == 1:
        kernel(0, count, *arguments)
        return
    bounds = [count * part // threads for part in range(threads + 1)]
    work = [_pool().submit(kernel, start, stop, *arguments) for start, stop in itertools.pairwise(bounds[1:])]
    kernel(bounds[0], bounds[1], *arguments)
    for part in work:
        part.result()


@functools.cache
def _pool() -> ThreadPoolExecutor:
    # Plain threads and kernels that drop the GIL, not numba's own: its OpenMP layer ends the process when a
    # data loader forks, and its other layer when two threads call it.
    return ThreadPoolExecutor(max_workers=usable_cores(), thread_name_prefix="correlation")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)


def _jit(function):  # type: ignore[no-untyped-def]
    return numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "nsz"})(function)


@_jit
def _correlate(start, stop, radius, features1, features2, centers, result):  # type: ignore[no-untyped-def]
    """Fill the rows `start` to `stop` of `result`; rows are counted over the whole batch."""
    _, height, width, channels = features1.shape
    _, rows, columns, _ = features2.shape
    side = 2 * radius + 2
    patch = np.empty((side, side), features1.dtype)
    scale = features1.dtype.type(1 / np.sqrt(channels))
    for task in range(start, stop):
        b, row = task // height, task % height
        for column in range(width):
            feature = features1[b, row, column]
            left, top = np.floor(centers[b, row, column, 0]), np.floor(centers[b, row, column, 1])
            fx, fy = centers[b, row, column, 0] - left, centers[b, row, column, 1] - top
            patch[:] = 0
            # Compared as floats, so that no value, however far off or NaN, becomes a wild index.
            if left > -side and left < columns + side and top > -side and top < rows + side:
                x0, y0 = int(left) - radius, int(top) - radius
                for j in range(max(0, -y0), min(side, rows - y0)):
                    for i in range(max(0, -x0), min(side, columns - x0)):
                        other = features2[b, y0 + j, x0 + i]
                        product = features1.dtype.type(0)
                        for c in range(channels):
                            product += feature[c] * other[c]
                        patch[j, i] = product * scale
            n = 0
            for i in range(side - 1):
                for j in range(side - 1):
                    near = patch[j, i] + fy * (patch[j + 1, i] - patch[j, i])
                    far = patch[j, i + 1] + fy * (patch[j + 1, i + 1] - patch[j, i + 1])
                    result[b, row, column, n] = near + fx * (far - near)
                    n += 1


@_jit
def _backpropagate(start, stop, radius, features1, features2, centers, gradient, gradient1, gradient2):  # type: ignore[no-untyped-def]
    """Add to the channels `start` to `stop` of both maps' gradients."""
    batch, height, width, channels = features1.shape
    _, rows, columns, _ = features2.shape
    side = 2 * radius + 2
    patch = np.empty((side, side), features1.dtype)
    one = features1.dtype.type(1)
    scale = features1.dtype.type(1 / np.sqrt(channels))
    for b in range(batch):
        for row in range(height):
            for column in range(width):
                left, top = np.floor(centers[b, row, column, 0]), np.floor(centers[b, row, column, 1])
                if not (left > -side and left < columns + side and top > -side and top < rows + side):
                    continue
                fx, fy = centers[b, row, column, 0] - left, centers[b, row, column, 1] - top
                patch[:] = 0
                n = 0
                for i in range(side - 1):
                    for j in range(side - 1):
                        g = gradient[b, row, column, n] * scale
                        n += 1
                        patch[j, i] += g * (one - fx) * (one - fy)
                        patch[j + 1, i] += g * (one - fx) * fy
                        patch[j, i + 1] += g * fx * (one - fy)
                        patch[j + 1, i + 1] += g * fx * fy
                x0, y0 = int(left) - radius, int(top) - radius
                # Slices that start at zero: with other bounds the loops over channels are not vectorised.
                feature = features1[b, row, column, start:stop]
                sum1 = gradient1[b, row, column, start:stop]
                for j in range(max(0, -y0), min(side, rows - y0)):
                    for i in range(max(0, -x0), min(side, columns - x0)):
                        g = patch[j, i]
                        other = features2[b, y0 + j, x0 + i, start:stop]
                        sum2 = gradient2[b, y0 + j, x0 + i, start:stop]
                        for c in range(stop - start):
                            sum1[c] += g * other[c]
                        for c in range(stop - start):
                            sum2[c] += g * feature[c]
