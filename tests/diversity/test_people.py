"""People and their source images, found by name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ffbench.datasets.mark import mark_synthetic
from ffbench.diversity.people import find_people, find_sources
from ffbench.errors import DataError
from tests.datasets.ffn_folder import add_sequence


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    root = tmp_path / "data"
    add_sequence(root, "happy/0001", 5, split="train")
    add_sequence(root, "happy/0002", 10)
    add_sequence(root, "sad/0002", 5)
    return root


def test_people_of_all_splits_with_first_and_last_frame(dataset: Path) -> None:
    people, problems = find_people(dataset)
    assert problems == []
    found = {person.name: (person.emotion, person.rest.name, person.apex.name) for person in people}
    assert found == {
        "happy/0001": ("happy", "0001.jpg", "0005.jpg"),
        "happy/0002": ("happy", "0001.jpg", "0010.jpg"),
        "sad/0002": ("sad", "0001.jpg", "0005.jpg"),
    }


def test_one_sequence_in_two_splits_is_refused(dataset: Path) -> None:
    add_sequence(dataset, "happy/0001", 5, split="test")
    with pytest.raises(DataError, match="in two splits, such as happy/0001"):
        find_people(dataset)


def test_sources_by_sequence_and_by_a_subject_that_is_clear(dataset: Path, tmp_path: Path) -> None:
    people, _ = find_people(dataset)
    folder = touch(tmp_path / "source", "0001.PNG", "0002.jpg", "sad/0002.jpg", "notes.txt")
    assert find_sources(folder, people) == {"happy/0001": folder / "0001.PNG", "sad/0002": folder / "sad/0002.jpg"}


def test_sources_that_fit_no_one_or_two_of_one_name_are_refused(dataset: Path, tmp_path: Path) -> None:
    people, _ = find_people(dataset)
    with pytest.raises(DataError, match=r"none of 1 images.*such as .*/000\d\.png"):
        find_sources(touch(tmp_path / "a", "0009.png"), people)
    with pytest.raises(DataError, match=r"0001\.jpg has the same name"):
        find_sources(touch(tmp_path / "b", "0001.png", "0001.jpg"), people)
    with pytest.raises(DataError, match="no such folder"):
        find_sources(tmp_path / "c", people)


def test_a_manifest_says_which_image_a_person_was_made_from(tmp_path: Path) -> None:
    root = tmp_path / "data"
    for name in ("happy/00000", "sad/00001"):
        add_sequence(root, name, 5)
    origin = dict.fromkeys(("recipe", "renderer", "head", "head_sha256", "engine", "engine_sha256"), "")
    record = {"split": "test", "frames": 5, "seed": 0, "bytes": 0, "files": {}}
    manifest = {
        "origin": {**origin, "seed": 0, "size": 64, "split": None, "codes_sha256": "0"},
        "identities": 2,
        "splits": {"test": [0, 1]},
        "sequences": [
            {"identity": 0, "emotion": "happy", "source": "Happy/img7", **record},
            {"identity": 1, "emotion": "sad", "source": None, **record},
        ],
    }
    (root / "manifest.json").write_text(json.dumps(manifest))
    mark_synthetic(root, "test", "1", 0)
    folder = touch(tmp_path / "source", "Happy/img7.jpg", "happy/00000.jpg", "00001.jpg")
    people, _ = find_people(root)
    assert find_sources(folder, people) == {
        "happy/00000": folder / "Happy/img7.jpg",
        "sad/00001": folder / "00001.jpg",
    }
    (root / "manifest.json").write_text(json.dumps({**manifest, "identities": "many"}))
    with pytest.raises(DataError, match=r"manifest\.json: not a manifest.*identities"):
        find_people(root)
