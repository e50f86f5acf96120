"""The process that does what the pages must bound: `python -m ffbench.leaderboard.work.worker FOLDER`.

It ties itself to the process that started it, and bounds itself before it imports anything that could read an upload
or run a method: memory, processor time, time, size of files, no core dumps. `FOLDER/request.json` says what to do,
`FOLDER/result.json` what came of it.
"""

from __future__ import annotations

import importlib
import json
import resource
import signal
import sys
from pathlib import Path

from .lifeline import end_with_the_starter

TASKS = {"score": "scoring_task", "estimate": "estimate_task", "clip": "clip_task"}
"""Module by task; its `answer(folder, request)` gives the result."""


def main(folder: Path) -> None:
    """Do what the request says; every fault that a visitor can mend is a part of the result."""
    request = json.loads((folder / "request.json").read_text())
    bound_this_process(**request["limits"])
    from ffbench.errors import FfbenchError
    from ffbench.io import atomic

    try:
        result = importlib.import_module(f"{__package__}.{TASKS[request['task']]}").answer(folder, request)
    except FfbenchError as error:
        result = {"error": str(error)}
    except MemoryError:
        result = {"error": f"needs more than {request['limits']['memory_bytes'] // 2**20} MB of memory"}
    atomic.write_text(folder / "result.json", json.dumps(result))


def bound_this_process(seconds: int, memory_bytes: int, file_bytes: int, threads: int = 1) -> None:
    """Set limits that this process and what it starts cannot lift.

    Memory is what is private and writable (RLIMIT_DATA), which libraries that are only mapped are not. Linux alone
    holds processes to it; elsewhere the bounds on archives and the time are what is left.
    """
    limits = (
        (resource.RLIMIT_CPU, seconds * threads),
        (resource.RLIMIT_DATA, memory_bytes),
        (resource.RLIMIT_FSIZE, file_bytes),
        (resource.RLIMIT_CORE, 0),
    )
    for kind, limit in limits:
        hard = resource.getrlimit(kind)[1]
        most = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(kind, (most, most))
    signal.alarm(seconds)  # also when nobody is left who waits


if __name__ == "__main__":
    end_with_the_starter()
    main(Path(sys.argv[1]))
