"""Feature files: what is read is what was written, and what is wrong is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ffbench.datasets.feature_file import read_feature_file
from ffbench.errors import DataError

NAMES = ["happy/0001", "sad/Zoë", "source/happy/0001"]


def test_it_reads_what_numpy_saves(tmp_path: Path) -> None:
    features = np.random.default_rng(0).normal(size=(3, 8)).astype(np.float32)
    for save in (np.savez, np.savez_compressed):
        save(tmp_path / "f.npz", names=NAMES, features=features)
        found = read_feature_file(tmp_path / "f.npz")
        assert list(found) == NAMES
        np.testing.assert_array_equal(list(found.values()), features)


@pytest.mark.parametrize(
    ("arrays", "fault"),
    [
        ({"names": NAMES}, "found no features"),
        ({"names": NAMES, "features": np.ones((2, 8))}, r"must be \(3, D\) float"),
        ({"names": NAMES, "features": np.ones((3, 0))}, r"must be \(3, D\) float"),
        ({"names": NAMES, "features": np.ones((3, 8), int)}, "int64"),
        ({"names": np.arange(3.0), "features": np.ones((3, 8))}, r"names must be \(N,\) text"),
        ({"names": np.array(NAMES, object), "features": np.ones((3, 8))}, "pickled objects"),
        ({"names": ["a", "b", "a"], "features": np.ones((3, 8))}, "names come twice: a"),
        ({"names": NAMES, "features": np.eye(3, 2)}, "1 features are zero or not finite: source/happy/0001"),
        ({"names": NAMES, "features": np.full((3, 2), np.nan)}, "3 features are zero or not finite"),
    ],
)
def test_wrong_files_are_refused(tmp_path: Path, arrays: dict[str, np.ndarray], fault: str) -> None:
    path = tmp_path / "f.npz"
    np.savez(path, **arrays)
    with pytest.raises(DataError, match=rf"f\.npz: .*{fault}"):
        read_feature_file(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"f\.npz"):
        read_feature_file(tmp_path / "f.npz")
