"""The face mesh network against TensorFlow Lite's operators written out in float64."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from ffbench.assets import asset_path
from ffbench.errors import DataError
from ffbench.facemesh import network as module
from ffbench.facemesh.network import FEATURE_CHANNELS, FaceMeshNetwork
from tests.reference import facemesh as reference


@pytest.fixture(scope="module")
def network() -> FaceMeshNetwork:
    return FaceMeshNetwork(asset_path("face_mesh"))


def image(seed: int) -> torch.Tensor:
    """Noise at several scales, so that no layer sees a flat or saturated input."""
    generator = torch.Generator().manual_seed(seed)
    layers = [torch.rand(1, 3, size, size, generator=generator) for size in (6, 24, 192)]
    return sum(torch.nn.functional.interpolate(layer, size=192, mode="bilinear") for layer in layers) / 3  # type: ignore[return-value]


@pytest.mark.parametrize(("inputs", "outputs", "stride"), [(5, 5, 1), (5, 9, 2)])
def test_residual_block_is_its_definition(inputs: int, outputs: int, stride: int) -> None:
    torch.manual_seed(stride)
    block = module._Residual(inputs, outputs, stride)
    torch.nn.init.uniform_(block.activation.weight, -1, 1)
    x = torch.randn(1, inputs, 8, 12)
    p = {name: value.detach().double().numpy() for name, value in block.named_parameters()}
    expected = x[0].permute(1, 2, 0).double().numpy()
    branch = reference.depthwise(
        expected, p["depthwise.weight"].transpose(1, 2, 3, 0), p["depthwise.bias"], stride, same=True
    )
    branch = reference.convolution(
        branch, p["pointwise.weight"].transpose(0, 2, 3, 1), p["pointwise.bias"], 1, same=True
    )
    if stride == 2:
        expected = reference.max_pool(expected, 2, 2)
    expected = np.pad(expected, ((0, 0), (0, 0), (0, outputs - inputs)))
    expected = reference.prelu(expected + branch, p["activation.weight"])
    np.testing.assert_allclose(block(x)[0].permute(1, 2, 0).detach(), expected, atol=2e-6)


@pytest.mark.assets
@pytest.mark.parametrize("seed", [0, 1])
def test_network_is_the_file_run_operator_by_operator(network: FaceMeshNetwork, seed: int) -> None:
    x = image(seed)
    landmarks, score = network(x)
    expected, logit = reference.run(asset_path("face_mesh"), x[0].permute(1, 2, 0).double().numpy())
    np.testing.assert_allclose(landmarks[0], expected, atol=2e-4)
    np.testing.assert_allclose(score[0], 1 / (1 + np.exp(-logit)), rtol=1e-4)


@pytest.mark.assets
def test_a_batch_is_its_images_one_by_one(network: FaceMeshNetwork) -> None:
    images = torch.cat([image(seed) for seed in range(3)])
    landmarks, score = network(images)
    assert landmarks.shape == (3, 468, 3)
    assert score.shape == (3,)
    for index in range(3):
        alone, alone_score = network(images[index : index + 1])
        torch.testing.assert_close(landmarks[index], alone[0], atol=2e-4, rtol=0)
        torch.testing.assert_close(score[index], alone_score[0], atol=1e-6, rtol=1e-4)


@pytest.mark.assets
def test_features_come_at_five_scales_of_any_size(network: FaceMeshNetwork) -> None:
    maps = network.features(torch.rand(2, 3, 64, 96))
    expected = [(2, c, 64 // s, 96 // s) for c, s in zip(FEATURE_CHANNELS, (2, 4, 8, 16, 32), strict=True)]
    assert [tuple(one.shape) for one in maps] == expected


@pytest.mark.assets
def test_network_is_frozen_and_differentiable_in_the_image(network: FaceMeshNetwork) -> None:
    assert sum(p.numel() for p in network.parameters()) == 604685
    assert not any(p.requires_grad for p in network.parameters())
    x = image(0).requires_grad_(True)
    network.features(x)[2].square().mean().backward()
    assert x.grad is not None
    assert x.grad.abs().max() > 0


@pytest.mark.assets
@pytest.mark.parametrize("shape", [(1, 3, 192, 160), (1, 1, 192, 192), (3, 192, 192)])
def test_crops_of_another_shape_are_refused(network: FaceMeshNetwork, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="192"):
        network(torch.zeros(shape))
    with pytest.raises(ValueError, match="multiples of 32"):
        network.features(torch.zeros(1, 3, 50, 64))


def test_what_is_no_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "face_landmark.tflite"
    with pytest.raises(DataError, match=r"face_landmark\.tflite: cannot be read"):
        FaceMeshNetwork(path)
    path.write_bytes(b"\x00" * 64)
    with pytest.raises(DataError, match="no TFL3 mark"):
        FaceMeshNetwork(path)
    path.write_bytes(b"\x1c\x00\x00\x00TFL3" + b"\xff" * 400)
    with pytest.raises(DataError, match="damaged TensorFlow Lite file"):
        FaceMeshNetwork(path)
    with path.open("wb") as file:
        file.truncate(17 << 20)
    with pytest.raises(DataError, match="too big"):
        FaceMeshNetwork(path)


@pytest.mark.assets
def test_damaged_copies_of_the_network_are_refused_or_harmless(tmp_path: Path) -> None:
    whole = asset_path("face_mesh").read_bytes()
    path = tmp_path / "face_landmark.tflite"
    for length in (40, 1000, len(whole) // 2):
        path.write_bytes(whole[:length])
        with pytest.raises(DataError, match=r"face_landmark\.tflite"):
            FaceMeshNetwork(path)
    generator = np.random.default_rng(0)
    for _ in range(40):
        damaged = np.frombuffer(whole, np.uint8).copy()
        # The tables that describe the graph lie at the end, behind the trained values.
        places = generator.integers(len(whole) - 40_000, len(whole), 200)
        damaged[places] = generator.integers(0, 256, 200)
        path.write_bytes(damaged.tobytes())
        try:
            FaceMeshNetwork(path)
        except DataError:
            continue
