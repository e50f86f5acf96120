from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from ffbench.errors import MethodError, UsageError
from ffbench.method import Method, MethodCard, MethodRequest
from ffbench.methods import decflow as package
from ffbench.methods.decflow import adapter
from ffbench.methods.decflow.weights import save_weights
from tests.methods.decflow.nets import network, pair

ENTRIES = {"decflow": package.decflow, "decflow-s": package.decflow_s}
EACH = pytest.mark.parametrize("name", ENTRIES)


def load(name: str, **options: object) -> Method:
    return ENTRIES[name.partition(":")[0]].load(MethodRequest(name, **options))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def untrained() -> dict[str, Method]:
    return {name: load(name, weights="random", iterations=1) for name in ENTRIES}


@EACH
@pytest.mark.parametrize("size", [(64, 64), (75, 101), (1, 1), (30, 200)])
def test_any_size_comes_back(name: str, size: tuple[int, int], untrained: dict[str, Method]) -> None:
    flows = untrained[name].estimate(*pair(*size, batch=2))
    assert flows.head is not None
    assert flows.expression is not None
    assert flows.facial.shape == flows.head.shape == (2, 2, *size)
    assert torch.equal(flows.expression, flows.facial - flows.head)


@EACH
def test_padding_repeats_the_border_on_both_sides(name: str, untrained: dict[str, Method]) -> None:
    method = untrained[name]
    image1, image2 = pair(60, 80)
    high, wide = 64, 80 if name == "decflow" else 96
    top, left = (high - 60) // 2, (wide - 80) // 2
    rows = torch.arange(high).sub(top).clamp(0, 59)
    columns = torch.arange(wide).sub(left).clamp(0, 79)
    padded = method.estimate(*(image[:, :, rows][:, :, :, columns] for image in (image1, image2)))
    flows = method.estimate(image1, image2)
    assert torch.equal(flows.facial, padded.facial[:, :, top : top + 60, left : left + 80])


@EACH
def test_grey_and_uint8_images(name: str, untrained: dict[str, Method]) -> None:
    grey = np.random.default_rng(0).integers(0, 256, (2, 40, 50), np.uint8)
    flows = untrained[name].estimate(grey[0], grey[1])
    color = untrained[name].estimate(*(np.repeat(image[:, :, None], 3, axis=2) for image in grey))
    assert flows.facial.shape == (40, 50, 2)
    np.testing.assert_array_equal(flows.facial, color.facial)


@EACH
def test_card(name: str, untrained: dict[str, Method]) -> None:
    card = untrained[name].card
    assert card.id == name
    assert card.decomposes
    assert card.weights is not None
    assert card.weights.random
    assert card.iterations == (1 if name == "decflow" else 4)
    assert card.options["semantic"] == ("dad3d" if name == "decflow" else "synthetic")
    assert card.parameters is not None
    assert 12e6 < card.parameters < 14e6 if name == "decflow" else 3e6 < card.parameters < 4e6


@pytest.mark.parametrize("size", [(64, 96), (61, 75)])
def test_mirrored_averages_the_pair_and_its_mirror_image(size: tuple[int, int]) -> None:
    single = adapter.DecFlowMethod(MethodCard(id="single", title=""), network("decflow-s"), "cpu")
    both = network("decflow-s")
    both.config = both.config.model_copy(update={"mirrored": True})
    method = adapter.DecFlowMethod(MethodCard(id="mirrored", title=""), both, "cpu")
    images = pair(*size, batch=2)
    turned = [image.flip(3) for image in images]

    def mirror(flows: torch.Tensor) -> torch.Tensor:
        return torch.stack([-flows[:, 0], flows[:, 1]], dim=1).flip(3)

    found, straight, other = method.estimate(*images), single.estimate(*images), single.estimate(*turned)
    assert found.head is not None
    assert straight.head is not None
    assert other.head is not None
    torch.testing.assert_close(found.facial, (straight.facial + mirror(other.facial)) / 2, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(found.head, (straight.head + mirror(other.head)) / 2, rtol=1e-4, atol=1e-4)
    assert (straight.facial - mirror(other.facial)).abs().mean() > 0.1
    # So a mirrored face has the mirrored flow.
    torch.testing.assert_close(method.estimate(*turned).facial, mirror(found.facial), rtol=1e-4, atol=1e-4)


def test_random_weights_are_the_same_every_time() -> None:
    images = pair(64, 64)
    state = torch.random.get_rng_state()
    first, second = (load("decflow-s", weights="random").estimate(*images).facial for _ in range(2))
    assert torch.equal(first, second)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_bf16_is_near_fp32(tmp_path: Path) -> None:
    save_weights(tmp_path / "tiny.safetensors", network("decflow-s"), {})
    images = pair(64, 64)
    single, half = (
        load("decflow-s", weights=tmp_path / "tiny.safetensors", precision=precision).estimate(*images).facial
        for precision in ("fp32", "bf16")
    )
    assert half.dtype == torch.float32
    assert not torch.equal(single, half)
    assert (single - half).abs().mean() < 0.1 * single.abs().mean()


def test_weights_from_a_file(tmp_path: Path) -> None:
    original = network("decflow-s")
    path = tmp_path / "mine.safetensors"
    save_weights(path, original, {"recipe": "ffbench", "steps": 7})
    method = load("decflow-s", weights=path)
    card = method.card
    assert card.weights is not None
    assert (card.weights.name, card.weights.source, card.weights.random) == ("mine", "file", False)
    assert card.weights.sha256 is not None
    assert card.options["training/recipe"] == "ffbench"
    assert card.options["training/steps"] == 7
    assert card.options["iterations at strides 32, 16, 8, 4"] == "2, 3, 3, 2"
    assert card.iterations == 10
    images = pair(64, 64)
    with torch.inference_mode():
        assert torch.equal(method.estimate(*images).facial, original(*images).facial[-1])


@EACH
def test_weights_that_ship(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "WEIGHTS_FOLDER", tmp_path)
    with pytest.raises(MethodError, match=rf"^{name}: no trained weights ship .* --weights .* --weights random$"):
        load(name)
    if name == "decflow-s":
        save_weights(tmp_path / "decflow-s.safetensors", network("decflow-s"), {})
        card = load(name).card
        assert card.weights is not None
        assert card.weights.source == "decflow-s.safetensors"


def test_decflow_is_the_light_network_where_no_weights_of_the_papers_size_ship(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "WEIGHTS_FOLDER", tmp_path)
    save_weights(tmp_path / "decflow-c.safetensors", network("decflow-c"), {})
    card = load("decflow").card
    assert (card.id, card.title) == ("decflow-c", "DecFlow-C (corrects DIS)")
    assert card.options["stands for"] == "decflow, of which no trained weights of the paper's size ship"
    assert "stands for" not in package.decflow_c.load(MethodRequest("decflow-c")).card.options
    save_weights(tmp_path / "decflow.safetensors", network("decflow"), {})
    assert load("decflow").card.id == "decflow"


def test_no_weights_of_the_light_network_are_taken_for_those_that_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "WEIGHTS_FOLDER", tmp_path)
    save_weights(tmp_path / "decflow-s.safetensors", network("decflow-s"), {})
    assert load("decflow", weights="random").card.id == "decflow"
    with pytest.raises(MethodError, match="weights of decflow-s; use them with --method decflow-s"):
        load("decflow", weights=str(tmp_path / "decflow-s.safetensors"))


@EACH
def test_options_that_the_method_does_not_have(name: str) -> None:
    with pytest.raises(UsageError, match=f"method '{name}' has no checkpoint 'sintel' to choose by name"):
        load(f"{name}:sintel", weights="random")
    with pytest.raises(UsageError, match=f"method '{name}' does not run in fp16 on a CPU"):
        load(name, weights="random", precision="fp16")
    with pytest.raises(UsageError, match="at least 1 iteration, got 0"):
        load(name, weights="random", iterations=0)


@pytest.mark.parametrize("mirrored", [False, True])
def test_the_corrector_gives_the_error_that_it_expects(mirrored: bool) -> None:
    net = network("decflow-c")
    net.config = net.config.model_copy(update={"mirrored": mirrored})
    method = adapter.DecFlowMethod(MethodCard(id="c", title=""), net, "cpu")
    images = pair(61, 75, batch=2)
    found = method.estimate(*images).confidence
    assert found is not None
    assert found.shape == (2, 1, 61, 75)
    rows, columns = torch.arange(64).sub(1).clamp(0, 60), torch.arange(96).sub(10).clamp(0, 74)

    def error(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        with torch.inference_mode():
            padded = net(*(image[:, :, rows][:, :, :, columns] for image in (first, second)), every_step=False)
        return padded.log_error[-1].exp()[:, :, 1:62, 10:85]

    expected = error(*images)
    assert expected.std() > 0.01
    if mirrored:
        expected = (expected + error(*(image.flip(3) for image in images)).flip(3)) / 2
    torch.testing.assert_close(found, 1 / (1 + expected), rtol=1e-3, atol=1e-4)


def test_other_networks_of_the_family_say_nothing_of_their_error(untrained: dict[str, Method]) -> None:
    assert untrained["decflow-s"].estimate(*pair(64, 64)).confidence is None
