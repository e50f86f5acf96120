"""A process that ends with the one that started it, however that ends: also by `kill -9`."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def end_with_the_starter() -> None:
    """Have the group of this process killed when nobody holds the other end of its standard input any more.

    Call it before there are threads, in a process that leads a group and has the reading end of a pipe as standard
    input. A second process watches the pipe: no code of this one can keep it from that, and what this one has started
    goes with it. On Linux the kernel kills this process by itself too, should the watcher be gone.
    """
    if os.fork() == 0:
        watch()
    if sys.platform == "linux":
        kill_when_the_starter_ends()
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)


def watch() -> None:
    """Wait for the end of standard input, then kill the group of this process, itself included."""
    while os.read(0, 1):
        pass
    os.killpg(0, signal.SIGKILL)


def kill_when_the_starter_ends() -> None:
    """Have the kernel kill this process when the thread that started it ends (Linux)."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
