from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from ffbench.errors import MethodError
from ffbench.methods.decflow.config import SemanticName
from ffbench.methods.decflow.semantic import (
    ResNetEncoder,
    SemanticEncoder,
    SemanticTrainer,
    SyntheticEncoder,
    create_semantic_encoder,
    load_semantic_weights,
    semantic_loss,
)
from ffbench.methods.decflow.semantic.resnet import from_torchvision
from ffbench.packages.torchvision_ops import make_importable

# What writes such archives is deprecated, not what they are.
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")

NAMES = [
    pytest.param("dad3d"),
    pytest.param("imagenet"),
    pytest.param("pytorchcv"),
    pytest.param("synthetic"),
    pytest.param("facemesh", marks=pytest.mark.assets),
]


def built(name: SemanticName) -> SemanticEncoder:
    torch.manual_seed(0)
    encoder = create_semantic_encoder(name)
    assert encoder is not None
    return encoder


def torchvision_resnet(stride_first: bool) -> Any:
    """torchvision's ResNet-50 with random weights and statistics; its stride moved where pytorchcv has it."""
    make_importable()
    from torchvision.models import resnet50

    torch.manual_seed(0)
    network = resnet50(weights=None).eval()
    for key, value in network.named_buffers():
        if key.endswith("running_mean"):
            value.normal_(0, 0.1)
        elif key.endswith("running_var"):
            value.uniform_(0.5, 1.5)
    if stride_first:
        network.layer2[0].conv1.stride, network.layer2[0].conv2.stride = (2, 2), (1, 1)
    return network


def up_to_stride_8(network: Any, x: torch.Tensor) -> torch.Tensor:
    stem = network.maxpool(network.relu(network.bn1(network.conv1(x))))
    result: torch.Tensor = network.layer2(network.layer1(stem))
    return result


def pytorchcv_names(network: Any) -> dict[str, torch.Tensor]:
    """The tensors of torchvision's ResNet-50 under pytorchcv's names."""
    renamed = {}
    for key, value in network.state_dict().items():
        part, _, leaf = key.rpartition(".")
        if key.startswith(("conv1", "bn1")):
            renamed[f"init_block.conv.{part.rstrip('1')}.{leaf}"] = value
        elif key.startswith("layer"):
            stage, unit, rest = part.removeprefix("layer").split(".", 2)
            name = {"downsample.0": "identity_conv.conv", "downsample.1": "identity_conv.bn"}.get(rest)
            name = name or f"body.conv{rest[-1]}.{rest[:-1]}"
            renamed[f"stage{stage}.unit{int(unit) + 1}.{name}.{leaf}"] = value
    return renamed


@pytest.mark.parametrize("name", NAMES)
def test_features_lie_on_the_grid_of_stride_8(name: SemanticName) -> None:
    encoder = built(name)
    image = torch.rand(2, 3, 72, 104)
    features = encoder(image)
    assert features.shape == (2, encoder.channels, 9, 13)
    assert features.std() > 0.01
    assert torch.equal(features, encoder(image))
    alone = encoder(image[1:])
    assert torch.allclose(alone, features[1:], atol=1e-3)


@pytest.mark.parametrize("name", NAMES)
def test_encoders_are_frozen_whatever_the_mode(name: SemanticName) -> None:
    encoder = built(name)
    image = torch.rand(1, 3, 64, 64)
    before = encoder(image)
    state = {key: value.clone() for key, value in encoder.state_dict().items()}
    torch.nn.Sequential(encoder).train()
    assert torch.equal(encoder(image), before)
    assert not any(part.training for part in encoder.modules())
    assert not any(parameter.requires_grad for parameter in encoder.parameters())
    assert not encoder(image.requires_grad_()).requires_grad
    assert all(torch.equal(value, state[key]) for key, value in encoder.state_dict().items())


def test_statistics_move_only_where_they_are_not_kept() -> None:
    """As in the released code, whose frozen encoder is in training mode while the network is trained."""
    encoder = built("imagenet")
    image = torch.rand(2, 3, 64, 64)
    evaluated, mean = encoder(image), encoder.norm.running_mean.clone()  # type: ignore[union-attr, operator]
    encoder.keeps_statistics = False
    torch.nn.Sequential(encoder).train()
    assert encoder.norm.training  # type: ignore[union-attr]
    assert not torch.allclose(encoder(image), evaluated, atol=1e-3)
    assert not torch.equal(encoder.norm.running_mean, mean)  # type: ignore[union-attr, arg-type]
    assert not any(parameter.requires_grad for parameter in encoder.parameters())
    encoder.eval()
    assert torch.equal(encoder(image), encoder(image))


def test_none_is_no_encoder() -> None:
    assert create_semantic_encoder("none") is None


@pytest.mark.parametrize("name", ["imagenet", "dad3d", "pytorchcv"])
def test_resnet_is_torchvisions_resnet(name: SemanticName, tmp_path: Path) -> None:
    original = torchvision_resnet(stride_first=name != "imagenet")
    encoder = built(name)
    if name == "imagenet":
        torch.save(original.state_dict(), tmp_path / "resnet50.pth")
        load_semantic_weights(encoder, name, tmp_path / "resnet50.pth")
    elif name == "pytorchcv":
        whole = {f"features.{key}": value for key, value in pytorchcv_names(original).items()}
        torch.save({**whole, "output.weight": torch.zeros(1000, 2048)}, tmp_path / "resnet50.pth")
        load_semantic_weights(encoder, name, tmp_path / "resnet50.pth")
    else:
        save_like_dad3d(original, tmp_path / "dad_3dheads.trcd")
        load_semantic_weights(encoder, name, tmp_path / "dad_3dheads.trcd")
    image = torch.rand(1, 3, 64, 96)
    mean = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
    deviation = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
    with torch.no_grad():
        expected = up_to_stride_8(original, (image - mean) / deviation)
    assert expected.std() > 0.01
    assert torch.allclose(encoder(image), expected, atol=1e-4)


def save_like_dad3d(original: Any, path: Path) -> None:
    """Write a TorchScript archive with the tensors of a ResNet under the names that DAD-3DNet's has."""
    root = torch.nn.Module()
    for key, value in {**pytorchcv_names(original), "stage9.unit1.body.conv1.conv.weight": torch.ones(1)}.items():
        module = root
        *parents, leaf = f"encoder.model.{key}".split(".")
        for parent in parents:
            if parent not in dict(module.named_children()):
                module.add_module(parent, torch.nn.Module())
            module = module.get_submodule(parent)
        module.register_buffer(leaf, value)
    torch.jit.save(torch.jit.script(root), str(path))


def test_the_authors_code_feeds_the_network_from_minus_one_to_one() -> None:
    torch.manual_seed(0)
    plain, symmetric = ResNetEncoder(True, "imagenet"), ResNetEncoder(True, "symmetric")
    symmetric.load_state_dict(plain.state_dict())
    plain.mean.zero_(), plain.deviation.fill_(1)
    image = torch.rand(1, 3, 32, 32)
    assert torch.allclose(symmetric(image), plain(2 * image - 1), atol=1e-4)


def test_synthetic_weights_round_trip(tmp_path: Path) -> None:
    encoder, other = built("synthetic"), SyntheticEncoder()
    safetensors.torch.save_file(encoder.state_dict(), tmp_path / "synthetic.safetensors")
    load_semantic_weights(other, "synthetic", tmp_path / "synthetic.safetensors")
    image = torch.rand(1, 3, 64, 64)
    assert torch.equal(other(image), encoder(image))


def test_synthetic_encoder_learns_its_labels() -> None:
    """Regions and texture coordinates of a bright square are learnt, through the encoder itself."""
    torch.manual_seed(0)
    encoder = SyntheticEncoder()
    trainer = SemanticTrainer(encoder, regions=2)
    image = torch.rand(1, 3, 64, 64) * 0.2
    image[:, :, 16:48, 16:56] += 0.7
    regions = torch.zeros(1, 64, 64, dtype=torch.uint8)
    regions[:, 16:48, 16:56] = 1
    uv = torch.stack(torch.meshgrid(*(torch.linspace(0, 1, 64),) * 2, indexing="xy"))[None].clone()
    uv[:, :, :8] = float("nan")
    optimiser = torch.optim.AdamW(trainer.parameters(), lr=2e-3)
    losses = []
    for _ in range(25):
        loss = semantic_loss(*trainer(image), regions, torch.nan_to_num(uv))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.3 * losses[0]
    assert all(parameter.grad is not None for parameter in encoder.parameters())
    encoder.freeze()
    assert not encoder(image).requires_grad


def test_semantic_loss_by_hand() -> None:
    logits = torch.zeros(1, 3, 1, 2)
    uv = torch.tensor([0.5, 0.25]).view(1, 2, 1, 1).expand(1, 2, 1, 2)
    regions = torch.zeros(1, 8, 16, dtype=torch.uint8)
    regions[:, :, 8:] = 2
    loss = semantic_loss(logits, uv, regions, torch.full((1, 2, 8, 16), 0.375))
    # Cross-entropy of three equal logits, and |0.125| + |-0.125| on the one cell with a surface.
    assert loss.item() == pytest.approx(torch.log(torch.tensor(3.0)).item() + 0.25)


def test_weights_files_that_do_not_fit(tmp_path: Path) -> None:
    encoder = built("imagenet")
    with pytest.raises(MethodError, match=r"gone\.pth: no such file"):
        load_semantic_weights(encoder, "imagenet", tmp_path / "gone.pth")
    original = torchvision_resnet(False).state_dict()
    del original["layer1.2.bn3.weight"]
    torch.save(original, tmp_path / "part.pth")
    with pytest.raises(MethodError, match=r"part\.pth: weights of another network: missing blocks\.2\.norm3\.weight"):
        load_semantic_weights(encoder, "imagenet", tmp_path / "part.pth")
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), str(tmp_path / "linear.trcd"))
    with pytest.raises(MethodError, match=r"linear\.trcd: no ResNet-50 in it; expected DAD-3DNet's dad_3dheads\.trcd"):
        load_semantic_weights(built("dad3d"), "dad3d", tmp_path / "linear.trcd")
    with pytest.raises(MethodError, match="'dad3d' needs"):
        load_semantic_weights(built("dad3d"), "dad3d", None)


def test_torchvision_keys_beyond_stride_8_are_left_out() -> None:
    assert from_torchvision("layer2.3.conv3.weight") == "blocks.6.conv3.weight"
    assert from_torchvision("layer2.0.downsample.1.bias") == "blocks.3.shortcut.1.bias"
    assert from_torchvision("layer3.0.conv1.weight") is None
    assert from_torchvision("fc.bias") is None
