"""ptlflow's networks: built by name, fed what they were trained on, any size in and out."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from ffbench.errors import MethodError, UsageError
from ffbench.method import Method, MethodCard
from ffbench.methods.ptlflow import registry
from ffbench.methods.ptlflow.network import PtlflowNetwork
from ffbench.registry import load_method, method_entry

FIRST_CLASS = ["raft", "gma", "skflow", "flowformer"]
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def untrained(name: str, **options: Any) -> Method:
    return load_method(name, weights="random", device="cpu", **options)


def pair(height: int, width: int, batch: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    images = torch.rand(2, batch, 3, height, width, generator=torch.Generator().manual_seed(1))
    return images[0], images[1]


def first_input(method: Method, color: tuple[float, float, float]) -> list[float]:
    """The color of a plain image as the first convolution over images sees it."""
    seen: list[torch.Tensor] = []
    network: torch.nn.Module = method.network  # type: ignore[attr-defined]
    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d) and module.in_channels == 3:
            module.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    image = torch.tensor(color)[None, :, None, None].expand(1, 3, 128, 128)
    method.estimate(image, image)
    return [round(value, 4) for value in seen[0][0, :, 64, 64].tolist()]


def test_every_first_class_name_and_the_newer_models_are_there() -> None:
    variants = method_entry("ptlflow").variants
    assert variants is not None
    names = variants()
    assert len(names) == 90
    assert {*FIRST_CLASS, "gmflow_refine", "sea_raft_m", "dpflow", "neuflow2", "waft_dav2_a2"} <= set(names)
    assert method_entry("raft").variants is None


@pytest.mark.parametrize("name", FIRST_CLASS)
def test_the_default_checkpoint_is_sintel(name: str) -> None:
    assert "sintel" in registry.checkpoints(registry.model_class(name))


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("raft", 5_257_536),
        ("gma", 5_879_873),
        pytest.param("skflow", 6_273_149, marks=pytest.mark.slow),
        pytest.param("flowformer", 16_168_113, marks=pytest.mark.slow),
    ],
)
def test_a_first_class_network_runs_and_sees_rgb_from_minus_one_to_one(name: str, parameters: int) -> None:
    """The authors of all four read RGB and feed 2 * (image / 255) - 1."""
    method = untrained(name, iterations=1)
    assert first_input(method, (1.0, 0.5, 0.0)) == [1.0, 0.0, -1.0]
    assert (method.card.parameters, method.card.iterations) == (parameters, 1)
    assert method.card.weights is not None
    assert method.card.weights.random
    image1, image2 = pair(131, 97)
    flow = method.estimate(image1, image2).facial
    assert flow.shape == (1, 2, 131, 97)
    swapped = method.estimate(image1.flip(1), image2.flip(1)).facial
    assert (flow - swapped).abs().max() > 1e-3


@pytest.mark.parametrize("name", ["gmflow", "ptlflow/unimatch"])
def test_gmflow_sees_rgb_less_the_mean_of_imagenet(name: str) -> None:
    color = (1.0, 0.5, 0.0)
    expected = [(c - m) / s for c, m, s in zip(color, IMAGENET_MEAN, IMAGENET_STD, strict=True)]
    assert first_input(untrained(name), color) == pytest.approx(expected, abs=1e-4)


def test_rapidflow_was_trained_on_bgr() -> None:
    """ptlflow's own author trained it on what OpenCV reads."""
    assert first_input(untrained("ptlflow/rapidflow_it1"), (1.0, 0.5, 0.0)) == [-1.0, 0.0, 1.0]


@pytest.mark.parametrize("name", ["raft", "ptlflow/raft_small", "ptlflow/rapidflow"])
@pytest.mark.parametrize("size", [(1, 1), (9, 7), (40, 150), (127, 129)])
def test_small_and_odd_sizes_come_out_as_they_went_in(name: str, size: tuple[int, int]) -> None:
    flow = untrained(name, iterations=1).estimate(*pair(*size, batch=2)).facial
    assert flow.shape == (2, 2, *size)
    assert torch.isfinite(flow).all()


def test_raft_below_128_pixels_needs_the_extension() -> None:
    """Without it the last level of the pyramid is one pixel wide, and the flow is not a number."""
    method = untrained("ptlflow/raft_small", iterations=2)
    method._smallest_side = 1  # type: ignore[attr-defined]
    with pytest.raises(MethodError, match="not finite"):
        method.estimate(*pair(96, 96))


@pytest.mark.slow
def test_vcn_is_extended_to_256_pixels() -> None:
    assert untrained("ptlflow/vcn_small").estimate(*pair(128, 128)).facial.shape == (1, 2, 128, 128)


def test_batch_equals_single() -> None:
    method = untrained("ptlflow/raft_small", iterations=2)
    image1, image2 = pair(128, 136, batch=2)
    both = method.estimate(image1, image2).facial
    second = method.estimate(image1[1:], image2[1:]).facial
    assert torch.allclose(both[1:], second, atol=1e-3)


def test_untrained_networks_are_the_same_each_time() -> None:
    first, second = (untrained("ptlflow/rapidflow_it1").estimate(*pair(128, 128)).facial for _ in range(2))
    assert torch.equal(first, second)


def test_numpy_images_give_numpy_flow() -> None:
    image = np.random.default_rng(0).integers(0, 256, (50, 70, 3), np.uint8)
    flow = untrained("ptlflow/rapidflow_it1").estimate(image, image).facial
    assert flow.shape == (50, 70, 2)
    assert flow.dtype == np.float32


@pytest.mark.parametrize(
    ("model", "argument"), [("raft", "iters"), ("dpflow", "iters_per_level"), ("flowformer", "decoder_depth")]
)
def test_iterations_have_three_names(model: str, argument: str) -> None:
    assert registry.iteration_argument(registry.model_class(model)) == argument


@pytest.mark.parametrize(("model", "default"), [("raft_small", 32), ("dpflow", 4)])
def test_iterations_reach_the_network(model: str, default: int) -> None:
    one, two, usual = (untrained(f"ptlflow/{model}", iterations=number) for number in (1, 2, None))
    assert [method.card.iterations for method in (one, two, usual)] == [1, 2, default]
    flows = [method.estimate(*pair(128, 128)).facial for method in (one, two)]
    assert (flows[0] - flows[1]).abs().max() > 1e-3


@pytest.mark.parametrize("model", ["gmflow_refine", "ccmr", "neuflow2", "pwcnet"])
def test_iterations_are_refused_where_there_is_no_single_number(model: str) -> None:
    with pytest.raises(MethodError, match="does not take --iterations"):
        untrained(f"ptlflow/{model}", iterations=3)


@pytest.mark.slow
def test_half_precision_gives_float32_near_the_full_one() -> None:
    full = untrained("ptlflow/rapidflow_it1").estimate(*pair(128, 128)).facial
    method = untrained("ptlflow/rapidflow_it1", precision="bf16")
    half = method.estimate(*pair(128, 128)).facial
    assert method.card.precision == "bf16"
    assert half.dtype == torch.float32
    assert 0 < (half - full).abs().max() < 0.2 * full.abs().max()


def test_cards_name_paper_and_licence() -> None:
    card = untrained("raft").card
    assert (card.title, card.licence) == ("RAFT", "BSD-3-Clause")
    assert card.paper == "Raft: Recurrent all-pairs field transforms for optical flow, 2020"
    assert card.options["ptlflow"] == "0.4.2"
    assert registry.licence(registry.model_class("pwcnet")) == "CC-BY-NC-SA-4.0"
    assert registry.licence(registry.model_class("ccmr")) == "BSD-3-Clause, not for military use"
    assert registry.licence(registry.model_class("flownet2")) == "Apache-2.0 (published weights: research only)"
    assert registry.licence(registry.model_class("dicl")) is None
    assert registry.paper(registry.model_class("liteflownet3")) is None  # three are cited


def test_an_unknown_model_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"ptlflow has no model 'rafts' - did you mean 'raft'\?"):
        untrained("ptlflow/rafts")


@pytest.mark.parametrize(("model", "what"), [("scv4", "torch_scatter"), ("matchflow", "QuadTreeAttention")])
def test_a_model_that_cannot_be_built_says_why(model: str, what: str) -> None:
    with pytest.raises(MethodError, match=what) as caught:
        untrained(f"ptlflow/{model}")
    assert str(caught.value).startswith(f"ptlflow/{model} cannot be built here: ")
    assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_a_model_that_wants_more_frames_says_so_in_one_line() -> None:
    with pytest.raises(MethodError, match=r"ptlflow/streamflow failed on 128x128 images: RuntimeError") as caught:
        untrained("ptlflow/streamflow").estimate(*pair(128, 128))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("size", "tiled"), [((436, 1024), True), ((200, 960), True), ((512, 512), False), ((200, 900), False)]
)
def test_flowformer_tiles_only_images_that_hold_a_tile(size: tuple[int, int], tiled: bool) -> None:
    class Tiled(torch.nn.Module):
        train_size, tile_height, use_tile_input = (432, 960), 432, True

        def forward(self, inputs: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
            return {"flows": inputs["images"][:, :1, :2]}

    network = Tiled()
    method = PtlflowNetwork(MethodCard(id="tiled", title="tiled"), network, torch.device("cpu"))
    method.estimate(*pair(*size))
    assert network.use_tile_input is tiled
    network.train_size = None  # type: ignore[assignment]
    method.estimate(*pair(*size))
    assert network.use_tile_input is False


def test_printing_at_import_is_kept_off_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    untrained("ptlflow/raft_small")
    assert capsys.readouterr().out == ""


def test_licences_are_told_by_their_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_read", lambda _, file: "All rights reserved." if file == "LICENSE" else "")
    assert registry.licence(SimpleNamespace()) == "see its LICENSE"
