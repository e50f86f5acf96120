from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest
import safetensors.torch
import torch

from ffbench.errors import MethodError
from ffbench.methods.decflow.networks.gma import DecFlow
from ffbench.methods.decflow.networks.light import DecFlowLight
from ffbench.methods.decflow.weights import FORMAT, load_weights, save_weights
from tests.methods.decflow.nets import CONFIGS, TINY, network, pair
from tests.methods.decflow.test_official import drawn, official


@pytest.mark.parametrize("name", CONFIGS)
def test_what_is_saved_is_read(name: str, tmp_path: Path) -> None:
    original = network(name)
    path = tmp_path / "weights.safetensors"
    save_weights(path, original, {"recipe": "ffbench", "steps": 12, "val epe": 0.5})
    read, training = load_weights(path, original.config.architecture)
    assert read.config == original.config
    assert training == {"recipe": "ffbench", "steps": 12, "val epe": 0.5}
    assert not read.training
    images = pair(64, 64)
    with torch.inference_mode():
        assert torch.equal(read(*images).head[-1], original(*images).head[-1])


def test_half_precision_halves_the_file_and_is_read_as_single(tmp_path: Path) -> None:
    original = network("decflow-s")
    save_weights(tmp_path / "single.safetensors", original, {})
    save_weights(tmp_path / "half.safetensors", original, {}, dtype=torch.float16)
    assert (tmp_path / "half.safetensors").stat().st_size < 0.6 * (tmp_path / "single.safetensors").stat().st_size
    read, _ = load_weights(tmp_path / "half.safetensors", "decflow-s")
    assert all(value.dtype == torch.float32 for value in read.parameters())
    key = "facial_decoder.merge.weight"
    assert torch.equal(read.get_parameter(key), original.get_parameter(key).half().float())


@pytest.mark.assets
def test_an_encoder_that_is_an_asset_is_not_written(tmp_path: Path) -> None:
    config = TINY.model_copy(update={"semantic": "facemesh"})
    original = DecFlowLight(config).eval()
    path = tmp_path / "weights.safetensors"
    save_weights(path, original, {})
    assert not any(key.startswith("semantic.") for key in safetensors.torch.load_file(path))
    read, _ = load_weights(path, "decflow-s")
    images = pair(64, 64)
    with torch.inference_mode():
        assert torch.equal(read(*images).facial[-1], original(*images).facial[-1])


def test_the_authors_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "decflow-facialflownet.pth"
    torch.save({f"module.{key}": value for key, value in drawn(official()).items()}, path)
    read, training = load_weights(path, "decflow")
    assert isinstance(read, DecFlow)
    assert read.config.semantic_input == "symmetric"
    assert training["recipe"] == "released by the authors"
    with pytest.raises(MethodError, match=r"not weights of decflow-s: expected a \.safetensors file of ffbench, found"):
        load_weights(path, "decflow-s")


def rewritten(path: Path, changes: dict[str, object] | None, **tensors: torch.Tensor) -> Path:
    """A light network's file with another header or some other tensors."""
    save_weights(path, network("decflow-s"), {})
    kept = {**safetensors.torch.load_file(path), **tensors}
    header = {"format": FORMAT, "config": TINY.model_dump(), "training": {}, **(changes or {})}
    safetensors.torch.save_file(kept, path, {"ffbench": json.dumps(header)})
    return path


def test_files_of_another_architecture_or_config(tmp_path: Path) -> None:
    path = rewritten(tmp_path / "a.safetensors", None)
    load_weights(path, "decflow-s")
    with pytest.raises(MethodError, match=r"a\.safetensors: weights of decflow-s; use them with --method decflow-s"):
        load_weights(path, "decflow")
    wider = TINY.model_copy(update={"hidden": 24}).model_dump()
    with pytest.raises(MethodError, match=r"attention\.query_key\.weight is \(64, 16, 1, 1\), expected \(64, 24, 1"):
        load_weights(rewritten(tmp_path / "b.safetensors", {"config": wider}), "decflow-s")
    synthetic = TINY.model_copy(update={"semantic": "synthetic"}).model_dump()
    with pytest.raises(MethodError, match=r"weights of another network: missing semantic\.stem\.0\.weight, .* and \d+"):
        load_weights(rewritten(tmp_path / "c.safetensors", {"config": synthetic}), "decflow-s")
    with pytest.raises(MethodError, match="unknown more_of_it"):
        load_weights(rewritten(tmp_path / "d.safetensors", None, more_of_it=torch.ones(1)), "decflow-s")


def test_metadata_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    for metadata, reason in (
        ({}, r"expected metadata named 'ffbench'"),
        ({"ffbench": "not json"}, "its metadata are not valid: JSON"),
    ):
        safetensors.torch.save_file({"a": torch.ones(1)}, path, metadata)
        with pytest.raises(MethodError, match=rf"a\.safetensors: .*{reason}"):
            load_weights(path, "decflow-s")


def test_equal_weights_make_equal_files(tmp_path: Path) -> None:
    for name in ("a", "b"):
        save_weights(tmp_path / name, network("decflow-s"), {"recipe": "x", "steps": 1, "seed": 2, "stage": "y"})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_metadata_that_is_not_ours(tmp_path: Path) -> None:
    for name, changes, reason in (
        ("format", {"format": "other-1"}, f"its metadata are not valid: format: Input should be '{FORMAT}'"),
        ("config", {"config": "not json"}, "its metadata are not valid: config"),
        ("field", {"config": {**TINY.model_dump(), "wings": 2}}, "its metadata are not valid: .*wings"),
        ("huge", {"config": {**TINY.model_dump(), "hidden": 10**9}}, r"hidden: Input should be less"),
        ("training", {"training": "{"}, "its metadata are not valid: training"),
        ("list", {"training": [1]}, "its metadata are not valid: training"),
    ):
        path = rewritten(tmp_path / f"{name}.safetensors", changes)
        with pytest.raises(MethodError, match=rf"{name}\.safetensors: .*{reason}"):
            load_weights(path, "decflow-s")


def test_values_that_are_not_finite(tmp_path: Path) -> None:
    bad = torch.zeros(14)
    bad[3] = float("nan")
    path = rewritten(tmp_path / "nan.safetensors", None, **{"facial_decoder.merge.bias": bad})
    with pytest.raises(MethodError, match=r"nan\.safetensors: facial_decoder\.merge\.bias has values that are not fin"):
        load_weights(path, "decflow-s")


def test_files_that_are_no_weights(tmp_path: Path) -> None:
    with pytest.raises(MethodError, match=r"gone\.safetensors: no such file"):
        load_weights(tmp_path / "gone.safetensors", "decflow")
    with pytest.raises(MethodError, match=r"gone\.pth: no such file"):
        load_weights(tmp_path / "gone.pth", "decflow")
    (tmp_path / "torn.safetensors").write_bytes(b"\xff" * 100)
    with pytest.raises(MethodError, match=r"torn\.safetensors: not a readable safetensors file"):
        load_weights(tmp_path / "torn.safetensors", "decflow")
    (tmp_path / "torn.pth").write_bytes(b"\x80\x02hello")
    with pytest.raises(MethodError, match=r"torn\.pth: not a PyTorch checkpoint that can be read safely"):
        load_weights(tmp_path / "torn.pth", "decflow")
    (tmp_path / "code.pth").write_bytes(pickle.dumps(print))
    with pytest.raises(MethodError, match=r"code\.pth: not a PyTorch checkpoint that can be read safely"):
        load_weights(tmp_path / "code.pth", "decflow")
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(MethodError, match=r"list\.pth: not a checkpoint; expected named tensors, found list"):
        load_weights(tmp_path / "list.pth", "decflow")
