from __future__ import annotations

import pytest
import torch

from ffbench.methods.decflow.blocks import attention as attention_module
from ffbench.methods.decflow.networks.corrector import DecFlowCorrector
from ffbench.methods.decflow.networks.gma import DecFlow
from ffbench.methods.decflow.networks.light import DecFlowLight
from tests.methods.decflow.nets import CONFIGS, network, pair

EACH = pytest.mark.parametrize("name", CONFIGS)


@EACH
@torch.inference_mode()
def test_flows_of_the_last_step(name: str) -> None:
    model = network(name)
    image1, image2 = pair(64, 96, batch=2)
    flows = model(image1, image2)
    assert len(flows.facial) == len(flows.head) == 1
    assert flows.facial[0].shape == flows.head[0].shape == (2, 2, 64, 96)
    assert flows.facial[0].dtype == torch.float32
    # Two decoders: two different flows that are not nothing.
    assert flows.facial[0].abs().mean() > 0.1
    assert (flows.facial[0] - flows.head[0]).abs().mean() > 0.1
    assert torch.equal(flows.expression[0], flows.facial[0] - flows.head[0])


@EACH
@torch.inference_mode()
def test_the_same_input_gives_the_same_bits(name: str) -> None:
    model = network(name)
    images = pair(64, 64)
    first, second = model(*images), model(*images)
    assert torch.equal(first.facial[-1], second.facial[-1])
    assert torch.equal(first.head[-1], second.head[-1])


@EACH
@torch.inference_mode()
def test_a_pair_does_not_see_the_others_of_its_batch(name: str) -> None:
    model = network(name)
    image1, image2 = pair(64, 64, batch=3)
    together = model(image1, image2)
    for number in range(3):
        alone = model(image1[number : number + 1], image2[number : number + 1])
        assert torch.allclose(together.facial[-1][number], alone.facial[-1][0], atol=2e-3)
        assert torch.allclose(together.head[-1][number], alone.head[-1][0], atol=2e-3)


@EACH
@torch.inference_mode()
def test_facial_flow_does_not_depend_on_the_head_decoder(name: str) -> None:
    model = network(name)
    images = pair(64, 64)
    both, facial_only = model(*images), model(*images, head=False)
    assert facial_only.head == ()
    assert torch.allclose(both.facial[-1], facial_only.facial[-1], atol=2e-3)
    assert facial_only.expression == ()
    for parameter in model.head_decoder.parameters():
        parameter.mul_(2)
    assert torch.equal(model(*images).facial[-1], both.facial[-1])


@EACH
@torch.inference_mode()
def test_every_step_in_training_and_iterations(name: str) -> None:
    model = network(name)
    images = pair(64, 64)
    steps = model(*images, every_step=True)
    assert len(steps.facial) == len(steps.head) == len(steps.expression) == model.steps
    assert all(flow.shape == (1, 2, 64, 64) for flow in steps.facial)
    assert torch.equal(steps.facial[-1], model(*images).facial[-1])
    if isinstance(model, DecFlowCorrector):
        with pytest.raises(ValueError, match="makes 2 steps, got 1"):
            model(*images, iterations=1)
        return
    once = model(*images, iterations=1, every_step=True)
    assert len(once.facial) == (4 if isinstance(model, DecFlowLight) else 1)


@EACH
def test_only_the_trained_parts_get_gradients(name: str) -> None:
    model = network(name).train()
    flows = model(*pair(64, 64))
    sum(flow.square().mean() for flow in (*flows.facial, *flows.head)).backward()
    for key, parameter in model.named_parameters():
        if key.startswith("semantic."):
            assert parameter.grad is None, key
            assert not parameter.requires_grad, key
        elif not key.startswith(("fusion.", "context_encoder.fusion.")):
            # (The fusion block starts with a branch that is zero.)
            assert parameter.grad is not None, key
            assert parameter.grad.abs().sum() > 0, key
    if model.semantic is not None:
        assert not any(part.training for part in model.semantic.modules())


@EACH
def test_second_stage_leaves_facial_flow_alone_to_the_last_bit(name: str) -> None:
    model = network(name)
    images = pair(64, 64)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    with torch.inference_mode():
        facial, head = (flows[-1].clone() for flows in (model(*images).facial, model(*images).head))
    model.freeze_facial()
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.1)
    for _ in range(2):
        # As a training loop does at every epoch: in the end BatchNorm must not have seen the images.
        model.train()
        flows = model(*images)
        loss = sum(flow.square().mean() for flow in (*flows.head, *flows.expression))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    changed = {key.split(".")[0] for key, value in model.state_dict().items() if not torch.equal(value, before[key])}
    assert changed == {"head_decoder"}
    with torch.inference_mode():
        flows = model.eval()(*images)
    assert torch.equal(flows.facial[-1], facial)
    assert not torch.equal(flows.head[-1], head)


@pytest.mark.parametrize("name", ["decflow", "decflow-s"])
@torch.inference_mode()
def test_on_demand_correlation_and_attention_equal_the_held_ones(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = network(name)
    assert isinstance(model, DecFlow | DecFlowLight)
    images = pair(64, 96, batch=2)
    model.correlation = "volume"
    held = model(*images)
    model.correlation = "on_demand"
    monkeypatch.setattr(attention_module, "MATRIX_LIMIT_BYTES", 0)
    on_demand = model(*images)
    assert torch.allclose(held.facial[-1], on_demand.facial[-1], atol=1e-3)
    assert torch.allclose(held.head[-1], on_demand.head[-1], atol=1e-3)


@EACH
def test_sizes_that_do_not_fit(name: str) -> None:
    model = network(name)
    for height, width in ((60, 64), (64, 68), (32, 64)):
        with pytest.raises(ValueError, match=f"multiples of {model.stride} and at least 64, got"):
            model(*pair(height, width))
    with pytest.raises(ValueError, match="of one size"):
        model(pair(64, 64)[0], pair(64, 96)[1])
