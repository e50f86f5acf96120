"""Damaged files: every reader refuses them with a DataError, or reads what is still right."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

from tests.fuzz.campaign import fuzz
from tests.fuzz.targets import targets

NAMES = [
    "flow .flo", "flow .flo5", "flow KITTI .png", "image .png", "CK+ landmarks",
    "CASME II coding .xlsx", "CASME II coding .csv", "mesh .ply", "FLAME masks .pkl",
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


def test_all_readers_are_named(tmp_path: Path) -> None:
    assert [target.name for target in targets(tmp_path)] == NAMES
