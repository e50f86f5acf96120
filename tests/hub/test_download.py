"""Models of the hub: two files of a pinned commit, in bounded size, and nothing of what else a repository holds."""

from __future__ import annotations

import io
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from ffbench import load_method
from ffbench.errors import DataError, FfbenchError, MethodError, UsageError
from ffbench.hub import download
from ffbench.hub.names import HubName
from ffbench.io.hashing import file_sha256
from ffbench.methods.decflow.adapter import WEIGHTS_FOLDER
from ffbench.registry import require_method
from tests.hub.stand_in import Hub

SHIPPED = WEIGHTS_FOLDER / "decflow-c.safetensors"
NAMED = json.dumps({"ffbench": {"method": "decflow-c"}}).encode()
MODEL = {"config.json": NAMED, "model.safetensors": SHIPPED.read_bytes()}


class Bomb:
    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, ("was_run",)


def fetched_files(cache: Path) -> set[str]:
    """Name the files of all snapshots of the hub's cache."""
    return {path.name for path in cache.glob("models--*/snapshots/*/**/*") if path.is_file()}


def test_a_model_is_loaded_at_a_pinned_commit(hub: Hub, tmp_path: Path) -> None:
    first = hub.commit("lab/faces", MODEL)
    card = load_method("hf:lab/faces", device="cpu").card
    assert card.id == "decflow-c"
    assert card.weights is not None
    assert card.weights.sha256 == file_sha256(SHIPPED)
    assert card.options["hub"] == f"lab/faces@{first}"
    second = hub.commit("lab/faces", {"config.json": NAMED + b" "})
    hub.tags["lab/faces", "v1"] = first
    moved = load_method("hf:lab/faces", device="cpu").card
    assert moved.options["hub"] == f"lab/faces@{second}"
    assert moved.options["config.json"] != card.options["config.json"]
    for revision in ("v1", first):
        assert load_method(f"hf:lab/faces@{revision}", device="cpu").card == card
    assert load_method("hf:lab/faces+variational", device="cpu").card.id == "decflow-c+variational"
    own = load_method("decflow-c", weights="hf:lab/faces@v1", device="cpu").card
    assert own == card
    assert fetched_files(tmp_path / "hub") == {"config.json", "model.safetensors"}


def test_what_is_cached_is_not_fetched_again_nor_asked_for(hub: Hub) -> None:
    commit = hub.commit("lab/faces", MODEL)
    fetched = download.fetch_model_folder(HubName("lab/faces"))
    assert sorted(hub.downloads) == ["config.json", "model.safetensors"]
    assert download.fetch_model_folder(HubName("lab/faces")) == fetched
    assert len(hub.downloads) == 2
    hub.asked.clear()
    assert download.fetch_model_folder(HubName("lab/faces", commit)) == fetched
    assert hub.asked == []


def test_without_a_network_the_cache_is_taken(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.commit("lab/faces", MODEL)
    fetched = download.fetch_model_folder(HubName("lab/faces"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert download.fetch_model_folder(HubName("lab/faces")) == fetched
    with pytest.raises(DataError, match="hf:lab/other: cannot be fetched"):
        download.fetch_model_folder(HubName("lab/other"))


def test_other_files_stay_where_they_are(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    bomb = pickle.dumps(Bomb())
    others = {
        "modeling.py": b"open('was_run', 'w')", "pytorch_model.bin": bomb, "model.pkl": bomb, "README.md": b"# x",
        "sub/config.json": b"{}", "../../escaped.json": b"{}", "sitecustomize.py": b"open('was_run', 'w')",
    }  # fmt: skip
    hub.commit("lab/faces", {**MODEL, **others})
    load_method("hf:lab/faces", device="cpu")
    assert fetched_files(tmp_path / "hub") == {"config.json", "model.safetensors"}
    assert set(hub.downloads) == {"config.json", "model.safetensors"}
    assert not (tmp_path / "was_run").exists()
    assert not list(tmp_path.rglob("escaped.json"))
    # The trap works: read as pickle reads, it makes the folder.
    pickle.loads(bomb)
    assert (tmp_path / "was_run").exists()


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"ffbench": {"method": "modeling.py:Net"}}, "code that a folder brings is never run"),
        ({"ffbench": {"method": "os:getcwd"}}, "code that a folder brings is never run"),
        ({"auto_map": {"AutoModel": "modeling.Net"}}, "names no method under ffbench.method"),
        ({"ffbench": {"method": "decflow-c", "code": "modeling.py"}}, "is no configuration: ffbench.code"),
        ({"ffbench": {"method": "hf:lab/other"}}, "which is not installed"),
    ],
)
def test_a_configuration_that_names_code_is_refused(
    config: object, said: str, hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "modeling.py").write_text("raise SystemExit('must not run')")
    hub.commit("lab/faces", {**MODEL, "config.json": json.dumps(config).encode(), "modeling.py": b"1/0"})
    with pytest.raises(FfbenchError, match=said):
        load_method("hf:lab/faces", device="cpu")


def test_a_pickle_under_the_name_of_safe_weights_is_refused(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    monkeypatch.chdir(tmp_path)
    file = io.BytesIO()
    torch.save({"state_dict": {"a": torch.zeros(1)}}, file)
    for content in (pickle.dumps(Bomb()), file.getvalue()):
        hub.commit("lab/faces", {**MODEL, "model.safetensors": content})
        with pytest.raises(MethodError, match=r"model\.safetensors"):
            load_method("hf:lab/faces", device="cpu")
    assert not (tmp_path / "was_run").exists()


@pytest.mark.parametrize("file", ["config.json", "model.safetensors"])
def test_a_file_that_is_stated_to_be_too_large_is_not_asked_for(file: str, hub: Hub) -> None:
    hub.commit("lab/faces", MODEL)
    hub.stated_sizes[file] = download.FILES[file] + 1
    with pytest.raises(DataError, match=rf"its {file} has \d+ bytes, more than the \d+ that are fetched"):
        load_method("hf:lab/faces", device="cpu")
    assert file not in hub.downloads
    hub.stated_sizes.clear()
    load_method("hf:lab/faces", device="cpu")


def test_a_file_that_is_longer_than_stated_ends_at_the_bound(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.commit("lab/faces", MODEL)
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 2**16)
    hub.served["config.json"] = NAMED + b" " * 8 * download.MOST_CONFIG_BYTES
    with pytest.raises(DataError, match=r"its config\.json has \d+ bytes, more than"):
        load_method("hf:lab/faces", device="cpu")
    assert sum(path.stat().st_size for path in (tmp_path / "hub").rglob("*") if path.is_file()) < 2**16
    hub.served.clear()
    load_method("hf:lab/faces", device="cpu")


def test_weights_of_another_hash_than_the_hub_names_are_refused(hub: Hub) -> None:
    hub.commit("lab/faces", MODEL)
    hub.served["model.safetensors"] = bytes(len(MODEL["model.safetensors"]))
    with pytest.raises(DataError, match="delete it and run again"):
        download.fetch_model_folder(HubName("lab/faces"))


@pytest.mark.parametrize("commit", ["../../../escaped", "main", "0" * 39, "0" * 41, "G" * 40])
def test_a_commit_that_is_no_hash_is_refused(commit: str, hub: Hub, tmp_path: Path) -> None:
    hub.commit("lab/faces", MODEL)
    hub.stated_commit = commit
    with pytest.raises(DataError, match="names no commit"):
        load_method("hf:lab/faces", device="cpu")
    assert fetched_files(tmp_path) == set()


def test_a_commit_that_is_not_there_is_said(hub: Hub) -> None:
    hub.commit("lab/faces", MODEL)
    hub.stated_commit = "0" * 40
    with pytest.raises(DataError, match="no such branch, tag or commit"):
        load_method("hf:lab/faces", device="cpu")


def test_what_is_not_there_is_said_in_one_line(hub: Hub) -> None:
    hub.commit("lab/faces", {"config.json": NAMED})
    for name, said in {
        "hf:lab/none": "hf:lab/none: there is no such model repository, or it is private: log in",
        "hf:lab/faces@v9": "hf:lab/faces@v9: the repository has no such branch, tag or commit",
        "hf:lab/faces": r"hf:lab/faces: holds no model\.safetensors; expected a model repository with",
    }.items():
        with pytest.raises(DataError, match=said) as caught:
            load_method(name, device="cpu")
        assert "\n" not in str(caught.value)
        with pytest.raises(DataError, match=said):
            require_method(name)
    hub.gated = True
    with pytest.raises(DataError, match="its owner must grant access"):
        load_method("hf:lab/faces", device="cpu")
    hub.gated = False
    hub.commit("lab/faces", MODEL)
    with pytest.raises(UsageError, match="brings its weights"):
        load_method("hf:lab/faces", weights=SHIPPED, device="cpu")


def test_a_name_in_a_record_asks_no_hub(hub: Hub) -> None:
    hub.commit("lab/faces", MODEL)
    with pytest.raises(UsageError, match="unknown method 'hf'"):
        load_method("hf:lab/faces", installed_only=True)
    assert hub.asked == []


def test_the_command_asks_the_hub_that_the_environment_names(hub: Hub, tmp_path: Path) -> None:
    commit = hub.commit("lab/faces", MODEL)
    done = subprocess.run(
        [sys.executable, "-m", "ffbench", "methods", "show", "hf:lab/faces", "--json"],
        env={**os.environ, "HF_ENDPOINT": hub.endpoint, "HF_HOME": str(tmp_path / "home")},
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["options"]["hub"] == f"lab/faces@{commit}"
    assert fetched_files(tmp_path / "home" / "hub") == {"config.json", "model.safetensors"}


def test_without_the_extra_one_line_names_it() -> None:
    code = (
        "import tests.core_only as core, ffbench.extras as extras\n"
        "extras.EXTRAS = core.EXTRAS = {'huggingface_hub': extras.EXTRAS['huggingface_hub']}\n"
        "core.block()\n"
        "from ffbench.registry import require_method\n"
        "require_method('hf:lab/faces')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    last = done.stderr.splitlines()[-1]
    assert last.endswith('hf:lab/faces: huggingface_hub is not installed: pip install "ffbench[hub]"')
