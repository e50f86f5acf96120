"""Which vertices count: the region rule, FLAME's own masks, and index files."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from ffbench.datasets.tracks.flame_masks import OFFICIAL_COUNTS, Choice, face_regions, read_regions
from ffbench.errors import DataError
from tests.datasets.flame_masks_file import DOUBLED, flame_masks
from tests.formats import python2_pickle


def counts(path: Path, choice: Choice) -> dict[str, int]:
    return {name: len(indices) for name, indices in read_regions(path, choice).items()}


@pytest.mark.parametrize("protocol", [0, 1, 2])
def test_flames_masks_leave_1431_vertices(tmp_path: Path, protocol: int) -> None:
    path = tmp_path / "FLAME_masks.pkl"
    path.write_bytes(python2_pickle.dumps(flame_masks(), protocol))
    assert list(read_regions(path)) == ["lips", "cheeks", "eyes"]
    assert counts(path, "distinct") == {"lips": 250, "cheeks": 430, "eyes": 751} == OFFICIAL_COUNTS["distinct"]
    together = np.concatenate(list(read_regions(path, "distinct").values()))
    assert len(together) == len(np.unique(together)) == 1431


def test_the_papers_1435_vertices(tmp_path: Path) -> None:
    path = tmp_path / "FLAME_masks.pkl"
    path.write_bytes(python2_pickle.dumps(flame_masks()))
    assert counts(path, "paper") == {"lips": 254, "cheeks": 430, "eyes": 751} == OFFICIAL_COUNTS["paper"]
    joined = np.concatenate(list(read_regions(path).values()))
    listed, times = np.unique(joined, return_counts=True)
    assert (len(joined), len(listed)) == (1435, 1431)
    assert tuple(listed[times == 2]) == DOUBLED
    assert times.max() == 2
    # The rest of the face is nose and forehead, whatever else these masks hold.
    masks = flame_masks()
    left = np.setdiff1d(masks["face"], joined)
    assert np.isin(left, np.concatenate([masks["nose"], masks["forehead"]])).all()
    assert len(left) == 1787 - 1431


def test_every_vertex_of_the_face_is_in_one_region() -> None:
    rng = np.random.default_rng(4)
    masks = {name: rng.choice(500, 150, replace=False) for name in ("face", "eye_region", "lips", "nose", "forehead")}
    regions = face_regions(masks)
    together = np.concatenate(list(regions.values()))
    assert np.array_equal(np.sort(together), np.sort(masks["face"]))
    assert np.isin(regions["lips"], masks["lips"]).all()
    assert not np.isin(regions["cheeks"], np.concatenate([masks[name] for name in masks if name != "face"])).any()
    # A vertex in several masks goes to the eyes first, then to the lips.
    both = np.intersect1d(np.intersect1d(masks["eye_region"], masks["lips"]), masks["face"])
    assert len(both) > 0
    assert np.isin(both, regions["eyes"]).all()


def test_an_index_file(tmp_path: Path) -> None:
    path = tmp_path / "regions.json"
    path.write_text('{"eyes": [3, 1], "mouth": [7]}')
    assert {name: indices.tolist() for name, indices in read_regions(path).items()} == {"eyes": [3, 1], "mouth": [7]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"lips": [1, 2], "eyes": [2]}', "vertex 2 is listed twice"),
        ('{"lips": []}', "lists of vertex numbers"),
        ("{}", "lists of vertex numbers"),
        ("[1, 2]", "lists of vertex numbers"),
        ('{"lips": [1.5]}', "lists of vertex numbers"),
        ('{"lips": [-1]}', "lists of vertex numbers"),
        ('{"lips": [true]}', "lists of vertex numbers"),
        ("lips: 1", "not JSON"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_index_files_that_are_none(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "regions.json").write_text(content)
    with pytest.raises(DataError, match=message):
        read_regions(tmp_path / "regions.json")


def test_files_that_are_not_there_or_harmful(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_regions(tmp_path / "regions.json")
    with pytest.raises(DataError, match="not found"):
        read_regions(tmp_path / "FLAME_masks.pkl")

    class Touch:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.system, (f"touch {tmp_path / 'ran'}",)

    (tmp_path / "FLAME_masks.pkl").write_bytes(pickle.dumps({"face": Touch()}))
    with pytest.raises(DataError, match="nothing was run"):
        read_regions(tmp_path / "FLAME_masks.pkl")
    assert not (tmp_path / "ran").exists()
    (tmp_path / "large.json").write_text(json.dumps({"lips": list(range(10**6))}))
    with pytest.raises(DataError, match="larger than"):
        read_regions(tmp_path / "large.json")
