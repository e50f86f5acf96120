"""Model folders: data that name an installed method, and never code."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from ffbench import load_method
from ffbench.errors import DataError, FfbenchError, UsageError
from ffbench.io.hashing import file_sha256
from ffbench.methods.decflow.adapter import WEIGHTS_FOLDER

SHIPPED = WEIGHTS_FOLDER / "decflow-c.safetensors"


def write_folder(folder: Path, config: object) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    shutil.copy(SHIPPED, folder / "model.safetensors")
    return folder


def test_a_folder_names_an_installed_method_and_brings_its_weights(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "mine", {"architectures": ["X"], "ffbench": {"method": "decflow-c"}})
    card = load_method(str(folder), device="cpu").card
    assert card.id == "decflow-c"
    assert card.weights is not None
    assert (card.weights.sha256, card.weights.source) == (file_sha256(SHIPPED), "file")
    assert card.options["config.json"]
    assert load_method(folder, device="cpu").card == card
    assert load_method("decflow-c", weights=folder, device="cpu").card == card
    assert load_method(f"{folder}+variational", device="cpu").card.id == "decflow-c+variational"


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({}, "names no method under ffbench.method, and code that a folder brings is never run"),
        ({"ffbench": {"method": "evil.py:Net"}}, "'evil.py:Net', which is not installed"),
        ({"ffbench": {"method": "evil:Net"}}, "'evil:Net', which is not installed"),
        ({"ffbench": {"method": "decflow-c", "code": "x"}}, "is no configuration: ffbench.code"),
        ([], "is no configuration"),
    ],
)
def test_no_code_is_run_by_the_word_of_a_folder(
    config: object, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_folder(tmp_path / "mine", config)
    for place in (folder / "evil.py", tmp_path / "evil.py"):
        place.write_text("raise SystemExit('must not run')")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FfbenchError, match=said):
        load_method(str(folder))


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "mine", {"ffbench": {"method": "decflow-c"}})
    with pytest.raises(UsageError, match="brings its weights"):
        load_method(str(folder), weights=SHIPPED)
    (folder / "model.safetensors").unlink()
    with pytest.raises(UsageError, match=r"model\.safetensors: no such file"):
        load_method(str(folder))
    shutil.copy(SHIPPED, folder / "model.safetensors")
    (folder / "config.json").unlink()
    with pytest.raises(DataError, match=r"config\.json"):
        load_method(str(folder))
    with pytest.raises(UsageError, match="unknown method"):
        load_method(str(tmp_path))
