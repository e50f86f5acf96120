"""How much memory a reader takes at its peak, measured from outside of Python: VmHWM of a process of its own.

The process is a fork of one that has imported everything, so that what was imported is not counted.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import gc
import multiprocessing
import os
import resource
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest

from ffbench.errors import FfbenchError

MIB = 2**20
ALLOWED_FACTOR, ALLOWED_BYTES = 3, 64 * MIB
_PRELOADED = ["tests.attacks.readers"]
_ROOT = Path(__file__).parents[2]
_SECONDS = 300


@dataclass(frozen=True)
class Peak:
    """What a read took at most, in bytes beyond what the process had before, and how it ended."""

    bytes: int
    error: str | None
    """The message of an FfbenchError; None if the file was read."""


def allowed(declared: int) -> int:
    """Return the most that a reader may take for a file that declares so many bytes."""
    return ALLOWED_FACTOR * declared + ALLOWED_BYTES


def measure(read: Callable[[Path], object], path: Path, *, limit: int | None = None) -> Peak:
    """Read a file in a process of its own.

    Args:
        read: the reader, a function of a module.
        path: the file.
        limit: bytes of address space that the process may have beyond what it has; None: any.

    Raises:
        AssertionError: the reader raised something else than an FfbenchError, or one of several lines, or died.
    """
    context = _context()
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_child, args=(read, path, limit, sender))
    child.start()
    sender.close()
    try:
        answer = receiver.recv() if receiver.poll(_SECONDS) else "it took too long"
    except EOFError:
        answer = "it died"
    child.kill()
    child.join()
    assert isinstance(answer, Peak), f"{path.name}: {answer}"
    return answer


@functools.cache
def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    # The server preloads with a search path of its own, where a package may have installed another `tests`.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(_ROOT), prepend=os.pathsep)
        forkserver.ensure_running()
    return context


def _child(read: Callable[[Path], object], path: Path, limit: int | None, sender: object) -> None:
    warnings.simplefilter("ignore")
    answer: Peak | str
    try:
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)
        Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here
        before, libraries = _status("VmRSS"), _status("RssFile")
        error = None
        try:
            with _short_of_memory(limit):
                read(path)
        except FfbenchError as caught:
            error = str(caught)
            assert len(error.splitlines()) == 1, error
        # Code of libraries that runs for the first time is mapped from their files, and is not what the read takes.
        libraries = _status("RssFile") - libraries
        answer = Peak(_status("VmHWM") - before - libraries, error)
    except BaseException as caught:
        answer = f"raised {type(caught).__name__}: {caught}"
    sender.send(answer)  # type: ignore[attr-defined]


@contextlib.contextmanager
def _short_of_memory(limit: int | None) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_AS)
    if limit is not None:
        resource.setrlimit(resource.RLIMIT_AS, (_status("VmSize") + limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def _status(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise KeyError(name)
