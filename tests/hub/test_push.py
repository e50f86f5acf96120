"""`ffbench push`: what a model repository holds, made from records of the very weights, and loaded again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml

from ffbench import load_method
from ffbench.cards import WeightsCard
from ffbench.errors import DataError, UsageError
from ffbench.io.hashing import file_sha256
from ffbench.methods.decflow.adapter import WEIGHTS_FOLDER
from ffbench.model_repository import model_files
from ffbench.results.record.run_record import RunRecord, write_record
from tests.commands import run_command
from tests.hub.stand_in import TOKEN, Hub
from tests.results.records import make_record

SHIPPED = WEIGHTS_FOLDER / "decflow-c.safetensors"
SHA256 = file_sha256(SHIPPED)


def record_of(method: str = "decflow-c", sha256: str = SHA256, protocol: str = "first", **more: object) -> RunRecord:
    weights = WeightsCard(name="decflow-c", source="file", sha256=sha256)
    return make_record(protocol, method, {("epe", "all"): 0.25}, weights=weights, **more)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write the record of a run of the shipped weights; no records ship."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("ffbench.model_repository.shipped_store", lambda: None)
    write_record(tmp_path / "runs" / "first" / "record.json", record_of())
    return tmp_path / "runs" / "first"


def test_a_run_is_pushed_and_loaded_again(
    run: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cards = pytest.importorskip("huggingface_hub")
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    arguments = ("push", run, "lab/faces", "--dataset", "lab/bench", "--url", "https://example.org/r", "--private")
    assert run_command(monkeypatch, *arguments) == 0
    name = capsys.readouterr().out.strip()
    (commit,) = hub.repositories["lab/faces"]
    assert name == f"hf:lab/faces@{commit.sha}"
    assert hub.created[0]["visibility"] == "private"
    results = ".eval_results/first-paper-ffffffffffffffff.yaml"
    assert set(commit.files) == {
        "README.md", "config.json", "model.safetensors", "recipe.json", "training.md", results,
    }  # fmt: skip
    assert commit.files["model.safetensors"] == SHIPPED.read_bytes()
    assert commit.files["recipe.json"] == SHIPPED.with_name("decflow-c.recipe.json").read_bytes()
    card = cards.ModelCard(commit.files["README.md"].decode())
    assert [(one.dataset_type, one.metric_value) for one in card.data.eval_results] == [("first", 0.25)]
    assert "(recipe.json)" in card.text
    assert "`ffbench eval -m hf:lab/faces -p first`" in card.text
    (entry,) = cards.parse_eval_result_entries(yaml.safe_load(commit.files[results]))
    assert (entry.dataset_id, entry.value) == ("lab/bench", 0.25)
    loaded = load_method(name, device="cpu").card
    assert loaded.id == "decflow-c"
    assert loaded.weights is not None
    assert loaded.weights.sha256 == SHA256
    # A second push is a second commit, and what else the repository holds stays.
    hub.commit("lab/faces", {"LICENSE": b"x"})
    assert run_command(monkeypatch, "push", "decflow-c", "lab/faces") == 0
    assert hub.repositories["lab/faces"][-1].files["LICENSE"] == b"x"


@pytest.mark.usefixtures("run")
def test_a_look_at_the_files_uploads_nothing(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "look"
    assert run_command(monkeypatch, "push", "decflow-c", "lab/faces", "--out", out) == 0
    assert hub.asked == []
    assert len(capsys.readouterr().out.splitlines()) == len([path for path in out.rglob("*") if path.is_file()]) == 5
    assert load_method(out, device="cpu").card.id == "decflow-c"
    assert run_command(monkeypatch, "push", "decflow-c", "lab/faces", "--out", out) == 2
    # The folder is a model folder: it is pushed as it is, with what lies beside its weights.
    files = model_files(out, "lab/faces")
    assert files["config.json"] == out / "config.json"
    assert files["recipe.json"] == out / "recipe.json"


@pytest.mark.usefixtures("run")
def test_without_a_token_one_line_says_so(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(monkeypatch, "push", "decflow-c", "lab/faces") == 3
    (line,) = capsys.readouterr().err.splitlines()
    assert "hf:lab/faces: cannot be written" in line
    assert "hf auth login" in line
    assert "lab/faces" not in hub.repositories
    assert run_command(monkeypatch, "push", "decflow-c", "faces") == 2


def test_weights_that_were_not_measured_are_refused(run: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.safetensors"
    shutil.copy(WEIGHTS_FOLDER / "decflow-s.safetensors", other)
    shipped = file_sha256(WEIGHTS_FOLDER / "decflow-c.safetensors")
    with pytest.raises(DataError, match=f"is of weights {shipped}"):
        model_files(run, "lab/faces", weights=other)
    write_record(tmp_path / "b" / "record.json", record_of(sha256="1" * 64))
    with pytest.raises(DataError, match="is of weights 1111"):
        model_files("decflow-c", "lab/faces", records=[run, tmp_path / "b"])
    with pytest.raises(UsageError, match="there is no record of these weights"):
        model_files("decflow-s", "lab/faces")


def test_only_safetensors_are_published(run: Path, tmp_path: Path) -> None:
    pickled, garbage = tmp_path / "net.pth", tmp_path / "net.safetensors"
    pickled.write_bytes(b"x")
    garbage.write_bytes(b"\xff" * 100)
    with pytest.raises(DataError, match="only safetensors are published"):
        model_files(run, "lab/faces", weights=pickled)
    with pytest.raises(DataError, match="is no safetensors file"):
        model_files(run, "lab/faces", weights=garbage)
    with pytest.raises(DataError, match="no such file"):
        model_files(run, "lab/faces", weights=tmp_path / "none.safetensors")


def test_a_network_of_ones_own_needs_its_weights_and_names_no_code(tmp_path: Path) -> None:
    write_record(tmp_path / "record.json", record_of("own/net.Net"))
    with pytest.raises(UsageError, match="name the weights that were scored"):
        model_files(tmp_path, "lab/faces")
    files = model_files(tmp_path, "lab/faces", weights=SHIPPED)
    assert json.loads(str(files["config.json"])) == {}
    assert "-m FILE.py:CLASS --weights hf:lab/faces" in str(files["README.md"])


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("decflow-c+variational", "a model is published without"),
        ("dis", "no weights of its own"),
        ("net.py:Net", "unknown method"),
        ("hf:lab/faces", "unknown method"),
    ],
)
def test_what_is_no_model_is_said(source: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        model_files(source, "lab/faces")


def test_of_the_records_at_hand_the_last_of_each_that_ranks_is_taken(run: Path, tmp_path: Path) -> None:
    later = record_of(minute=5)
    later = later.model_copy(update={"primary": later.primary.model_copy(update={"value": 0.5})})
    for name, record in {
        "later": later,
        "second": record_of(protocol="second"),
        "cut": record_of(protocol="third", complete=False),
        "other": record_of(protocol="fourth", sha256="1" * 64),
        "refined": record_of("decflow-c+variational", protocol="fifth"),
    }.items():
        write_record(tmp_path / "runs" / name / "record.json", record)
    front = yaml.safe_load(str(model_files("decflow-c", "lab/faces")["README.md"]).split("---\n")[1])
    results = front["model-index"][0]["results"]
    assert sorted((one["dataset"]["type"], one["metrics"][0]["value"]) for one in results) == [
        ("first", 0.5), ("second", 0.25),
    ]  # fmt: skip


def test_a_folder_without_records_brings_its_own_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("ffbench.model_repository.shipped_store", lambda: None)
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "config.json").write_text('{"ffbench": {"method": "decflow-c"}, "width": 3}')
    shutil.copy(SHIPPED, folder / "model.safetensors")
    with pytest.raises(UsageError, match="no record of these weights"):
        model_files(folder, "lab/faces")
    (folder / "README.md").write_text("# mine\n")
    assert model_files(folder, "lab/faces") == {
        name: folder / name for name in ("config.json", "model.safetensors", "README.md")
    }
