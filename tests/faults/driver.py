"""Lets every operation of a command on its files go wrong once, and the process be killed at every one.

Run with the shim preloaded: `LD_PRELOAD=shim.so python -m tests.faults.driver FOLDER EVERY [WORK...]`. Everything is
done in forks of this process, so that the modules are imported once and each attempt starts alike.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import json
import os
import shutil
import sys
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ffbench.errors import FfbenchError
from ffbench.evaluation import fingerprint
from ffbench.io.atomic import is_temporary
from ffbench.packages.torchvision_ops import make_importable
from ffbench.threads import limit
from tests.faults.works import WORKS, Work

MODES = {"fail": 1, "kill": 2}
_REFUSED, _CRASHED = 3, 4
_shim = ctypes.CDLL(None)


def in_fork(body: Callable[[], object]) -> tuple[int, str]:
    """Run in a fork; give its exit code (-9 if killed), and what it gave or said as text."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            code, text = 0, str(body())
        except FfbenchError as error:
            code, text = _REFUSED, str(error)
        except BaseException:
            code, text = _CRASHED, traceback.format_exc()
        with os.fdopen(writing, "w") as answer:
            answer.write(text)
        os._exit(code)
    os.close(writing)
    with os.fdopen(reading) as answer:
        text = answer.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), text


def attempt(work: Work, inputs: Path, out: Path, number: int, mode: int) -> tuple[int, str]:
    """Run a work with its operation of this number going wrong; gives exit code and message."""

    def body() -> object:
        _shim.faults_arm(f"{out}".encode(), ctypes.c_long(number), mode)
        try:
            work.run(inputs, out)
        finally:
            seen = _shim.faults_seen()
            _shim.faults_arm(b"/nowhere", ctypes.c_long(0), 0)
        return seen

    return in_fork(body)


def import_what_it_takes(body: Callable[[], object]) -> None:
    """Import in this process what a body imports, so that no fork has to: PyTorch's profiler takes seconds."""
    known = set(sys.modules)

    def names() -> str:
        body()
        return json.dumps([name for name in sys.modules if name not in known])

    code, text = in_fork(names)
    assert code == 0, text
    for name in json.loads(text):
        with contextlib.suppress(ImportError):  # what stands in for a module, such as `six.moves`
            importlib.import_module(name)


def again(work: Work, inputs: Path, out: Path, done: bool) -> str:
    """Look whether what is there is sound, and run the work unless it is done; gives the fault, and what comes out."""
    unsound = ""
    try:
        work.check(inputs, out)
    except Exception:
        unsound = traceback.format_exc()
    if not done:
        work.run(inputs, out)
    return json.dumps([unsound, work.outcome(inputs, out)])


def litter(out: Path) -> list[str]:
    """Name the temporary files and locks that are left."""
    return [str(path) for path in out.rglob("*") if is_temporary(path.name) or path.name.endswith(".lock")]


def torment(work: Work, folder: Path, mode: str, every: int) -> dict[str, Any]:
    """Let every k-th operation go wrong; count what came of it, and name what was not sound."""
    inputs, out = folder / work.name / "inputs", folder / work.name / "out"
    code, text = attempt(work, inputs, out, 0, 0)
    assert code == 0, text
    operations = int(text)
    code, expected = in_fork(lambda: work.outcome(inputs, out))
    assert code == 0, expected
    counts: Counter[str] = Counter()
    faults: list[str] = []
    for number in range(1, operations + 1, every):
        shutil.rmtree(out)
        code, text = attempt(work, inputs, out, number, MODES[mode])
        counts["tried"] += 1
        counts[{0: "carried on", _REFUSED: "refused", -9: "killed"}.get(code, "crashed")] += 1
        if code == _CRASHED:
            faults.append(f"operation {number} ends in a traceback: {text}")
        if code == _REFUSED and len(text.splitlines()) != 1:
            faults.append(f"operation {number} ends in several lines: {text}")
        if code != -9 and litter(out):
            faults.append(f"operation {number} leaves {litter(out)}")
        done = code == 0  # such as a folder that could not be made, for it was there
        code, text = in_fork(lambda done=done: again(work, inputs, out, done))
        if code:
            faults.append(f"after operation {number}: {text}")
            continue
        unsound, found = json.loads(text)
        if unsound:
            counts["unsound"] += 1
            faults.append(f"operation {number} leaves what is not sound: {unsound}")
        if found != expected:
            faults.append(f"after operation {number} something else comes out: {found} in place of {expected}")
        elif litter(out) and not work.litter:
            faults.append(f"after operation {number} and the same command again there is {litter(out)}")
        else:
            counts["done at the second go"] += 1
    return {"operations": operations, **counts, "faults": faults}


def main(folder: Path, every: int, names: list[str]) -> None:
    """Print a line of JSON for each work and mode."""
    limit(1)
    if not names or "train" in names:
        make_importable()
    os.environ["FFBENCH_CACHE"] = str(folder / "cache")
    fingerprint._source_sha256 = lambda *places: ""  # edits while this runs make no other run
    for work in WORKS:
        if names and work.name not in names:
            continue
        (folder / work.name / "inputs").mkdir(parents=True)
        code, text = in_fork(lambda: work.prepare(folder / work.name / "inputs"))  # noqa: B023
        assert code == 0, text
        place = folder / work.name
        import_what_it_takes(lambda: again(work, place / "inputs", place / "out", done=False))  # noqa: B023
        shutil.rmtree(place / "out", ignore_errors=True)
        for mode in MODES:
            found = torment(work, folder, mode, work.every if every == 0 else every)
            print(json.dumps({"work": work.name, "mode": mode, **found}), flush=True)
            shutil.rmtree(folder / work.name / "out", ignore_errors=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), int(sys.argv[2]), sys.argv[3:])
