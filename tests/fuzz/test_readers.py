"""Damaged files: every reader refuses them with a DataError, or reads what is still right."""

from __future__ import annotations

import contextlib
import io
import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fuzz.campaign import fuzz
from tests.fuzz.forged_pickles import CALLED, instructions, note
from tests.fuzz.targets import targets

NAMES = [
    "flow .flo", "flow .flo5", "flow KITTI .png", "flow .npy", "flow .pfm", "flow .mat",
    "image .png", "CK+ landmarks",
    "CASME II coding .xlsx", "CASME II coding .csv", "mesh .ply", "FLAME masks .pkl",
    "FLAME masks .pkl, forged", "FLAME model .pkl", "FLAME model .pkl, forged",
    "feature file .npz",
    "submission .zip", "submission .tar", "submission .tar.gz", "submission .bundle", "exported manifest",
    "run record", "record in a store", "pair table",
    "baseline",
]  # fmt: skip
QUICK, THOROUGH = 150, 5000
MEBIBYTES = 300
"""How much the peak of memory may grow; the largest flow whose header is believed takes 512."""


def check(name: str, count: int, folder: Path, seed: int) -> None:
    (target,) = [target for target in targets(folder) if target.name == name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        done = fuzz(target, count, folder, seed)
    assert done.tried == done.refused + done.accepted == count
    assert done.refused > count / 10
    assert done.grown_mb < MEBIBYTES


@pytest.mark.parametrize("name", NAMES)
def test_damaged_files(name: str, tmp_path: Path) -> None:
    check(name, QUICK, tmp_path, seed=0)


@pytest.mark.campaign
@pytest.mark.parametrize("name", NAMES)
def test_many_damaged_files(name: str, tmp_path: Path) -> None:
    check(name, THOROUGH, tmp_path, seed=1)


def test_forged_pickles_run_what_they_name(tmp_path: Path) -> None:
    """The control: Python's own machine does it."""
    (target,) = [target for target in targets(tmp_path) if target.name == "FLAME masks .pkl, forged"]
    rng = np.random.default_rng(0)
    for content in (target.damage(target.seeds, rng) for _ in range(4 * QUICK)):
        if b"forged_pickles" in content:  # nothing else of what they name is to be run
            with contextlib.suppress(Exception):
                _Noting(io.BytesIO(content)).load()
    assert len(CALLED) > 5
    CALLED.clear()


class _Anything:
    """Is made of whatever a pickle has for it."""

    def __new__(cls, *args: Any) -> _Anything:
        return super().__new__(cls)

    def __setstate__(self, state: Any) -> None:
        pass


class _Noting(pickle.Unpickler):
    """Python's machine, which finds `note` and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        return note if name == "note" else _Anything


def test_every_instruction_is_cut_out_whole(tmp_path: Path) -> None:
    for target in targets(tmp_path):
        if target.suffix == ".pkl":
            for content in target.seeds:
                parts = instructions(content)
                assert b"".join(parts) == content
                assert len(parts) > 50


def test_all_readers_are_named(tmp_path: Path) -> None:
    assert [target.name for target in targets(tmp_path)] == NAMES
