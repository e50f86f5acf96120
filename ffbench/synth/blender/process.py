"""A Blender that draws for this process: finding a Python that has it, starting it, asking it, ending it.

Blender as a module wants an older numpy than ffbench and is under another licence, so that ffbench never imports it:
it runs `blender_worker.py` by another Python and speaks with it in lines and files.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from ffbench.errors import DataError, UsageError

PYTHON_VARIABLE = "FFBENCH_BLENDER_PYTHON"
VERSION = "4.5"
"""Of Blender: the long-term release whose nodes, passes and channel names the worker knows."""
INSTALL = (
    "make an environment for it: `python3.11 -m venv blender-env`, `blender-env/bin/pip install bpy==4.5.15 "
    f"OpenEXR==3.5.3`, and set {PYTHON_VARIABLE}=$PWD/blender-env/bin/python (or give --blender-python)"
)
WORKER = Path(__file__).with_name("worker.py")
START_SECONDS, JOB_SECONDS, END_SECONDS = 120.0, 1800.0, 3.0


def find_python(named: Path | None = None) -> Path:
    """Say which Python runs Blender: the one that is named, that of the environment variable, or this one.

    Raises:
        UsageError: none has it, or the file does not exist.
    """
    told = os.environ.get(PYTHON_VARIABLE)
    if named is None and not told:
        if importlib.util.find_spec("bpy") is None:
            raise UsageError(f"renderer blender is not installed; {INSTALL}")
        return Path(sys.executable)
    python = named or Path(str(told))
    if not python.is_file():
        raise UsageError(f"{python}: no such Python; {INSTALL}")
    return python


class BlenderProcess:
    """A running worker. `version` is Blender's; files pass through `folder`, which is gone when it ends."""

    def __init__(self, python: Path) -> None:
        """Start it.

        Raises:
            UsageError: that Python has no Blender, or another one than is needed.
        """
        self.folder = Path(tempfile.mkdtemp(prefix="ffbench-blender-"))
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  (it lives as long as the process)
        try:
            # Isolated: what PYTHONPATH or this folder holds is for ffbench's Python, not for that one.
            self._process = subprocess.Popen(
                [str(python), "-I", str(WORKER), str(self.folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log,
                encoding="utf-8",
                errors="replace",
            )
        except OSError as error:
            self._log.close()
            self.folder.rmdir()
            raise UsageError(f"{python}: cannot be run ({error.strerror or error}); {INSTALL}") from error
        try:
            self.version = str(self._read(START_SECONDS)["blender"])
        except (DataError, KeyError) as error:
            self.close()
            raise UsageError(f"{python}: does not run Blender ({error}); {INSTALL}") from error
        if not self.version.startswith(VERSION):
            self.close()
            raise UsageError(f"{python}: has Blender {self.version}, expected {VERSION}; {INSTALL}")

    def ask(self, job: dict[str, Any], seconds: float = JOB_SECONDS) -> None:
        """Have a job done.

        Raises:
            DataError: it failed, took longer than `seconds`, or the process has ended; it is closed then.
        """
        assert self._process.stdin is not None
        with contextlib.suppress(OSError, ValueError):  # It has ended; reading says why.
            self._process.stdin.write(json.dumps(job) + "\n")
            self._process.stdin.flush()
        answer = self._read(seconds)
        if answer:
            self.close()
            raise DataError(f"Blender cannot {job.get('do')}: {answer.get('error', answer)}")

    def close(self) -> None:
        """End it and remove its folder."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._log.close()
        shutil.rmtree(self.folder, ignore_errors=True)  # what was killed could not

    def _read(self, seconds: float) -> dict[str, Any]:
        assert self._process.stdout is not None
        late = threading.Event()

        def give_up() -> None:
            late.set()
            self._process.kill()

        timer = threading.Timer(seconds, give_up)
        timer.daemon = True
        timer.start()
        try:
            line = self._process.stdout.readline()
        except ValueError:
            line = ""  # closed before
        finally:
            timer.cancel()
        try:
            answer = json.loads(line)
        except ValueError:
            answer = None
        if isinstance(answer, dict):
            return answer
        if late.is_set():
            fault = f"gave no answer in {seconds:g} s"
        elif line:
            fault = f"answered {line[:80].strip()!r}, which is none"
            self._process.kill()
        else:
            fault = f"ended with code {self._process.wait()}"
        said = self._last_words()
        self.close()
        raise DataError(f"Blender {fault}{': ' + said if said else ''}")

    def _last_words(self) -> str:
        """The end of its log, in one line."""
        if self._log.closed:
            return ""
        self._log.seek(0, os.SEEK_END)
        self._log.seek(max(self._log.tell() - 4096, 0))
        lines = self._log.read().decode("utf-8", "replace").split("\n")
        return " | ".join([line.strip() for line in lines if line.strip()][-3:])
