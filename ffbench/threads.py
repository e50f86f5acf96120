"""How many threads libraries compute with: the one module that says it.

PyTorch, OpenCV, numba, OpenMP and BLAS take a thread for each core unless they are told otherwise, each of them and in
each process. Processes that share a machine then have more threads than it has cores, and OpenMP's wait for each other
in a loop that holds the core which another one needs.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator

VARIABLE = "OMP_NUM_THREADS"
"""Of the environment, in which a user says how many."""
_NUMBA = "NUMBA_NUM_THREADS"
_VARIABLES = (VARIABLE, "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", _NUMBA, "OPENCV_FOR_THREADS_NUM")
"""What libraries read when they are loaded."""
_WAITING = "OMP_WAIT_POLICY"


def usable_cores() -> int:
    """Return how many cores this process may run on, at least 1."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def default_threads() -> int:
    """Return the threads that libraries use unless they are told otherwise: `OMP_NUM_THREADS`, or one a core."""
    stated = os.environ.get(VARIABLE, "").partition(",")[0].strip()
    return int(stated) if stated.isdecimal() and int(stated) > 0 else usable_cores()


def variables(count: int) -> dict[str, str]:
    """Return the environment of a process to be started whose libraries are to use `count` threads each.

    >>> variables(1)["OMP_NUM_THREADS"]
    '1'
    """
    return dict.fromkeys(_VARIABLES, str(count))


def wait_without_spinning() -> None:
    """Let OpenMP's threads sleep while they wait for each other, unless the user's environment says how they wait.

    Call it before PyTorch is imported: OpenMP reads this when it is loaded. Processes that are started inherit it.
    """
    os.environ.setdefault(_WAITING, "PASSIVE")


def limit(count: int) -> None:
    """Hold this process to `count` threads for good: what is loaded, and what will be.

    For processes that are started to share the cores, also by a fork. A numba that is imported already keeps its
    number, since it starts its threads when it is asked for fewer, which a fork may not survive; no kernel of ffbench
    has numba run it in parallel.
    """
    from threadpoolctl import threadpool_limits

    os.environ.update((name, value) for name, value in variables(count).items() if name != _NUMBA)
    if "numba" not in sys.modules:
        os.environ[_NUMBA] = str(count)
    threadpool_limits(count)
    for name in ("torch", "cv2"):
        if name in sys.modules:
            _of(name)[1](count)


@contextlib.contextmanager
def limited(count: int) -> Iterator[None]:
    """Hold this process to `count` threads in a block, and give all libraries back what they had.

    PyTorch, OpenCV and numba are imported for it where they are installed, so that none comes later with a number of
    its own.
    """
    from threadpoolctl import threadpool_limits

    libraries = []
    for name in ("torch", "cv2", "numba"):
        with contextlib.suppress(ImportError):
            libraries.append(_of(name))
    before = [get() for get, _ in libraries]
    with threadpool_limits(count):
        for _, put in libraries:
            put(count)
        try:
            yield
        finally:
            for (_, put), threads in zip(libraries, before, strict=True):
                put(threads)


@contextlib.contextmanager
def one_torch_thread() -> Iterator[None]:
    """Hold PyTorch alone to one thread in a block: for small networks whose digits must not depend on the machine.

    With more threads sums are added up in another order. It takes microseconds, where `limited` takes milliseconds.
    """
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _of(library: str) -> tuple[Callable[[], int], Callable[[int], None]]:
    """Return what gives a library's number of threads, and what sets it.

    Raises:
        ImportError: it is not installed.
    """
    if library == "torch":
        import torch

        return torch.get_num_threads, torch.set_num_threads
    if library == "cv2":
        import cv2

        return cv2.getNumThreads, cv2.setNumThreads
    import numba

    most: int = numba.config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]
    return numba.get_num_threads, lambda count: numba.set_num_threads(min(count, most))
