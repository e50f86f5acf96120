"""Work of visitors' in a process of its own, bounded in time, memory and files, that ends with this one."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ffbench.errors import DataError
from ffbench.threads import variables

_POLL_SECONDS = 0.2
_WORKER = ("-m", f"{__package__}.worker")
_LAST_WORDS = 500


@dataclass(frozen=True)
class Limits:
    """What a process may take: seconds, of the clock and of each of its threads; bytes of memory, of a file."""

    seconds: int = 600
    memory_bytes: int = 3 * 2**30
    file_bytes: int = 2 * 2**30
    threads: int = 1


@dataclass(frozen=True)
class Progress:
    """How far the process is."""

    title: str
    done: int
    total: int


def run(
    folder: Path,
    task: str,
    request: Mapping[str, Any],
    limits: Limits,
    tell: Callable[[Progress | None], None],
    fallback_hint: str,
) -> dict[str, Any]:
    """Have a task of `worker.TASKS` done; whatever happens, also when `tell` raises, the process is killed in the end.

    Args:
        folder: private and empty but for what the task reads; the caller removes it.
        task: its name.
        request: what the task is to do.
        limits: of the process.
        tell: called five times a second with how far it is, None where the task does not say.
        fallback_hint: what a visitor can do whose work takes too long.

    Returns:
        What the task gives; its fault in words under `error`.

    Raises:
        DataError: it took more than `limits`, or ended early.
    """
    whole = {**request, "task": task, "limits": asdict(limits)}
    (folder / "request.json").write_text(json.dumps(whole))
    deadline = time.monotonic() + limits.seconds
    with _process(folder, limits.threads) as process:
        while process.poll() is None:
            if time.monotonic() > deadline:
                raise _too_long(limits, fallback_hint)
            tell(_progress(folder))
            time.sleep(_POLL_SECONDS)
    try:
        result: dict[str, Any] = json.loads((folder / "result.json").read_text())
    except OSError:
        raise _why(process.returncode, folder, limits, fallback_hint) from None
    return result


def _progress(folder: Path) -> Progress | None:
    try:
        return Progress(**json.loads((folder / "progress.json").read_text()))
    except FileNotFoundError:  # not written yet
        return None


@contextlib.contextmanager
def _process(folder: Path, threads: int) -> Iterator[subprocess.Popen[bytes]]:
    """Start the worker in a session and an empty folder of its own; kill all of it in the end.

    Its standard input is a pipe that is never written to: when this process ends, the worker sees it closed.
    """
    for name in ("work", "scratch"):
        (folder / name).mkdir()
    environment = {**os.environ, "TMPDIR": str(folder / "scratch"), **variables(threads)}
    command = [sys.executable, *_WORKER, str(folder)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=folder / "work",
            env=environment,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            if process.stdin is not None:
                process.stdin.close()
            # As the first process of a container this one inherits what the worker had started.
            with contextlib.suppress(ChildProcessError):
                while True:
                    os.waitpid(-process.pid, 0)


def _too_long(limits: Limits, fallback_hint: str) -> DataError:
    return DataError(f"it took longer than {limits.seconds} s; {fallback_hint}")


def _why(code: int, folder: Path, limits: Limits, fallback_hint: str) -> DataError:
    """Say in words why the process ended without a result."""
    if -code in (signal.SIGXCPU, signal.SIGALRM):
        return _too_long(limits, fallback_hint)
    with (folder / "log").open("rb") as log:
        log.seek(max(0, log.seek(0, io.SEEK_END) - _LAST_WORDS))
        words = log.read().decode(errors="replace").strip().splitlines()
    memory = limits.memory_bytes // 2**20
    ended = f"signal {-code}, such as for want of memory (at most {memory} MB)" if code < 0 else f"code {code}"
    return DataError(f"the process for it ended early ({ended}): {words[-1] if words else 'it said nothing'}")
