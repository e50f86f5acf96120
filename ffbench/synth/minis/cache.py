"""Mini datasets: small synthetic stand-ins in the layouts of licensed datasets, made on first use."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ffbench.archives.archive import SUFFIXES
from ffbench.errors import DataError, UsageError
from ffbench.paths import cache_dir, data_dir

if TYPE_CHECKING:
    from ffbench.synth.heads.head import HeadModel

Progress = Callable[[int, int], None]


def mini_names() -> tuple[str, ...]:
    """Name the mini datasets."""
    return tuple(_RECIPES)


def default_dataset(folders: Sequence[str], mini: str) -> Path:
    """Give the data of a protocol for which the user names none: the real dataset where it is, or else a mini one.

    Args:
        folders: names that the real dataset's folder, or archive less its suffix, may have in `$FFBENCH_DATA`; the
            first that is there is taken.
        mini: name of the mini dataset, which is made on first use.

    Raises:
        DataError: as `mini_dataset`.
    """
    data = data_dir()
    for place in () if data is None else [data / name for name in folders]:
        archives = [place.with_name(f"{place.name}{suffix}") for suffix in SUFFIXES]
        if place.is_dir():
            return place
        if found := next((archive for archive in archives if archive.is_file()), None):
            return found
    return mini_dataset(mini)


def mini_folder(name: str, seed: int = 0) -> Path:
    """Say where the cache keeps a mini dataset, made or not.

    Raises:
        UsageError: no mini dataset has that name.
    """
    version = _recipe(name)[0]
    return cache_dir() / "mini" / (f"{name}-v{version}" if seed == 0 else f"{name}-v{version}-seed{seed}")


def mini_dataset(name: str, seed: int = 0) -> Path:
    """Give the folder of a mini dataset in the cache; made when it is not there, which a line on stderr says.

    Raises:
        UsageError: no mini dataset has that name.
        DataError: the head data cannot be had, or the cache cannot be written.
    """
    folder = mini_folder(name, seed)
    if not folder.is_dir():
        print(f"ffbench: making the synthetic mini dataset {name} in {folder}", file=sys.stderr)
        make_mini(name, folder, seed)
    return folder


def make_mini(name: str, out: Path, seed: int = 0, progress: Progress | None = None) -> None:
    """Make a mini dataset in `out`, which must not exist or be empty; a killed make leaves nothing there.

    Raises:
        UsageError: no mini dataset has that name, or `out` holds files.
        DataError: the head data cannot be had, or the folder cannot be written.
    """
    make = _recipe(name)[1]
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out}: expected a new or empty folder, found files; name another with --out")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    except OSError as error:
        raise DataError(f"{out}: cannot be written ({error.strerror or error})") from error
    try:
        temporary.chmod(0o755)
        make(temporary, seed, progress)
        temporary.rename(out)
    except OSError as error:
        # Another process may have been faster; its dataset is the same.
        if not (out.is_dir() and any(out.iterdir())):
            raise DataError(f"{out}: cannot be written ({error.strerror or error})") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


Maker = Callable[[Path, int, Progress | None], None]


def _head() -> HeadModel:
    from ffbench.synth.heads.makehuman import load_makehuman

    return load_makehuman()


def _casme2() -> tuple[str, Maker]:
    from ffbench.synth.minis.casme2 import VERSION, make_casme2

    return VERSION, lambda out, seed, progress: make_casme2(out, _head(), seed, progress=progress)


def _ck_plus() -> tuple[str, Maker]:
    from ffbench.synth.minis.ck_plus import VERSION, make_ck_plus

    return VERSION, lambda out, seed, progress: make_ck_plus(out, _head(), seed, progress=progress)


def _ck_plus_tracks() -> tuple[str, Maker]:
    from ffbench.synth.minis.ck_plus import TRACKS_VERSION, make_ck_plus_tracks

    return TRACKS_VERSION, lambda out, seed, progress: make_ck_plus_tracks(out, _head(), seed, progress=progress)


def _ffn() -> tuple[str, Maker]:
    from ffbench.synth.pairs.recipe import MINI_IDENTITIES, VERSION, mini_recipe
    from ffbench.synth.pairs.writer import write_dataset

    def make(out: Path, seed: int, progress: Progress | None) -> None:
        write_dataset(out, _head(), mini_recipe(seed), MINI_IDENTITIES, progress=progress)

    return VERSION, make


def _mead() -> tuple[str, Maker]:
    from ffbench.synth.minis.mead import VERSION, make_mead

    return VERSION, lambda out, seed, progress: make_mead(out, _head(), seed, progress=progress)


# Functions, so that naming a dataset loads nothing of the engine.
_RECIPES: dict[str, Callable[[], tuple[str, Maker]]] = {
    "casme2": _casme2,
    "ck_plus": _ck_plus,
    "ck_plus_tracks": _ck_plus_tracks,
    "ffn": _ffn,
    "mead": _mead,
}


def _recipe(name: str) -> tuple[str, Maker]:
    """Give the version and the maker of a mini dataset."""
    if name not in _RECIPES:
        raise UsageError(f"unknown mini dataset {name!r}; known: {', '.join(mini_names())}")
    return _RECIPES[name]()
