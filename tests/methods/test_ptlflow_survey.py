"""Every model of ptlflow's registry: an eighth of them in a run of the tests, all in `make campaign`.

Which eighth follows from the week, so that two months of work meet them all, and all runs of a week meet the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pytest
import torch

from ffbench.errors import MethodError
from ffbench.method import Method
from ffbench.methods.ptlflow import registry
from ffbench.registry import load_method

# Each wants something that is not there: a compiled operator, a package, a download at build, more frames than two.
WANTING = {
    "maskflownet": "",
    "maskflownet_s": "",
    "matchflow": "QuadTreeAttention",
    "matchflow_raft": "QuadTreeAttention",
    "scv4": "torch_scatter",
    "scv8": "torch_scatter",
    "separableflow": "",
    "splatflow": "",
    "streamflow": "channels",
    "waft_dinov3_a2": "",
}
# A pass takes 13 s of a core. The same code runs twice as `ccmr` and `flowseek_t`.
DEAR = {"ccmr_p", "flowseek_m"}
DOWNLOADS = {"memfof"}
"""Weights, at build."""
PARTS = 8


class Stop(BaseException):
    """Ends a pass through a network at its first layer; no handler of errors takes it."""


def first_input(method: Method, pair: torch.Tensor, *, stop: bool) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Return what the first layer of a network gets of a pair, and the flow unless the pass is to stop there."""
    seen: list[torch.Tensor] = []

    def see(_: torch.nn.Module, inputs: tuple[object, ...], named: dict[str, object]) -> None:
        tensors = [value for value in (*inputs, *named.values()) if isinstance(value, torch.Tensor)]
        if tensors and not seen:
            seen.append(tensors[0].clone())
            if stop:
                raise Stop

    network: torch.nn.Module = method.network  # type: ignore[attr-defined]
    layers = [module for module in network.modules() if not any(True for _ in module.children())]
    hooks = [layer.register_forward_pre_hook(see, with_kwargs=True) for layer in layers]
    try:
        flow = method.estimate(pair[0], pair[1]).facial
    except Stop:
        return seen[0], None
    finally:
        for hook in hooks:
            hook.remove()
    return seen[0], flow


def running_models() -> list[str]:
    return [model for model in registry.model_names() if model not in WANTING and model not in DOWNLOADS]


def sample(models: Sequence[str], week: int) -> list[str]:
    """Return the part of the models that is the turn of a week: an eighth, spread over the alphabet."""
    return list(models[week % PARTS :: PARTS])


def two_images() -> torch.Tensor:
    return torch.rand(2, 1, 3, 100, 130, generator=torch.Generator().manual_seed(1))


def faults(models: Sequence[str], images: torch.Tensor) -> dict[str, str]:
    """Run models with random weights, and say of each that does not work why.

    A pass can take seconds. A second one shows that the flow is the same each time; a third is not needed, since that
    the channels are told apart is seen at the first layer, whose parameters are random.
    """
    failures = {}
    for model in models:
        counted = registry.iteration_argument(registry.model_class(model))
        try:
            method = load_method(
                f"ptlflow/{model}", weights="random", device="cpu", iterations=None if counted is None else 1
            )
            seen, flow = first_input(method, images, stop=False)
            swapped, _ = first_input(method, images.flip(2), stop=True)
            again = flow if model in DEAR else method.estimate(images[0], images[1]).facial
        except MethodError as error:
            failures[model] = str(error)
            continue
        assert flow is not None
        blind = torch.allclose(seen, swapped, atol=1e-3)  # grey differs by rounding alone
        if flow.shape != (1, 2, 100, 130) or not torch.equal(flow, again) or blind:
            failures[model] = "wrong size, not the same twice, or blind to the order of channels"
    return failures


@pytest.mark.slow
def test_the_models_of_this_week_run_and_heed_the_order_of_channels() -> None:
    assert faults(sample(running_models(), date.today().isocalendar().week), two_images()) == {}


@pytest.mark.campaign
def test_every_model_runs_and_heeds_the_order_of_channels() -> None:
    """One test rather than 79, so that a report names all that fail."""
    assert faults(running_models(), two_images()) == {}


def test_eight_weeks_meet_every_model_once() -> None:
    models = running_models()
    assert len(models) >= 70
    for first in (1, 9, 45):
        met = [model for week in range(first, first + PARTS) for model in sample(models, week)]
        assert sorted(met) == sorted(models)


@pytest.mark.slow
def test_where_red_is_blue_a_model_is_said_to_be_blind() -> None:
    """The control: of grey images no order of channels can be told."""
    assert list(faults(["raft_small"], two_images()[:, :, :1].expand(-1, -1, 3, -1, -1))) == ["raft_small"]


@pytest.mark.slow
@pytest.mark.parametrize("model", WANTING)
def test_a_model_that_cannot_run_says_why_in_one_line(model: str) -> None:
    image = torch.rand(1, 3, 128, 128, generator=torch.Generator().manual_seed(1))
    message = None
    try:
        load_method(f"ptlflow/{model}", weights="random", device="cpu").estimate(image, image)
    except MethodError as error:
        message = str(error)
    if message is None:
        pytest.skip("what it wants is there")
    assert WANTING[model] in message
    assert "\n" not in message
