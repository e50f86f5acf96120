from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ffbench.errors import DataError, MethodError
from ffbench.evaluation import evaluate
from ffbench.methods.decflow import release
from ffbench.methods.decflow.weights import load_weights, save_weights
from ffbench.registry import load_method, load_protocol
from ffbench.results.record.run_record import RunRecord
from ffbench.training.recipe import read_recipe

from .nets import network

RECIPE = Path(release.__file__).parent / "recipes" / "decflow-s-ffbench.toml"
TRAINING = {"recipe": "ffbench", "stage": "flow", "steps": 3, "seed": 0, "commit": "abc"}


@pytest.fixture(autouse=True)
def room_for_a_network_that_learnt_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Random weights make far more of a small change than trained ones."""
    monkeypatch.setattr(release, "MAX_CHANGE", 0.05)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run's folder."""
    folder = tmp_path / "run"
    folder.mkdir()
    save_weights(folder / "flow.safetensors", network("decflow-s"), TRAINING)
    (folder / "recipe.json").write_text(read_recipe(RECIPE).model_dump_json())
    return folder


def record_of(out: Path, weights: str | None, method: str = "decflow-s") -> RunRecord:
    made = load_method(method, weights=weights, device="cpu")
    return evaluate(made, load_protocol("ffn_motion_scale"), out=out, limit=2)


def test_half_the_size_and_the_same_flow(run: Path, tmp_path: Path) -> None:
    target, change = release.release(run / "flow.safetensors", tmp_path, pairs=2)
    assert target == tmp_path / "decflow-s.safetensors"
    assert target.stat().st_size < 0.6 * (run / "flow.safetensors").stat().st_size
    assert 0 < change < release.MAX_CHANGE
    half, training = load_weights(target, "decflow-s")
    full, _ = load_weights(run / "flow.safetensors", "decflow-s")
    assert training == TRAINING
    assert half.config == full.config
    for key, value in full.state_dict().items():
        # Half precision keeps 11 bits, and of small values what is above its smallest step.
        torch.testing.assert_close(half.state_dict()[key], value, rtol=2**-11, atol=2**-25)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["decflow-s.safetensors", "run"]


def test_a_change_that_is_too_large_ships_nothing(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(release, "MAX_CHANGE", 0.0)
    with pytest.raises(MethodError, match=r"flow.safetensors: half precision changes the error by .* px, at most 0"):
        release.release(run / "flow.safetensors", tmp_path, pairs=1)
    monkeypatch.setattr(release, "MAX_BYTES", 1000)
    with pytest.raises(MethodError, match="bytes in half precision, at most 1000 ship"):
        release.release(run / "flow.safetensors", tmp_path, pairs=1)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize("content", [b"", b"not weights", b"\x08" + bytes(7) + b"{}      "])
def test_what_is_not_weights_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "flow.safetensors"
    path.write_bytes(content)
    with pytest.raises(
        MethodError, match=r"flow.safetensors: not (a readable safetensors file|weights of this method)"
    ):
        release.release(path, tmp_path)


def test_the_card_says_how_and_what(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weights = str(run / "flow.safetensors")
    target, _ = release.release(Path(weights), tmp_path, pairs=1)
    records = []
    for name, record in (
        ("own", record_of(tmp_path / "runs", str(target))),
        ("older", record_of(tmp_path / "older", str(run / "flow.safetensors"))),
        ("zero", record_of(tmp_path / "runs", None, "zero")),
    ):
        path = tmp_path / f"{name}.json"
        path.write_text(record.model_dump_json())
        records.append(str(path))
    assert release.main([weights, *records, "--folder", str(tmp_path / "out"), "--pairs", "1"]) == 0
    card_path = tmp_path / "out" / "decflow-s.md"
    card = card_path.read_text()
    assert "| steps | 3 |" in card
    assert "| decomposition | 2,500 | 4 | 160 x 160 | faces 1 | 0.0003 |" in card
    assert "| `ffn_motion_scale` 1.0 (paper), split test | synthetic | ground truth | `zero` |" in card
    assert card.count("| `decflow-s` |") == 1, "scores of other weights of the same name are left out"
    assert (tmp_path / "out" / "decflow-s.recipe.json").read_text().startswith("{")


def test_no_card_without_a_record_of_the_weights(run: Path, tmp_path: Path) -> None:
    target, change = release.release(run / "flow.safetensors", tmp_path, pairs=1)
    with pytest.raises(DataError, match=r"decflow-s.safetensors: no record is of these weights"):
        release.model_card(target, read_recipe(RECIPE), change, [record_of(tmp_path / "runs", None, "zero")])
    assert release.main([str(tmp_path / "none.safetensors")]) == 1
