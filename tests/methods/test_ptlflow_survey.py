"""Every model of ptlflow's registry, once."""

from __future__ import annotations

import pytest
import torch

from ffbench.errors import MethodError
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


@pytest.mark.slow
def test_every_other_model_runs_and_heeds_the_order_of_channels() -> None:
    """One test rather than 79, so that ptlflow's registry is asked once and a report names all that fail."""
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
            flow = method.estimate(images[0], images[1]).facial
            again = method.estimate(images[0], images[1]).facial
            swapped = method.estimate(images[0].flip(1), images[1].flip(1)).facial
        except MethodError as error:
            failures[model] = str(error)
            continue
        if flow.shape != (1, 2, 100, 130) or not torch.equal(flow, again) or torch.equal(flow, swapped):
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
