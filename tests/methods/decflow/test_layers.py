from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from ffbench.methods.decflow.blocks import attention as attention_module
from ffbench.methods.decflow.blocks.attention import AttentionMap
from ffbench.methods.decflow.blocks.gru import GatedUpdate
from ffbench.methods.decflow.blocks.layers import FusionBlock, InstanceNorm, convex_upsample, upsample_aligned
from tests.reference import decflow as reference


@pytest.mark.parametrize("factor", [4, 8])
def test_convex_upsampling_equals_the_reference(factor: int) -> None:
    torch.manual_seed(0)
    flow, weights = torch.randn(2, 2, 3, 4), torch.randn(2, 9 * factor**2, 3, 4)
    fine = convex_upsample(flow, weights, factor)
    for b in range(2):
        expected = reference.convex_upsample(flow[b].double().numpy(), weights[b].double().numpy(), factor)
        np.testing.assert_allclose(fine[b].numpy(), expected, atol=1e-5)


def test_convex_upsampling_keeps_a_constant_flow_away_from_the_border() -> None:
    flow = torch.tensor([3.0, -2.0]).view(1, 2, 1, 1).expand(1, 2, 4, 4)
    fine = convex_upsample(flow, torch.randn(1, 9 * 16, 4, 4), 4)
    assert torch.allclose(fine[:, :, 4:-4, 4:-4], 4 * flow[:, :, :1, :1].expand(1, 2, 8, 8), atol=1e-5)


@pytest.mark.parametrize("factor", [2, 8])
def test_aligned_upsampling_keeps_coarse_cells_where_strides_put_them(factor: int) -> None:
    ramp = torch.arange(5.0).view(1, 1, 1, 5).expand(1, 1, 4, 5)
    fine = upsample_aligned(ramp, factor)
    assert fine.shape == (1, 1, 4 * factor, 5 * factor)
    expected = (torch.arange(5.0 * factor) / factor).clamp(max=4)
    assert torch.allclose(fine, expected.expand_as(fine), atol=1e-6)


def test_instance_norm_is_instance_norm() -> None:
    x = 5 + 3 * torch.randn(2, 6, 7, 9)
    assert torch.allclose(InstanceNorm(6)(x), F.instance_norm(x), atol=1e-5)


def test_fusion_starts_as_the_identity_on_the_context() -> None:
    fusion = FusionBlock(8, semantic=5, bridge=4).eval()
    context = torch.randn(1, 8, 6, 6)
    fused = fusion(context, torch.randn(1, 5, 6, 6))
    assert torch.allclose(fused, context.relu(), atol=1e-4)


def test_context_share_of_the_gates_is_one_convolution_over_everything() -> None:
    torch.manual_seed(0)
    unit = GatedUpdate(hidden=4, context=3, motion=5, kernel=(1, 5))
    hidden, context, motion = torch.randn(1, 4, 6, 7), torch.randn(1, 3, 6, 7), torch.randn(1, 5, 6, 7)

    def convolve(weight: torch.Tensor, part: int, state: torch.Tensor) -> torch.Tensor:
        gate = slice(4 * part, 4 * part + 4)
        whole = torch.cat([weight[:, :4], unit.context.weight[gate], weight[:, 4:]], dim=1)
        return F.conv2d(torch.cat([state, context, motion], dim=1), whole, unit.context.bias[gate], padding=(0, 2))

    update = convolve(unit.gates.weight[:4], 0, hidden).sigmoid()
    reset = convolve(unit.gates.weight[4:], 1, hidden).sigmoid()
    candidate = convolve(unit.candidate.weight, 2, reset * hidden).tanh()
    expected = (1 - update) * hidden + update * candidate
    assert torch.allclose(unit(hidden, motion, unit.prepare(context)), expected, atol=1e-6)


def test_attention_that_is_held_and_not_held_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    query, key = torch.randn(2, 2, 8, 5, 6)
    values = [torch.randn(2, 12, 5, 6) for _ in range(2)]
    held = AttentionMap(query, key).aggregate(values)
    monkeypatch.setattr(attention_module, "MATRIX_LIMIT_BYTES", 0)
    anew = AttentionMap(query, key).aggregate(values)
    scores = torch.einsum("bchw,bcyx->bhwyx", query, key) / 8**0.5
    weights = scores.flatten(3).softmax(dim=-1).view_as(scores)
    for value, a, b in zip(values, held, anew, strict=True):
        expected = torch.einsum("bhwyx,bcyx->bchw", weights, value)
        assert torch.allclose(a, expected, atol=1e-5)
        assert torch.allclose(b, expected, atol=1e-5)
