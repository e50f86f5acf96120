from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ffbench.methods.decflow.blocks import correlation as correlation_module
from ffbench.methods.decflow.blocks.correlation import cell_grid, correlate
from ffbench.methods.decflow.blocks.local_correlation import local_correlation, local_correlation_torch
from tests.reference import decflow as reference

Lookup = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, int], torch.Tensor]
BOTH = pytest.mark.parametrize("lookup", [local_correlation, local_correlation_torch], ids=["compiled", "torch"])


def maps(seed: int = 0, dtype: torch.dtype = torch.float64) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Two maps of different size, and centres inside, at the border, on cells and far outside."""
    generator = torch.Generator().manual_seed(seed)
    features1 = torch.randn(2, 4, 5, 6, generator=generator, dtype=dtype)
    features2 = torch.randn(2, 6, 3, 6, generator=generator, dtype=dtype)
    centers = torch.randn(2, 4, 5, 2, generator=generator, dtype=dtype) * 4 + 2
    centers[0, 0, 0] = torch.tensor([1.0, 2.0])
    centers[0, 0, 1] = torch.tensor([-1.0, 6.0])
    centers[0, 0, 2] = torch.tensor([1e9, -1e9])
    return features1, features2, centers


@BOTH
@pytest.mark.parametrize("radius", [0, 1, 3])
def test_windows_equal_the_reference(lookup: Lookup, radius: int) -> None:
    features1, features2, centers = maps()
    expected = reference.correlation_windows(features1.numpy(), features2.numpy(), centers.numpy(), radius)
    np.testing.assert_allclose(lookup(features1, features2, centers, radius).numpy(), expected, atol=1e-12)


@settings(max_examples=25, deadline=None)
@given(
    x=st.floats(-1e12, 1e12) | st.sampled_from([-5.0, -4.0, 0.0, 2.0, 3.0, 7.0]),
    y=st.floats(-8, 12),
    radius=st.integers(0, 4),
)
def test_both_implementations_agree_wherever_flows_point(x: float, y: float, radius: int) -> None:
    features1, features2, centers = maps(1)
    centers = centers.new_tensor([x, y]).expand(centers.shape)
    compiled = local_correlation(features1, features2, centers, radius)
    assert torch.allclose(compiled, local_correlation_torch(features1, features2, centers, radius), atol=1e-9)


def test_a_flow_that_is_not_a_number_reads_nothing_wild() -> None:
    features1, features2, centers = maps()
    centers[:] = float("nan")
    assert local_correlation(features1, features2, centers, 2).isnan().all()


def test_gradients_equal_finite_differences() -> None:
    features1, features2, centers = maps(2)
    features1.requires_grad_(), features2.requires_grad_()
    compiled = partial(local_correlation, centers=centers, radius=2)
    assert torch.autograd.gradcheck(compiled, (features1, features2))


def test_both_implementations_have_the_same_gradients() -> None:
    features1, features2, centers = maps(2)
    features1.requires_grad_(), features2.requires_grad_()
    gradients = [
        torch.autograd.grad(lookup(features1, features2, centers, 2).square().sum(), (features1, features2))
        for lookup in (local_correlation, local_correlation_torch)
    ]
    for a, b in zip(*gradients, strict=True):
        assert torch.allclose(a, b, atol=1e-10)


def test_gradients_do_not_depend_on_the_number_of_threads() -> None:
    features1, features2, centers = (x.float() for x in maps(3))
    features1.requires_grad_(), features2.requires_grad_()
    before = torch.get_num_threads()
    gradients = []
    try:
        for threads in (1, 2, 5):
            torch.set_num_threads(threads)
            loss = local_correlation(features1, features2, centers, 3).square().sum()
            gradients.append(torch.autograd.grad(loss, (features1, features2)))
    finally:
        torch.set_num_threads(before)
    for other in gradients[1:]:
        assert all(torch.equal(a, b) for a, b in zip(gradients[0], other, strict=True))


@pytest.mark.parametrize("kind", ["volume", "on_demand"])
@pytest.mark.parametrize("size", [(8, 8), (9, 13)])
def test_lookup_of_a_pyramid_equals_the_reference(
    kind: correlation_module.CorrelationKind, size: tuple[int, int]
) -> None:
    torch.manual_seed(0)
    features1, features2 = torch.randn(2, 2, 5, *size)
    flow = 3 * torch.randn(2, 2, *size)
    (windows,) = correlate(features1, features2, 3, 2, kind).lookup([flow])
    first, level = (x.permute(0, 2, 3, 1).double().numpy() for x in (features1, features2))
    centers = (cell_grid(flow) + flow).permute(0, 2, 3, 1).double().numpy()
    expected = []
    for number in range(3):
        expected.append(reference.correlation_windows(first, level, centers / 2**number, 2))
        level = reference.pooled(level)
    np.testing.assert_allclose(windows.permute(0, 2, 3, 1).numpy(), np.concatenate(expected, axis=3), atol=2e-5)


def test_two_flows_in_one_lookup_are_two_lookups() -> None:
    torch.manual_seed(0)
    features1, features2 = torch.randn(2, 1, 8, 8, 8)
    flows = [torch.randn(1, 2, 8, 8), 5 * torch.randn(1, 2, 8, 8)]
    volume = correlate(features1, features2, 4, 4, "volume")
    for together, flow in zip(volume.lookup(flows), flows, strict=True):
        assert torch.equal(together, volume.lookup([flow])[0])


def test_gradients_of_volume_and_on_demand_agree() -> None:
    torch.manual_seed(0)
    features1, features2 = (torch.randn(1, 4, 8, 10, requires_grad=True) for _ in range(2))
    flow = 2 * torch.randn(1, 2, 8, 10)
    gradients = []
    for kind in ("volume", "on_demand"):
        loss = correlate(features1, features2, 2, 3, kind).lookup([flow])[0].square().sum()  # type: ignore[arg-type]
        gradients.append(torch.autograd.grad(loss, (features1, features2)))
    for a, b in zip(*gradients, strict=True):
        assert torch.allclose(a, b, rtol=1e-4, atol=1e-4)


@BOTH
def test_autocast_leaves_correlation_in_single_precision(lookup: Lookup) -> None:
    features1, features2, centers = (x.float() for x in maps())
    expected = lookup(features1, features2, centers, 2)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(lookup(features1, features2, centers, 2), expected)


def test_auto_holds_no_volume_beyond_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    features = torch.randn(1, 4, 8, 8)
    assert type(correlate(features, features, 4, 4)).__name__ == "_Volume"
    monkeypatch.setattr(correlation_module, "VOLUME_LIMIT_BYTES", 64 * 64 * 4)
    assert type(correlate(features, features, 4, 4)).__name__ == "_OnDemand"


def test_maps_that_are_too_small_for_the_levels() -> None:
    features = torch.randn(1, 4, 7, 8)
    with pytest.raises(ValueError, match="4 levels need maps of 8 cells a side, got 7x8"):
        correlate(features, features, 4, 4)
