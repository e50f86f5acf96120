"""One thread for all that computes, so that speeds of methods are of one core each."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import cv2
import numba
import torch
from threadpoolctl import threadpool_limits


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Hold PyTorch, OpenCV, numba, OpenMP and BLAS to one thread of this process, and give them back what they had."""
    before = torch.get_num_threads(), cv2.getNumThreads(), numba.get_num_threads()
    with threadpool_limits(1):
        torch.set_num_threads(1)
        cv2.setNumThreads(1)
        numba.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(before[0])
            cv2.setNumThreads(before[1])
            numba.set_num_threads(before[2])
