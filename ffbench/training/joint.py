"""What the processes of a run must do together, so that their batches count as one.

PyTorch's DDP takes the mean of the processes' gradients. That is the gradient of the joint batch where a loss is a mean
over samples. A mean over the pixels that count is one only if each process divides by the number of all of them.
"""

from __future__ import annotations

import torch
from torch import distributed


def processes() -> int:
    """Return how many processes take part in the run, each with a batch."""
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1


def joint_total(count: torch.Tensor) -> torch.Tensor:
    """Return a number added up over the processes; it takes no gradient. Every process must call it."""
    if processes() == 1:
        return count
    total = count.detach().clone()
    distributed.all_reduce(total)
    return total


def joint_ratio(total: torch.Tensor, count: torch.Tensor, least: torch.Tensor | float = 1) -> torch.Tensor:
    """Return this process's part of sum(totals) / sum(counts), such that the mean of all parts is that ratio.

    Args:
        total: (), of this process; takes the gradient.
        count: (), of this process; takes none.
        least: the sum of the counts counts as at least this.

    >>> joint_ratio(torch.tensor(6.0), torch.tensor(4))
    tensor(1.5000)
    """
    return total * processes() / joint_total(count).clamp(min=least)


def joint_mean(values: torch.Tensor) -> torch.Tensor:
    """Return the mean of numbers over the processes; it takes no gradient. Every process must call it."""
    return joint_total(values) / processes()
