"""Checking and scoring what strangers upload: in a process of its own, in a private folder that is removed."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ffbench.errors import DataError, FfbenchError
from ffbench.results.record import RunRecord, read_record
from ffbench.results.store import add_record
from ffbench.submissions.submit import Submitter

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".bundle")
MAX_MEGABYTES = 512
"""What an upload may weigh; larger ones are for `ffbench submit`."""
_ONE_AT_A_TIME = threading.Lock()
_POLL_SECONDS = 0.2
_LAST_WORDS = 500


class Busy(FfbenchError):
    """Another upload is being read."""


@dataclass(frozen=True)
class Limits:
    """What reading an upload may take: seconds, of the clock and of a processor, bytes of memory, bytes of one file."""

    seconds: int = 600
    memory_bytes: int = 3 * 2**30
    file_bytes: int = 2 * 2**30


@dataclass(frozen=True)
class Outcome:
    """What came of an upload: the lines of a validation report, or a record with its files for a store.

    `package` is a zip archive that, unpacked at the top of the repository, adds the record and its table of pair scores
    to `submissions/claimed`; None for a record that may not be ranked.
    """

    report: tuple[str, ...] = ()
    sound: bool = False
    record: RunRecord | None = None
    package: bytes | None = None


@dataclass(frozen=True)
class Progress:
    """How far the process is."""

    title: str
    done: int
    total: int


def archive_suffix(name: str) -> str:
    """Give the suffix that says what kind of archive an upload is.

    Raises:
        DataError: it is none that is read.
    """
    for suffix in ARCHIVES:
        if name.lower().endswith(suffix):
            return suffix
    raise DataError(f"{name}: expected an archive, {', '.join(ARCHIVES)}")


def read_upload(
    name: str,
    content: memoryview,
    protocol: str,
    submitter: Submitter | None,
    tell: Callable[[Progress | None], None],
    limits: Limits = Limits(),
) -> Outcome:
    """Validate an uploaded archive, and score it for `submitter` if there is one.

    One upload at a time. Whatever happens, also when `tell` raises because the visitor has gone, the process is killed
    and the folder removed.

    Args:
        name: of the upload, whose suffix says of what kind it is.
        content: its bytes.
        protocol: name of the protocol, which is opened on its default dataset.
        submitter: goes into the record; None to validate alone.
        tell: called five times a second with how far it is, None at first.
        limits: of the process.

    Raises:
        Busy: another upload is being read.
        DataError: the archive is refused, or asks for more than `limits`.
    """
    if not _ONE_AT_A_TIME.acquire(blocking=False):
        raise Busy("another submission is being read; try again in a minute")
    try:
        with tempfile.TemporaryDirectory(prefix="ffbench-upload-") as private:
            folder = Path(private)
            archive = folder / f"upload{archive_suffix(name)}"
            archive.write_bytes(content)
            result = _run(folder, archive.name, protocol, submitter, tell, limits)
            if "error" in result:
                raise DataError(str(result["error"]).replace(str(archive), name))
            if "report" in result:
                return Outcome(report=tuple(result["report"]), sound=bool(result["sound"]))
            return _outcome(folder / str(result["record"]), folder)
    finally:
        _ONE_AT_A_TIME.release()


def _run(
    folder: Path,
    archive: str,
    protocol: str,
    submitter: Submitter | None,
    tell: Callable[[Progress | None], None],
    limits: Limits,
) -> dict[str, Any]:
    request = {
        "archive": archive,
        "protocol": protocol,
        "submitter": None if submitter is None else asdict(submitter),
        "limits": asdict(limits),
    }
    (folder / "request.json").write_text(json.dumps(request))
    deadline = time.monotonic() + limits.seconds
    with _process(folder) as process:
        while process.poll() is None:
            if time.monotonic() > deadline:
                raise _too_long(limits)
            tell(_progress(folder))
            time.sleep(_POLL_SECONDS)
    try:
        result: dict[str, Any] = json.loads((folder / "result.json").read_text())
    except OSError:
        raise _why(process.returncode, folder, limits) from None
    return result


def _progress(folder: Path) -> Progress | None:
    try:
        return Progress(**json.loads((folder / "progress.json").read_text()))
    except FileNotFoundError:  # not written yet
        return None


@contextlib.contextmanager
def _process(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Start the worker in a session and an empty folder of its own; kill all of it in the end."""
    for name in ("work", "scratch"):
        (folder / name).mkdir()
    environment = {**os.environ, "TMPDIR": str(folder / "scratch"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "ffbench.leaderboard.scoring_worker", str(folder)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=folder / "work",
            env=environment,
            stdin=subprocess.DEVNULL,
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


def _too_long(limits: Limits) -> DataError:
    return DataError(f"it took longer than {limits.seconds} s; score it yourself with `ffbench submit`")


def _why(code: int, folder: Path, limits: Limits) -> DataError:
    """Say in words why the process ended without a result."""
    if -code in (signal.SIGXCPU, signal.SIGALRM):
        return _too_long(limits)
    with (folder / "log").open("rb") as log:
        log.seek(max(0, log.seek(0, io.SEEK_END) - _LAST_WORDS))
        words = log.read().decode(errors="replace").strip().splitlines()
    memory = limits.memory_bytes // 2**20
    ended = f"signal {-code}, such as for want of memory (at most {memory} MB)" if code < 0 else f"code {code}"
    return DataError(f"the process that scores ended early ({ended}): {words[-1] if words else 'it said nothing'}")


def _outcome(path: Path, folder: Path) -> Outcome:
    record = read_record(path)
    if record.not_rankable:
        return Outcome(sound=True, record=record)
    stored = add_record(folder / "submissions", path, "claimed")
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as package:
        for file in (stored, stored.with_suffix(".parquet")):
            package.write(file, file.relative_to(folder).as_posix())
    return Outcome(sound=True, record=record, package=content.getvalue())
