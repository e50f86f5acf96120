"""Which parameters a network of ptlflow gets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from ffbench.errors import MethodError, UsageError
from ffbench.io.hashing import file_sha256
from ffbench.method import Method
from ffbench.methods.ptlflow import registry
from ffbench.methods.weights import weight_folders
from ffbench.registry import load_method

MODEL = "rapidflow_it1"


@pytest.fixture(autouse=True)
def _folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("FFBENCH_CACHE", str(tmp_path / "cache"))

    def no_network(*_: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr(torch.hub, "download_url_to_file", no_network)


def saved(path: Path, **more: Any) -> dict[str, torch.Tensor]:
    """Save parameters of MODEL that are not those of seed 0, as ptlflow does."""
    state = {key: value + 1 for key, value in parameters(load_method(f"ptlflow/{MODEL}", weights="random")).items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"state_dict": state, **more}, path)
    return state


def parameters(method: Method) -> dict[str, torch.Tensor]:
    state: dict[str, torch.Tensor] = method.network.state_dict()  # type: ignore[attr-defined]
    return state


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that ptlflow's model class names under `sintel`, in PyTorch's cache."""
    saved(tmp_path / "new.ckpt")
    digits = file_sha256(tmp_path / "new.ckpt")[:8]
    path: Path = weight_folders()[0] / f"{MODEL}-sintel-{digits}.ckpt"
    path.parent.mkdir(parents=True)
    (tmp_path / "new.ckpt").rename(path)
    urls = {"things": "https://example.org/none-things-00000000.ckpt", "sintel": f"https://example.org/{path.name}"}
    monkeypatch.setattr(registry.model_class(MODEL), "pretrained_checkpoints", urls)
    return path


@pytest.mark.parametrize("name", [f"ptlflow/{MODEL}", f"ptlflow/{MODEL}:sintel"])
def test_a_cached_checkpoint_is_used_and_named_on_the_card(published: Path, name: str) -> None:
    method = load_method(name)
    expected = torch.load(published, weights_only=True)["state_dict"]
    assert all(torch.equal(value, expected[key]) for key, value in parameters(method).items())
    weights = method.card.weights
    assert weights is not None
    assert (weights.name, weights.random, weights.sha256) == ("sintel", False, file_sha256(published))
    assert weights.source == f"https://example.org/{published.name}"
    assert method.card.id == name


def test_a_cached_checkpoint_that_was_changed_is_refused(published: Path) -> None:
    saved(published, more=1)
    with pytest.raises(MethodError, match=rf"{published.name}: its sha256 starts with"):
        load_method(f"ptlflow/{MODEL}")


def test_weights_that_cannot_be_had_are_never_replaced_by_random_ones() -> None:
    with pytest.raises(
        MethodError, match=r"raft: weights raft-sintel-fb44381e\.ckpt are not in .* \(OSError: no network\)"
    ):
        load_method("raft")


def test_weights_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.ckpt"
    state = saved(path, hyper_parameters={"train_size": [128, 192]})
    method = load_method(f"ptlflow/{MODEL}", weights=path)
    assert all(torch.equal(value, state[key]) for key, value in parameters(method).items())
    assert method.network.train_size == (128, 192)  # type: ignore[attr-defined]
    weights = method.card.weights
    assert weights is not None
    assert (weights.name, weights.source, weights.sha256) == ("mine.ckpt", "file", file_sha256(path))


@pytest.mark.parametrize("settings", [{"train_size": "128"}, {"train_size": [1]}, None, [3]])
def test_odd_settings_in_a_checkpoint_are_passed_over(tmp_path: Path, settings: object) -> None:
    saved(tmp_path / "mine.ckpt", hyper_parameters=settings)
    method = load_method(f"ptlflow/{MODEL}", weights=tmp_path / "mine.ckpt")
    assert method.network.train_size is None  # type: ignore[attr-defined]


def test_weights_of_another_model_are_refused(tmp_path: Path) -> None:
    saved(tmp_path / "mine.ckpt")
    with pytest.raises(MethodError, match=r"mine\.ckpt: not weights of raft_small: \d+ missing \(fnet.*unexpected"):
        load_method("ptlflow/raft_small", weights=tmp_path / "mine.ckpt")


def test_a_missing_weights_file_is_named_before_anything_is_built(tmp_path: Path) -> None:
    with pytest.raises(MethodError, match=r"none\.ckpt: no such weights file"):
        load_method("raft", weights=tmp_path / "none.ckpt")


def test_an_unknown_checkpoint_is_answered_with_the_known() -> None:
    with pytest.raises(
        UsageError,
        match=r"raft has no checkpoint 'sintl' - did you mean 'sintel'\?; it has chairs, things, sintel, kitti",
    ):
        load_method("raft:sintl")


def test_two_answers_to_which_weights_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="names a checkpoint and --weights another"):
        load_method("raft:sintel", weights="random")


@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        ("sea_raft", MethodError, "no weights of it are published; give --weights FILE"),
        ("flow_anything", UsageError, "say which checkpoint to use: :mixed288, :mixed432"),
        ("splatflow", MethodError, "splatflow-kitti"),
        ("raft_small", MethodError, "raft_small-things"),
    ],
)
def test_the_default_checkpoint(model: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        load_method(f"ptlflow/{model}")
