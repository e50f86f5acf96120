"""Croissant metadata of a generated dataset, validated and read by mlcroissant."""

from __future__ import annotations

import hashlib
import json
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ffbench.errors import DataError
from ffbench.flow import read_flow
from ffbench.synth.pairs.croissant import CROISSANT, PAIRS, Publication, write_croissant
from ffbench.synth.pairs.journal import MANIFEST
from ffbench.synth.pairs.recipe import DatasetRecipe
from ffbench.synth.pairs.writer import write_dataset
from tests.commands import run_command
from tests.synth.posing_head import PosingHead

mlcroissant = pytest.importorskip("mlcroissant")
PUBLICATION = Publication(
    "faces", "https://creativecommons.org/licenses/by/4.0/", "https://example.org/f", date(2030, 1, 2)
)
IDENTITIES, PAIRS_OF_ALL = 3, 4 + 9 + 14


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("croissant") / "faces"
    write_dataset(root, PosingHead(), DatasetRecipe(size=32), IDENTITIES)
    assert write_croissant(root, PUBLICATION) == (root / CROISSANT, PAIRS_OF_ALL)
    return root


@pytest.fixture
def copy(dataset: Path, tmp_path: Path) -> Path:
    shutil.copytree(dataset, tmp_path / "copy")
    return tmp_path / "copy"


def faults(path: Path) -> set[str]:
    """Validate metadata with mlcroissant, and return its warnings and errors."""
    try:
        issues = mlcroissant.Dataset(jsonld=str(path)).metadata.ctx.issues
    except mlcroissant.ValidationError as error:
        return {str(error)}
    return {*issues.warnings, *issues.errors}


def test_mlcroissant_finds_nothing_wrong(dataset: Path) -> None:
    assert faults(dataset / CROISSANT) == set()


@pytest.mark.parametrize("missing", ["license", "version", "datePublished", "citeAs"])
def test_mlcroissant_says_what_is_missing(copy: Path, missing: str) -> None:
    content = json.loads((copy / CROISSANT).read_text())
    del content[missing]
    (copy / CROISSANT).write_text(json.dumps(content))
    assert any(missing in fault for fault in faults(copy / CROISSANT))


def test_mlcroissant_refuses_a_field_of_no_file(copy: Path) -> None:
    content = json.loads((copy / CROISSANT).read_text())
    content["recordSet"][1]["field"][1]["source"]["fileObject"]["@id"] = "other.csv"
    (copy / CROISSANT).write_text(json.dumps(content))
    assert faults(copy / CROISSANT)


def test_its_records_are_the_pairs_and_their_files(dataset: Path) -> None:
    found = mlcroissant.Dataset(jsonld=str(dataset / CROISSANT))
    records: list[dict[str, Any]] = list(found.records("pairs"))
    assert len(records) == PAIRS_OF_ALL
    for record in records:
        for name, value in record.items():
            if name.removeprefix("pairs/") not in ("split", "emotion", "identity", "frame"):
                assert (dataset / value.decode()).is_file()
    first = records[0]
    assert first["pairs/frame"] == 1
    assert first["pairs/image2"].decode().endswith("/0002.jpg")
    assert first["pairs/head_image2"].decode().startswith("image/head/")
    assert read_flow(dataset / first["pairs/facial_flow"].decode()).shape == (32, 32, 2)
    splits = {record["splits/name"]: record["splits/identities"] for record in found.records("splits")}
    assert sum(splits.values()) == IDENTITIES
    assert {record["pairs/split"] for record in records} <= {
        name if isinstance(name, bytes) else name.encode() for name in splits
    }


def test_a_changed_table_is_noticed(copy: Path) -> None:
    (copy / PAIRS).write_text((copy / PAIRS).read_text().replace("0001.jpg", "0002.jpg"))
    with pytest.raises(Exception, match=r"Download\(pairs\.csv\)"):
        list(mlcroissant.Dataset(jsonld=str(copy / CROISSANT)).records("pairs"))


def test_it_says_that_the_data_are_synthetic_and_whose(dataset: Path, copy: Path) -> None:
    content = json.loads((dataset / CROISSANT).read_text())
    assert content["description"].startswith("Synthetic")
    assert "synthetic" in content["keywords"]
    assert "licenses apply" not in content["rai:dataCollection"]
    for file in content["distribution"][:2]:
        assert file["sha256"] == hashlib.sha256((dataset / file["contentUrl"]).read_bytes()).hexdigest()
    manifest = json.loads((copy / MANIFEST).read_text())
    manifest["origin"]["textures_sha256"] = "0" * 64
    (copy / MANIFEST).write_text(json.dumps(manifest))
    write_croissant(copy, PUBLICATION)
    assert "their licenses apply too" in json.loads((copy / CROISSANT).read_text())["rai:dataCollection"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"emotion": "../../../etc"}, "no sequence"),
        ({"split": "../x"}, "no sequence"),
        ({"files": {"../../etc/passwd": "0"}}, "no sequence"),
        ({"frames": 10**12}, "no sequence"),
        ({"more": 1}, "is no manifest"),
    ],
)
def test_a_manifest_of_a_stranger_is_refused(copy: Path, change: dict[str, Any], said: str) -> None:
    manifest = json.loads((copy / MANIFEST).read_text())
    manifest["sequences"][0] |= change
    (copy / MANIFEST).write_text(json.dumps(manifest))
    before = (copy / PAIRS).read_bytes()
    with pytest.raises(DataError, match=said):
        write_croissant(copy, PUBLICATION)
    assert (copy / PAIRS).read_bytes() == before


def test_what_is_missing_is_named(copy: Path, tmp_path: Path) -> None:
    file = next((copy / "region").rglob("*.npy"))
    file.unlink()
    with pytest.raises(DataError, match=f"{file.name}: no such file"):
        write_croissant(copy, PUBLICATION)
    with pytest.raises(DataError, match=r"manifest\.json"):
        write_croissant(tmp_path, PUBLICATION)


def test_command_and_that_the_dataset_can_still_grow(
    copy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("data", "croissant", copy, "--license", PUBLICATION.license, "--url", PUBLICATION.url)
    assert run_command(monkeypatch, *arguments, "--name", "faces", "--published", "2030-01-02") == 0
    assert f"{PAIRS_OF_ALL} pairs, synthetic" in capsys.readouterr().out
    assert json.loads((copy / CROISSANT).read_text())["datePublished"] == "2030-01-02"
    write_dataset(copy, PosingHead(), DatasetRecipe(size=32), IDENTITIES + 1)
    assert write_croissant(copy, PUBLICATION)[1] == PAIRS_OF_ALL + 19
