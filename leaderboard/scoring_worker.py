"""The process that reads what strangers upload: `python -m ffbench.leaderboard.scoring_worker FOLDER`.

It bounds itself before it imports anything that could read the upload: memory, processor time, time, size of files, no
core dumps. `FOLDER/request.json` says what to do, `FOLDER/result.json` what came of it; `progress.json` how far it is.
"""

from __future__ import annotations

import contextlib
import json
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

_SECONDS_BETWEEN = 0.2


def main(folder: Path) -> None:
    """Do what the request says; every fault that a submitter can mend is a part of the result."""
    request = json.loads((folder / "request.json").read_text())
    bound_this_process(**request["limits"])
    from ffbench import atomic
    from ffbench.errors import FfbenchError

    try:
        result = answer(folder, request)
    except FfbenchError as error:
        result = {"error": str(error)}
    except MemoryError:
        result = {"error": f"needs more than {request['limits']['memory_bytes'] // 2**20} MB of memory"}
    atomic.write_text(folder / "result.json", json.dumps(result))


def bound_this_process(seconds: int, memory_bytes: int, file_bytes: int) -> None:
    """Set limits that this process and what it starts cannot lift.

    Memory is what is private and writable (RLIMIT_DATA), which libraries that are only mapped are not. Linux alone
    holds processes to it; elsewhere the bounds on archives and the time are what is left.
    """
    limits = (
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_DATA, memory_bytes),
        (resource.RLIMIT_FSIZE, file_bytes),
        (resource.RLIMIT_CORE, 0),
    )
    for kind, limit in limits:
        hard = resource.getrlimit(kind)[1]
        most = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(kind, (most, most))
    signal.alarm(seconds)  # also when nobody is left who waits


def answer(folder: Path, request: dict[str, Any]) -> dict[str, Any]:
    """Validate the archive, and score it if it is sound and the request names a submitter.

    Returns:
        `report`, the lines of the validation report, with `sound`; or `record`, a path below `folder`.

    Raises:
        FfbenchError: the archive or the dataset cannot be read, or the archive is refused as a whole.
    """
    from ffbench.registry import load_protocol
    from ffbench.submissions.submit import InvalidSubmission, Submitter, submit, validate_submission

    archive, reporter = folder / request["archive"], _progress_bar(folder / "progress.json")
    protocol = load_protocol(request["protocol"])
    if request["submitter"] is None:
        report = validate_submission(archive, protocol, reporter)
        return {"report": report.lines(), "sound": report.sound}
    try:
        submit(archive, protocol, Submitter(**request["submitter"]), out=folder / "runs", progress_bar=reporter)
    except InvalidSubmission as error:
        return {"report": error.report.lines(), "sound": False}
    (record,) = (folder / "runs").rglob("record.json")
    return {"record": str(record.relative_to(folder))}


def _progress_bar(path: Path) -> Callable[[str, str], contextlib.AbstractContextManager[Any]]:
    from ffbench import atomic

    @contextlib.contextmanager
    def opened(title: str, unit: str) -> Iterator[Callable[[int, int], None]]:
        written = 0.0

        def progress(done: int, total: int) -> None:
            nonlocal written
            if time.monotonic() - written >= _SECONDS_BETWEEN:
                written = time.monotonic()
                atomic.write_text(path, json.dumps({"title": title, "done": done, "total": total}))

        yield progress

    return opened


if __name__ == "__main__":
    main(Path(sys.argv[1]))
