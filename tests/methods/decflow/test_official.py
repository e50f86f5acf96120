from __future__ import annotations

import re

import pytest
import torch

from ffbench.errors import MethodError
from ffbench.methods.decflow.config import PaperConfig
from ffbench.methods.decflow.networks.gma import DecFlow
from ffbench.methods.decflow.official import is_official, load_gma, load_official

Shapes = dict[str, tuple[int, ...]]


def norm(name: str, channels: int) -> Shapes:
    tensors: Shapes = {f"{name}.{leaf}": (channels,) for leaf in ("weight", "bias", "running_mean", "running_var")}
    return {**tensors, f"{name}.num_batches_tracked": ()}


def convolution(name: str, outputs: int, inputs: int, *kernel: int, bias: bool = True) -> Shapes:
    return {f"{name}.weight": (outputs, inputs, *kernel), **({f"{name}.bias": (outputs,)} if bias else {})}


def encoder(name: str, batch_norm: bool) -> Shapes:
    shapes = convolution(f"{name}.conv1", 64, 3, 7, 7) | convolution(f"{name}.conv2", 256, 128, 1, 1)
    norms = {"norm1": 64}
    widths = {"layer1.0": (64, 64), "layer1.1": (64, 64), "layer2.0": (64, 96), "layer2.1": (96, 96)}
    widths |= {"layer3.0": (96, 128), "layer3.1": (128, 128)}
    for block, (inputs, outputs) in widths.items():
        shapes |= convolution(f"{name}.{block}.conv1", outputs, inputs, 3, 3)
        shapes |= convolution(f"{name}.{block}.conv2", outputs, outputs, 3, 3)
        norms |= {f"{block}.norm1": outputs, f"{block}.norm2": outputs}
        if inputs != outputs:
            shapes |= convolution(f"{name}.{block}.downsample.0", outputs, inputs, 1, 1)
            norms |= {f"{block}.norm3": outputs, f"{block}.downsample.1": outputs}
    if batch_norm:
        for part, channels in norms.items():
            shapes |= norm(f"{name}.{part}", channels)
    return shapes


def update_block(name: str) -> Shapes:
    shapes: Shapes = {f"{name}.aggregator.gamma": (1,), f"{name}.aggregator.to_v.weight": (128, 128, 1, 1)}
    for part, *size in (
        ("encoder.convc1", 256, 324, 1, 1),
        ("encoder.convc2", 192, 256, 3, 3),
        ("encoder.convf1", 128, 2, 7, 7),
        ("encoder.convf2", 64, 128, 3, 3),
        ("encoder.conv", 126, 256, 3, 3),
        ("flow_head.conv1", 256, 128, 3, 3),
        ("flow_head.conv2", 2, 256, 3, 3),
        ("mask.0", 256, 128, 3, 3),
        ("mask.2", 576, 256, 1, 1),
    ):
        shapes |= convolution(f"{name}.{part}", *size)
    for gate in "zrq":
        shapes |= convolution(f"{name}.gru.conv{gate}1", 128, 512, 1, 5)
        shapes |= convolution(f"{name}.gru.conv{gate}2", 128, 512, 5, 1)
    return shapes


def gma() -> Shapes:
    """The keys and shapes of GMA's own state dict."""
    attention: Shapes = {
        "att.to_qk.weight": (256, 128, 1, 1),
        "att.pos_emb.rel_ind": (160, 160),
        "att.pos_emb.rel_height.weight": (319, 128),
        "att.pos_emb.rel_width.weight": (319, 128),
    }
    return encoder("fnet", False) | encoder("cnet", True) | update_block("update_block") | attention


def semantic(name: str) -> Shapes:
    """The keys and shapes of pytorchcv's resnet50 as the authors number its stages, a stage too many included."""
    shapes = convolution(f"{name}.0.conv.conv", 64, 3, 7, 7, bias=False) | norm(f"{name}.0.conv.bn", 64)
    inputs = 64
    for stage, units, outputs in ((1, 3, 256), (2, 4, 512), (3, 6, 1024)):
        for unit in range(1, units + 1):
            unit_name, width = f"{name}.{stage}.unit{unit}", outputs // 4
            for number, (a, b, kernel) in enumerate(
                [(width, inputs, 1), (width, width, 3), (outputs, width, 1)], start=1
            ):
                shapes |= convolution(f"{unit_name}.body.conv{number}.conv", a, b, kernel, kernel, bias=False)
                shapes |= norm(f"{unit_name}.body.conv{number}.bn", a)
            if inputs != outputs:
                shapes |= convolution(f"{unit_name}.identity_conv.conv", outputs, inputs, 1, 1, bias=False)
                shapes |= norm(f"{unit_name}.identity_conv.bn", outputs)
            inputs = outputs
    return shapes


def official() -> Shapes:
    """The keys and shapes of the authors' state dict."""
    fusion = convolution("change_dim", 256, 512, 1, 1)
    fusion |= convolution("res1.conv1", 256, 512, 3, 3, bias=False) | norm("res1.bn1", 256)
    fusion |= convolution("res1.conv2", 256, 256, 3, 3, bias=False) | norm("res1.bn2", 256)
    fusion |= convolution("res1.adjustment.0", 256, 512, 1, 1, bias=False) | norm("res1.adjustment.1", 256)
    return gma() | update_block("update_block_head") | fusion | semantic("dad_encoder.model")


def drawn(shapes: Shapes, seed: int = 0) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {key: torch.rand(shape, generator=generator) * 0.1 for key, shape in shapes.items()}


@pytest.fixture
def network() -> DecFlow:
    return DecFlow(PaperConfig(semantic="dad3d", semantic_input="symmetric"))


def test_every_key_of_the_authors_weights_is_accounted_for(network: DecFlow) -> None:
    theirs = drawn(official())
    report = load_official(network, {f"module.{key}": value for key, value in theirs.items()})
    assert set(report.loaded) | set(report.ignored) == set(theirs)
    assert not set(report.loaded) & set(report.ignored)
    assert report.kept == ()
    for key in report.ignored:
        assert re.match(r"att\.pos_emb|cnet\.layer[23]\.0\.norm3|dad_encoder\.model\.3\.", key), key
    filled = [name for names in report.loaded.values() for name in names]
    assert set(filled) == set(network.state_dict())


def test_values_arrive_where_they_belong(network: DecFlow) -> None:
    theirs = drawn(official())
    load_official(network, theirs)
    ours = network.state_dict()
    for a, b in (
        ("fnet.conv1.weight", "feature_encoder.stem.weight"),
        ("fnet.layer3.0.downsample.0.bias", "feature_encoder.blocks.4.shortcut.0.bias"),
        ("cnet.norm1.running_var", "context_encoder.norm.running_var"),
        ("cnet.layer2.1.norm2.weight", "context_encoder.blocks.3.norm2.weight"),
        ("update_block.encoder.convc1.weight", "facial_decoder.motion.correlation1.weight"),
        ("update_block_head.encoder.convc1.weight", "head_decoder.motion.correlation1.weight"),
        ("update_block_head.aggregator.gamma", "head_decoder.aggregator.gamma"),
        ("update_block.mask.2.bias", "facial_decoder.mask_head.2.bias"),
        ("att.to_qk.weight", "attention.query_key.weight"),
        ("change_dim.bias", "fusion.bridge.bias"),
        ("res1.adjustment.1.running_mean", "fusion.shortcut.1.running_mean"),
        ("dad_encoder.model.0.conv.bn.bias", "semantic.norm.bias"),
        ("dad_encoder.model.2.unit1.identity_conv.conv.weight", "semantic.blocks.3.shortcut.0.weight"),
        ("dad_encoder.model.2.unit4.body.conv3.bn.weight", "semantic.blocks.6.norm3.weight"),
    ):
        assert torch.equal(ours[b], theirs[a]), a
    z, r, q = (theirs[f"update_block_head.gru.conv{gate}2.weight"] for gate in "zrq")
    assert torch.equal(ours["head_decoder.vertical.gates.weight"][:128, :128], z[:, :128])
    assert torch.equal(ours["head_decoder.vertical.gates.weight"][128:, 128:], r[:, 256:])
    assert torch.equal(ours["head_decoder.vertical.candidate.weight"][:, 128:], q[:, 256:])
    assert torch.equal(ours["head_decoder.vertical.context.weight"][256:], q[:, 128:256])


def test_gma_fills_both_decoders_and_leaves_the_fusion_block() -> None:
    network = DecFlow(PaperConfig(semantic="dad3d"))
    before = {key: value.clone() for key, value in network.state_dict().items()}
    theirs = drawn(gma())
    report = load_gma(network, theirs)
    assert set(report.loaded) | set(report.ignored) == set(theirs)
    assert {key.split(".")[0] for key in report.kept} == {"fusion", "semantic"}
    ours = network.state_dict()
    assert all(torch.equal(ours[key], before[key]) for key in report.kept)
    for key in network.facial_decoder.state_dict():
        assert torch.equal(ours[f"facial_decoder.{key}"], ours[f"head_decoder.{key}"])
    assert torch.equal(ours["head_decoder.flow_head.0.weight"], theirs["update_block.flow_head.conv1.weight"])


def test_as_in_the_released_code_the_head_decoder_may_stay_as_it_was_drawn() -> None:
    network = DecFlow(PaperConfig(semantic="none"))
    before = {key: value.clone() for key, value in network.head_decoder.state_dict().items()}
    theirs = drawn(gma())
    report = load_gma(network, theirs, head=False)
    assert {key.split(".")[0] for key in report.kept} == {"head_decoder"}
    assert all(torch.equal(network.head_decoder.state_dict()[key], before[key]) for key in before)
    facial = network.state_dict()["facial_decoder.flow_head.0.weight"]
    assert torch.equal(facial, theirs["update_block.flow_head.conv1.weight"])


def test_is_official() -> None:
    assert is_official(drawn(update_block("update_block_head")))
    assert is_official({"module.update_block_head.aggregator.gamma": torch.zeros(1)})
    assert not is_official(drawn(update_block("update_block")))


def test_strange_missing_and_misshapen_keys_are_refused_and_change_nothing(network: DecFlow) -> None:
    before = {key: value.clone() for key, value in network.state_dict().items()}
    whole = official()
    lacking = drawn({key: shape for key, shape in whole.items() if key != "res1.bn1.weight"})
    with pytest.raises(MethodError, match=r"here\.pth: weights of another network: missing fusion\.norm1\.weight$"):
        load_official(network, lacking, "here.pth")
    with pytest.raises(MethodError, match=r"unknown fnet\.layer4\.0\.conv1\.weight$"):
        load_official(network, drawn(whole | {"fnet.layer4.0.conv1.weight": (1,)}))
    with pytest.raises(MethodError, match=r"lacks r\.weight"):
        load_official(network, drawn({k: s for k, s in whole.items() if k != "update_block.gru.convr1.weight"}))
    with pytest.raises(MethodError, match=r"fusion\.bridge\.bias is \(255,\), expected \(256,\)"):
        load_official(network, drawn(whole | {"change_dim.bias": (255,)}))
    with pytest.raises(MethodError, match=r"weights of \(128, 128, 1, 5\)"):
        load_official(network, drawn(whole | {"update_block.gru.convz1.weight": (128, 128, 1, 5)}))
    damaged = drawn(whole)
    damaged["fnet.conv1.bias"][3] = float("inf")
    with pytest.raises(MethodError, match=r"feature_encoder\.stem\.bias has values that are not finite"):
        load_official(network, damaged)
    with pytest.raises(MethodError, match=r"missing semantic\.stem\.weight, .* and \d+ more"):
        load_official(network, drawn(gma()))
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


def test_the_authors_weights_need_their_semantic_encoder() -> None:
    with pytest.raises(MethodError, match="need the semantic encoder 'dad3d'"):
        load_official(DecFlow(PaperConfig(semantic="none")), drawn(official()))
