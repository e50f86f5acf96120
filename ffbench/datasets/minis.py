"""Mini datasets: small synthetic stand-ins, made on first use and kept in the cache."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from ffbench.datasets.base import Dataset, Progress
from ffbench.errors import DataError, UsageError, os_reason, writing
from ffbench.paths import cache_dir


def mini_folder(dataset: Dataset, seed: int = 0) -> Path:
    """Say where the cache keeps a mini dataset, made or not.

    Raises:
        UsageError: the dataset has none.
    """
    mini = dataset.load_mini()
    name = f"{mini.name}-v{mini.version}"
    return cache_dir() / "mini" / (name if seed == 0 else f"{name}-seed{seed}")


def mini_dataset(dataset: Dataset, seed: int = 0) -> Path:
    """Return the folder of a mini dataset in the cache; made when it is not there, which a line on stderr says.

    Raises:
        UsageError: the dataset has none.
        DataError: what it is made from cannot be had, or the cache cannot be written.
    """
    folder = mini_folder(dataset, seed)
    if folder.is_dir():
        return folder
    print(f"ffbench: making the synthetic mini dataset {dataset.load_mini().name} in {folder}", file=sys.stderr)
    from filelock import FileLock

    with writing(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder.with_name(f".{folder.name}.lock"))
        lock.acquire()
    try:
        # Another process may have made it meanwhile.
        if not folder.is_dir():
            make_mini(dataset, folder, seed)
    finally:
        lock.release()
    return folder


def make_mini(dataset: Dataset, out: Path, seed: int = 0, progress: Progress | None = None) -> None:
    """Make a mini dataset in `out`, which must not exist or be empty; a killed make leaves nothing there.

    Raises:
        UsageError: the dataset has none, or `out` holds files.
        DataError: what it is made from cannot be had, or the folder cannot be written.
    """
    mini = dataset.load_mini()
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out}: expected a new or empty folder, found files; name another with --out")
    with writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        temporary.chmod(0o755)
        mini.make(temporary, seed, progress)
        temporary.rename(out)
    except OSError as error:
        # Another process may have been faster; its dataset is the same.
        if not (out.is_dir() and any(out.iterdir())):
            raise DataError(out, f"cannot be written ({os_reason(error)})") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
