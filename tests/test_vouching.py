"""Whose weights: what a method says of them is compared with what it was given and what it holds."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
import torch

import ffbench
from ffbench import Flows, Method, MethodCard, MethodEntry, MethodRequest, WeightsCard, registry
from ffbench.errors import MethodError
from ffbench.evaluation.fingerprint import run_fingerprint
from ffbench.io.hashing import file_sha256
from ffbench.vouching import parameters_sha256, vouched_card
from tests.toys import BrightnessFlow, Stripes


class Net(Method):
    """A network that says of its weights what a test has it say, and reads its file only if it is told to."""

    said: WeightsCard | None = None

    def __init__(self, request: MethodRequest | None = None, *, reads: bool = True) -> None:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self._layers = [torch.nn.Conv2d(6, 2, 1)]  # a list, and private: not where the contract puts a network
        if request is not None and request.weights not in (None, "random") and reads:
            self._layers[0].load_state_dict(torch.load(request.weights, weights_only=True))
        self.card = MethodCard(id="net", title="Net", weights=type(self).said)

    def forward(self, image1: torch.Tensor, image2: torch.Tensor) -> Flows[torch.Tensor]:
        return Flows(self._layers[0](torch.cat([image1, image2], 1)))


entry = MethodEntry("a network", Net)
deaf_entry = MethodEntry("a network that reads no file", lambda request: Net(request, reads=False))
classical_entry = MethodEntry("no network, and it passes over weights", lambda request: BrightnessFlow())


@pytest.fixture(autouse=True)
def _points(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {"net": "entry", "deaf": "deaf_entry", "classical": "classical_entry"}
    points = [EntryPoint(name, f"{__name__}:{value}", registry.METHOD_GROUP) for name, value in names.items()]
    monkeypatch.setattr(registry, "entry_points", lambda group: points)


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    return lambda **fields: monkeypatch.setattr(Net, "said", WeightsCard(**fields))


def checkpoint(path: Path, value: float) -> Path:
    state = {"weight": torch.full((2, 6, 1, 1), value), "bias": torch.zeros(2)}
    torch.save(state, path)
    return path


def reasons(method: Method, tmp_path: Path) -> list[str]:
    return ffbench.evaluate(method, Stripes(2), out=tmp_path / "runs").not_rankable


def test_the_hash_of_the_file_goes_onto_the_card(tmp_path: Path, say: Callable[..., None]) -> None:
    path = checkpoint(tmp_path / "a.pth", 0.1)
    say(name="a.pth", source="file")
    method = ffbench.load_method("net", weights=path)
    assert method.card.weights == WeightsCard(name="a.pth", source="file", sha256=file_sha256(path))
    assert reasons(method, tmp_path) == []


def test_a_file_that_the_method_does_not_name_is_marked_and_not_ranked(tmp_path: Path) -> None:
    path = checkpoint(tmp_path / "a.pth", 0.1)
    method = ffbench.load_method("net", weights=str(path))
    assert method.card.weights == WeightsCard(name="a.pth", source="file", sha256=file_sha256(path), stated=False)
    (reason,) = reasons(method, tmp_path)
    assert reason == f"the method does not say that it uses the weights a.pth {file_sha256(path)[:8]}"


def test_a_card_that_claims_other_weights_is_an_error(tmp_path: Path, say: Callable[..., None]) -> None:
    path = checkpoint(tmp_path / "a.pth", 0.1)
    say(name="a.pth", source="file", sha256="1" * 64)
    with pytest.raises(MethodError, match=r"^net: its card says SHA-256 1{64}, and it was given .*a\.pth"):
        ffbench.load_method("net", weights=path)
    say(name="a.pth", source="file", random=True)
    with pytest.raises(MethodError, match="its card says random weights"):
        ffbench.load_method("net", weights=path)
    say(name="mine", source="shipped", sha256="1" * 64)
    with pytest.raises(MethodError, match="asked for random weights, and its card says 'mine 11111111'"):
        ffbench.load_method("net", weights="random")


def test_parameters_that_nobody_named_are_marked_and_not_ranked(tmp_path: Path) -> None:
    for method in (ffbench.load_method("net"), Net()):  # by name, and built by hand
        (reason,) = reasons(method, tmp_path)
        assert reason == "the method has parameters and does not say whose they are"
    assert reasons(ffbench.load_method("net", weights="random"), tmp_path) == ["random weights"]


def test_parameters_that_only_the_card_counts_are_parameters(tmp_path: Path) -> None:
    method = BrightnessFlow()
    method.card = method.card.model_copy(update={"parameters": 7})
    assert reasons(method, tmp_path) == ["the method has parameters and does not say whose they are"]


def test_a_method_without_parameters_needs_no_weights(tmp_path: Path) -> None:
    method = ffbench.load_method("classical")
    assert method.card.weights is None
    assert reasons(method, tmp_path) == []
    # It was given some and passed over them: that says nothing about whose number it is.
    given = ffbench.load_method("classical", weights=checkpoint(tmp_path / "a.pth", 0.1))
    assert "does not say that it uses the weights a.pth" in reasons(given, tmp_path)[0]


def test_weights_named_without_a_hash_get_that_of_the_parameters(tmp_path: Path, say: Callable[..., None]) -> None:
    say(name="v1", source="https://example.org/v1.pth")
    method = ffbench.load_method("net")
    assert method.card.weights is not None
    assert method.card.weights.sha256 == parameters_sha256(Net())
    assert reasons(method, tmp_path) == []


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ("none.pth", r"^none\.pth: no such weights file$"),
        (".", r"^\.: is a folder, expected a weights file$"),
        ("wrong.pth", r"^net cannot be built with --weights wrong\.pth: RuntimeError: .*loading state_dict.*Missing"),
        ("text.pth", r"^net cannot be built with --weights text\.pth: .*[^\n]*$"),
    ],
)
def test_weights_that_cannot_be_used_end_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, weights: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"other": torch.zeros(1)}, "wrong.pth")
    Path("text.pth").write_text("no checkpoint")
    with pytest.raises(MethodError, match=message) as caught:
        ffbench.load_method("net", weights=weights)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_an_error_also_where_the_method_does_not_look(tmp_path: Path) -> None:
    for name in ("deaf", "classical"):
        with pytest.raises(MethodError, match=r"none\.pth: no such weights file"):
            ffbench.load_method(name, weights=tmp_path / "none.pth")
        with pytest.raises(MethodError, match="is a folder"):
            ffbench.load_method(name, weights=tmp_path)


def test_random_that_a_plug_in_takes_for_a_file_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(request: MethodRequest) -> Method:
        torch.load(str(request.weights), weights_only=True)
        return Net()

    monkeypatch.setitem(globals(), "entry", MethodEntry("", load))
    with pytest.raises(MethodError, match=r"^net cannot be built with --weights random: FileNotFoundError"):
        ffbench.load_method("net", weights="random")


def test_a_file_that_changes_while_it_is_read_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = checkpoint(tmp_path / "last.pth", 0.1)

    def load(request: MethodRequest) -> Method:
        checkpoint(path, 0.2).touch()
        return Net(request)

    monkeypatch.setitem(globals(), "entry", MethodEntry("", load))
    with pytest.raises(MethodError, match=r"last\.pth: changed while net read it"):
        ffbench.load_method("net", weights=path)


def test_parameters_count_towards_the_run_whatever_the_card_says() -> None:
    random = WeightsCard(name="random", source="", random=True)
    first, second, same = Net(), Net(), Net()
    for method in (first, second, same):
        method.card = method.card.model_copy(update={"weights": random})
    assert vouched_card(first) == vouched_card(second)
    with torch.no_grad():
        second._layers[0].weight[0, 0] += 1
    prints = [run_fingerprint(method, Stripes(2), 1, None) for method in (first, second, same)]
    assert prints[0] == prints[2] != prints[1]
