"""Rigid motions: fit and alignment against slow references, and against bodies that really are rigid."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from ffbench.methods.decflow.blocks import rigid
from ffbench.methods.decflow.blocks.rigid import align_motion, fit_motion, local_contrast
from tests.reference import rigid_head

SIZE = 40
Array = npt.NDArray[np.float64]


def fitted(flow: Array, depth: Array, weight: Array, step: int = 4) -> Array:
    """Run the fast fit on arrays (H, W, 2), (H, W) and (H, W)."""
    tensors = [torch.from_numpy(array).float() for array in (flow.transpose(2, 0, 1), depth[None], weight[None])]
    found = fit_motion(*(tensor[None] for tensor in tensors), step=step).flow()
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
    expected = rigid_head.fit_motion(flow, depth, weight, step, ridge)
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
    found = fit_motion(torch.randn(1, 2, SIZE, SIZE), depth, weight)
    assert found.coefficients.shape == (1, 10)
    found.flow().square().mean().backward()
    for tensor in (depth, weight):
        assert tensor.grad is not None
        assert torch.isfinite(tensor.grad).all()
        assert tensor.grad.abs().sum() > 0


def moving_body(seed: int, degrees: float = 4.0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return images (1, 3, H, W) in [-1, 1] of a textured body before and after a turn, depth and true flow."""
    rng = np.random.default_rng(seed)
    size = 96
    depth, points = body(rng, size)
    axis = rng.normal(size=3)
    turn = Rotation.from_rotvec(np.deg2rad(degrees) * axis / np.linalg.norm(axis))
    shift = rng.uniform(-1, 1, 3)

    def backward(pixels: Array) -> Array:
        """Where image 2 shows what image 1 has: by fixed-point iteration on the forward flow."""
        forward = (turn.apply(points.reshape(-1, 3)).reshape(points.shape) + shift - points)[:, :, :2]
        found = np.zeros_like(forward)
        for _ in range(30):
            where = (pixels + found).astype(np.float32)
            found = -cv2.remap(forward, where[..., 0], where[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        return found

    x, y = np.meshgrid(np.arange(size, dtype=np.float64), np.arange(size, dtype=np.float64))
    pixels = np.stack([x, y], axis=2)
    texture = cv2.GaussianBlur(rng.random((size, size)), (0, 0), 1.5)
    texture = (texture - texture.min()) / np.ptp(texture)
    where = (pixels + backward(pixels)).astype(np.float32)
    second = cv2.remap(texture, where[..., 0], where[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    flow = (turn.apply(points.reshape(-1, 3)).reshape(points.shape) + shift - points)[:, :, :2]
    images = (torch.from_numpy(2 * image - 1).float().expand(1, 3, -1, -1) for image in (texture, second))
    relative = (depth - depth.mean()) / depth.std()
    return *images, torch.from_numpy(relative)[None, None].float(), torch.from_numpy(flow).permute(2, 0, 1)[None]  # type: ignore[return-value]


def inner_error(flow: torch.Tensor, true: torch.Tensor) -> float:
    """Mean endpoint error away from the border, which shows what was never in the other image."""
    return float(torch.linalg.vector_norm(flow - true, dim=1)[:, 16:-16, 16:-16].mean())


def central(size: int) -> torch.Tensor:
    weight = torch.zeros(1, 1, size, size)
    weight[:, :, 12:-12, 12:-12] = 1
    return weight


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**31), step=st.sampled_from([1, 2]))
def test_alignment_mends_a_biased_flow(seed: int, step: int) -> None:
    """A flow that is a quarter too small, as that of smooth methods is where there is little texture."""
    image1, image2, depth, true = moving_body(seed)
    weight = central(true.shape[2])
    start = fit_motion(0.75 * true, depth, weight)
    first, second = local_contrast(image1), local_contrast(image2)
    found = align_motion(start, first, second, weight, rounds=4, step=step)
    assert inner_error(found.flow(), true) < 0.03 + 0.2 * inner_error(start.flow(), true)


def test_one_round_as_the_reference() -> None:
    image1, image2, depth, true = moving_body(5)
    weight = central(true.shape[2]) * torch.rand(1, 1, *true.shape[2:], generator=torch.Generator().manual_seed(0))
    start = fit_motion(0.8 * true, depth, weight)
    first, second = local_contrast(image1), local_contrast(image2)
    found = align_motion(start, first, second, weight, rounds=1, step=3)
    arrays = [array.double().numpy() for array in (first[0, 0], second[0, 0], weight[0, 0])]
    coordinates = np.stack([part[0].double().numpy() for part in (start.x, start.y, start.z)], axis=2)
    expected = rigid_head.align_once(
        start.coefficients[0].double().numpy(),
        coordinates,
        *arrays,
        step=3,
        half=rigid._HALF_WEIGHT,
        damping=rigid._DAMPING,
    )
    assert not np.allclose(start.coefficients[0], expected, atol=0.02)
    np.testing.assert_allclose(found.coefficients[0].numpy(), expected, atol=2e-3)


def test_local_contrast_as_the_reference() -> None:
    image = torch.rand(1, 3, 24, 30, generator=torch.Generator().manual_seed(0)) * 2 - 1
    expected = rigid_head.local_contrast(image[0].double().numpy(), rigid._FINE, rigid._COARSE, rigid._FLAT)
    np.testing.assert_allclose(local_contrast(image)[0, 0].numpy(), expected, atol=1e-4)


@settings(max_examples=10, deadline=None)
@given(gain=st.floats(0.7, 1.3), offset=st.floats(-0.2, 0.2))
def test_brightness_and_contrast_do_not_matter(gain: float, offset: float) -> None:
    image, *_ = moving_body(3)
    change = (local_contrast(gain * image + offset) - local_contrast(image)).abs()
    assert change.mean() < 0.03
    assert (gain * image + offset - image).abs().mean() > 0.01 or (abs(gain - 1) < 0.05 and abs(offset) < 0.05)


def test_what_explains_the_images_no_better_is_left() -> None:
    """Unrelated images: no motion is right, and the fit stays."""
    image1, _, depth, true = moving_body(1)
    image2, *_ = moving_body(2)
    weight = central(true.shape[2])
    start = fit_motion(torch.zeros_like(true), depth, weight)
    first = local_contrast(image1)
    same = align_motion(start, first, first, weight, rounds=2, step=1)
    torch.testing.assert_close(same.coefficients, start.coefficients, atol=1e-4, rtol=0)
    other = align_motion(start, first, local_contrast(image2), weight, rounds=3, step=1)
    assert torch.isfinite(other.coefficients).all()


def test_bodies_of_one_batch_do_not_touch_each_other() -> None:
    made = [moving_body(seed) for seed in (1, 2)]
    weight = central(96)
    alone = []
    for image1, image2, depth, true in made:
        start = fit_motion(0.8 * true, depth, weight)
        first, second = local_contrast(image1), local_contrast(image2)
        alone.append(align_motion(start, first, second, weight, rounds=2, step=2).coefficients)
    image1, image2, depth, true = (torch.cat(parts) for parts in zip(*made, strict=True))
    both = weight.expand(2, -1, -1, -1)
    start = fit_motion(0.8 * true, depth, both)
    together = align_motion(start, local_contrast(image1), local_contrast(image2), both, rounds=2, step=2)
    torch.testing.assert_close(together.coefficients, torch.cat(alone), atol=1e-3, rtol=1e-3)


def test_alignment_passes_gradients_to_depth_and_weights() -> None:
    image1, image2, depth, true = moving_body(4)
    depth.requires_grad_()
    weight = (central(96) + 0.1).requires_grad_()
    start = fit_motion(0.8 * true, depth, weight)
    found = align_motion(start, local_contrast(image1), local_contrast(image2), weight, rounds=2, step=2)
    (found.flow() - true).square().mean().backward()
    for tensor in (depth, weight):
        assert tensor.grad is not None
        assert torch.isfinite(tensor.grad).all()
        assert tensor.grad.abs().sum() > 0
