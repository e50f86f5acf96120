"""Every model of ptlflow's registry, once."""

from __future__ import annotations

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


@pytest.mark.slow
def test_every_other_model_runs_and_heeds_the_order_of_channels() -> None:
    """One test rather than 79, so that ptlflow's registry is asked once and a report names all that fail.

    A pass can take seconds. A second one shows that the flow is the same each time; a third is not needed, since that
    the channels are told apart is seen at the first layer, whose parameters are random.
    """
    images = torch.rand(2, 1, 3, 100, 130, generator=torch.Generator().manual_seed(1))
    failures = {}
    for model in registry.model_names():
        if model in WANTING or model == "memfof":  # that one downloads weights at build
            continue
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
    assert failures == {}


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
