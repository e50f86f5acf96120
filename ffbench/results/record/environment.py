"""What a run was made with."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from ffbench.paths import PACKAGE
from ffbench.results.record.run_record import Environment
from ffbench.threads import default_threads

if TYPE_CHECKING:
    import torch

_PACKAGES = ("numpy", "torch", "opencv-python", "numba", "ptlflow", "mmflow")


def environment(device: torch.device | None) -> Environment:
    """Describe this process and the device that the method runs on; None: no method ran, flows came from files."""
    name, threads = "cpu", default_threads()
    if device is not None:
        import torch

        name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
        threads = torch.get_num_threads()
    return Environment(
        ffbench=metadata.version("ffbench"),
        git_commit=_git_commit(),
        python=platform.python_version(),
        platform=platform.platform(aliased=True, terse=True),
        processor=_processor(),
        device=name,
        threads=threads,
        packages={name: version for name in _PACKAGES if (version := _version(name)) is not None},
    )


def peak_memory_mb() -> float:
    """Return the largest resident set that this process has had, in MiB."""
    if sys.platform == "win32":
        return float("nan")
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _processor() -> str:
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return f"{line.partition(':')[2].strip()} x {os.cpu_count()}"
    return f"{platform.processor() or platform.machine()} x {os.cpu_count()}"


def _git_commit() -> str | None:
    """Return the commit of the checkout that ffbench runs from; None when it is an installed package."""
    root = PACKAGE.parent
    if not (root / ".git").exists():
        return None
    try:
        commit = _git(root, "rev-parse", "HEAD")
        changed = _git(root, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.SubprocessError):
        return None
    return commit + ("+changes" if changed else "")


def _git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
