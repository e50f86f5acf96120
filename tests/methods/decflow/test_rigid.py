"""Head flow by construction: the closed form against a slow reference, and against bodies that really are rigid."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from ffbench.methods.decflow import rigid
from ffbench.methods.decflow.rigid import fit_head_flow
from tests.reference import rigid_head

SIZE = 40
Array = npt.NDArray[np.float64]


def fitted(flow: Array, depth: Array, weight: Array, step: int = 4) -> Array:
    """Run the fast fit on arrays (H, W, 2), (H, W) and (H, W)."""
    tensors = [torch.from_numpy(array).float() for array in (flow.transpose(2, 0, 1), depth[None], weight[None])]
    found, _ = fit_head_flow(*(tensor[None] for tensor in tensors), step=step)
    return found[0].permute(1, 2, 0).double().numpy()


def body(rng: np.random.Generator, size: int = SIZE) -> tuple[Array, Array]:
    """A rounded surface: depth (H, W), nearer in the middle, and points (H, W, 3) in px about its centre."""
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    depth = rng.uniform(0.5, 1.5) * np.sqrt(np.maximum(size**2 - x**2 - y**2, 0)) + 0.05 * x * rng.normal()
    return depth, np.stack([x, y, depth - depth.mean()], axis=2)


@pytest.mark.parametrize("step", [1, 4])
def test_as_the_reference(step: int) -> None:
    rng = np.random.default_rng(0)
    depth, _ = body(rng, 24)
    flow, weight = rng.normal(0, 3, (24, 24, 2)), rng.random((24, 24)) ** 4
    ridge = (*rigid._RIDGE, *rigid._RIDGE, rigid._RIDGE_QUADRATIC, rigid._RIDGE_QUADRATIC)
    expected = rigid_head.fit_head_flow(flow, depth, weight, step, ridge)
    np.testing.assert_allclose(fitted(flow, depth, weight, step), expected, atol=2e-3)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**31), degrees=st.floats(0, 40), depth_scale=st.floats(0.1, 10), offset=st.floats(-50, 50))
def test_any_rotation_seen_from_afar_is_found(seed: int, degrees: float, depth_scale: float, offset: float) -> None:
    """Whatever the unit and the origin of depth."""
    rng = np.random.default_rng(seed)
    depth, points = body(rng)
    axis = rng.normal(size=3)
    turn = Rotation.from_rotvec(np.deg2rad(degrees) * axis / np.linalg.norm(axis))
    moved = rng.uniform(0.9, 1.1) * turn.apply(points.reshape(-1, 3)).reshape(points.shape) + rng.normal(0, 5, 3)
    flow = (moved - points)[:, :, :2]
    # In float32 with a ridge, on flows of up to some 30 px.
    found = fitted(flow, depth_scale * (depth - depth.mean()) / depth.std() + offset, np.ones((SIZE, SIZE)))
    assert np.abs(found - flow).mean() < 0.01 * (1 + np.abs(flow).max()) * max(1.0, 1 / depth_scale**2)


def test_what_has_no_weight_does_not_count() -> None:
    rng = np.random.default_rng(1)
    depth, _ = body(rng)
    flow = np.full((SIZE, SIZE, 2), [2.0, -1.0])
    mouth = np.zeros((SIZE, SIZE), bool)
    mouth[20:32, 12:28] = True
    flow[mouth] += rng.normal(0, 5, (mouth.sum(), 2))
    even, chosen = (fitted(flow, depth, weight) for weight in (np.ones(mouth.shape), (~mouth).astype(float)))
    assert np.abs(chosen - [2.0, -1.0]).max() < 0.01
    assert np.abs(even - [2.0, -1.0]).max() > 0.1


def test_no_weight_at_all_and_no_depth_are_still_numbers() -> None:
    flow = np.ones((SIZE, SIZE, 2))
    for depth, weight in ((np.zeros(flow.shape[:2]), np.ones(flow.shape[:2])), (np.zeros(flow.shape[:2]),) * 2):
        assert np.isfinite(fitted(flow, depth, weight)).all()


def test_gradients_reach_depth_and_weights() -> None:
    rng = np.random.default_rng(2)
    depth = torch.from_numpy(body(rng)[0])[None, None].float().requires_grad_()
    weight = torch.rand(1, 1, SIZE, SIZE).requires_grad_()
    found, coefficients = fit_head_flow(torch.randn(1, 2, SIZE, SIZE), depth, weight)
    assert coefficients.shape == (1, 10)
    found.square().mean().backward()
    for tensor in (depth, weight):
        assert tensor.grad is not None
        assert torch.isfinite(tensor.grad).all()
        assert tensor.grad.abs().sum() > 0
