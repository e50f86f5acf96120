"""mmflow's networks: built from its configs, fed as those say, with the user's weights."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from ffbench.errors import MethodError, UsageError
from ffbench.method import Method
from ffbench.methods.mmflow import configs
from ffbench.methods.mmflow.network import prepare, restore
from ffbench.registry import load_method, method_entry

RAFT = "raft_8x2_100k_mixed_368x768"
GMA = "gma_8x2_120k_mixed_368x768"
PWC = "pwcnet_ft_4x1_300k_sintel_384x768"
LITE = "liteflownet_pre_M6S6_8x1_flyingchairs_320x448"
LITE2 = "liteflownet2_ft_4x1_600k_sintel_kitti_320x768"
FLOWNET2 = "flownet2_8x1_sfine_flyingthings3d_subset_384x768"
IRR_RGB = "irrpwc_8x1_sshort_flyingchairsocc_384x448"
needs_mmflow = pytest.mark.skipif(find_spec("mmflow") is None, reason="the extra mmflow is not installed")


def untrained(name: str, **options: Any) -> Method:
    return load_method(f"mmflow/{name}", weights="random", device="cpu", **options)


def pair(height: int, width: int, batch: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    images = torch.rand(2, batch, 3, height, width, generator=torch.Generator().manual_seed(1))
    return images[0], images[1]


def test_without_mmflow_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(configs, "distribution", missing)
    variants = method_entry("mmflow").variants
    assert variants is not None
    for call in (variants, lambda: untrained(RAFT)):
        with pytest.raises(MethodError, match=r"mmflow is not installed; `pip install ffbench\[mmflow\]`"):
            call()


@needs_mmflow
def test_the_configs_of_the_package_are_the_members() -> None:
    variants = method_entry("mmflow").variants
    assert variants is not None
    names = variants()
    assert {RAFT, GMA, PWC, LITE, LITE2, FLOWNET2, IRR_RGB} <= set(names)
    assert len(names) == 63
    assert not any(name.endswith("_test") for name in names)


@needs_mmflow
@pytest.mark.slow
def test_training_and_testing_normalise_alike_in_every_config() -> None:
    for name in configs.config_names():
        config = configs.read_config(name)
        rule = configs.input_rule(config)
        steps = [step for step in _steps(config.data.to_dict()) if step.get("type") == "Normalize"]
        assert len(steps) >= 2
        for step in steps:
            assert (step["mean"], step["std"], step["to_rgb"]) == (list(rule.mean), list(rule.std), rule.rgb), name


def _steps(node: Any) -> list[dict[str, Any]]:
    """Every dictionary in a nested config."""
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list | tuple) else ()
    below = [step for child in children for step in _steps(child)]
    return [node, *below] if isinstance(node, dict) else below


@needs_mmflow
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (RAFT, configs.InputRule((127.5,) * 3, (127.5,) * 3, False, 8, "InputPad")),
        (PWC, configs.InputRule((0.0,) * 3, (255.0,) * 3, False, 64, "InputResize")),
        (LITE2, configs.InputRule((0.0,) * 3, (255.0,) * 3, False, 64, "InputResize")),
        (IRR_RGB, configs.InputRule((0.0,) * 3, (255.0,) * 3, True, 64, "InputResize")),
    ],
)
def test_the_rule_for_the_input_is_the_configs(name: str, expected: configs.InputRule) -> None:
    assert configs.input_rule(configs.read_config(name)) == expected


@needs_mmflow
@pytest.mark.parametrize("name", [RAFT, PWC, IRR_RGB])
@pytest.mark.parametrize("size", [(128, 192), (131, 150), (200, 129)])
def test_images_are_prepared_as_mmflows_own_pipeline_does(name: str, size: tuple[int, int]) -> None:
    """mmflow reads an image file as BGR in 0..255 and runs the steps of the config's test pipeline."""
    rule = configs.input_rule(configs.read_config(name))
    from mmflow.datasets import pipelines

    coarse = np.random.default_rng(2).integers(0, 256, (9, 11, 3)).astype(np.float32)
    image = cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_LINEAR).astype(np.uint8)
    fit = getattr(pipelines, rule.fit)(exponent=int(np.log2(rule.multiple)))
    normalize = pipelines.Normalize(rule.mean, rule.std, rule.rgb)
    theirs = normalize(fit({"img1": image[..., ::-1].copy(), "img_fields": ["img1"]}))["img1"]
    ours = prepare(torch.from_numpy(image).permute(2, 0, 1)[None] / 255, rule)[0].permute(1, 2, 0).numpy()
    # They resize in whole grey values, which costs up to one.
    tolerance = 1 / rule.std[0] if rule.fit == "InputResize" else 1e-6
    np.testing.assert_allclose(ours, theirs, atol=tolerance)


@pytest.mark.parametrize("fit", ["InputPad", "InputResize"])
@pytest.mark.parametrize("size", [(131, 150), (64, 64), (9, 7)])
def test_a_flow_of_prepared_images_comes_back_in_the_pixels_of_the_images(fit: Any, size: tuple[int, int]) -> None:
    rule = configs.InputRule((0.0,) * 3, (255.0,) * 3, False, 64, fit)
    new = prepare(torch.zeros(1, 3, *size), rule).shape[2:]
    scale = torch.tensor([new[1] / size[1], new[0] / size[0]]) if fit == "InputResize" else torch.ones(2)
    flow = (torch.tensor([3.0, -2.0]) * scale)[None, :, None, None].expand(1, 2, *new)
    back = restore(flow, *size, rule)
    assert torch.allclose(back, torch.tensor([3.0, -2.0])[None, :, None, None].expand(1, 2, *size), atol=1e-5)


@needs_mmflow
@pytest.mark.parametrize(
    ("name", "options"),
    [
        (LITE, {}),
        (PWC, {}),
        (RAFT, {"iterations": 1}),
        pytest.param(GMA, {"iterations": 1}, marks=pytest.mark.slow),
        pytest.param(LITE2, {}, marks=pytest.mark.slow),
        pytest.param(FLOWNET2, {}, marks=pytest.mark.slow),
        pytest.param(IRR_RGB, {}, marks=pytest.mark.slow),
        pytest.param("flownetc_8x1_slong_flyingchairs_384x448", {}, marks=pytest.mark.slow),
    ],
)
def test_a_network_runs_at_odd_sizes_and_heeds_the_order_of_channels(name: str, options: dict[str, int]) -> None:
    method = untrained(name, **options)
    for size in ((131, 97), (9, 7)):
        image1, image2 = pair(*size, batch=2)
        flow = method.estimate(image1, image2).facial
        assert flow.shape == (2, 2, *size)
        assert (flow - method.estimate(image1.flip(1), image2.flip(1)).facial).abs().max() > 1e-4


@needs_mmflow
@pytest.mark.parametrize(("name", "expected"), [(PWC, [0.0, 0.5, 1.0]), (RAFT, [-1.0, 0.0, 1.0])])
def test_the_network_sees_blue_first(name: str, expected: list[float]) -> None:
    method = untrained(name)
    seen: list[torch.Tensor] = []
    network: torch.nn.Module = method._network  # type: ignore[attr-defined]
    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d) and module.in_channels == 3:
            module.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    image = torch.tensor([1.0, 0.5, 0.0])[None, :, None, None].expand(1, 3, 128, 128)
    method.estimate(image, image)
    assert seen[0][0, :, 64, 64].tolist() == pytest.approx(expected, abs=1e-5)


@needs_mmflow
def test_iterations_reach_raft_and_are_refused_elsewhere() -> None:
    cards = [untrained(RAFT, iterations=number).card for number in (2, None)]
    assert [card.iterations for card in cards] == [2, 32]
    flows = [untrained(RAFT, iterations=number).estimate(*pair(128, 128)).facial for number in (1, 2)]
    assert (flows[0] - flows[1]).abs().max() > 1e-3
    with pytest.raises(MethodError, match="is not recurrent and does not take --iterations"):
        untrained(PWC, iterations=2)


def _checkpoint(path: Path) -> dict[str, torch.Tensor]:
    """Save parameters other than those of seed 0 as mmcv did under numpy 1, with numpy's objects in `meta`."""
    state = {key: value + 1 for key, value in untrained(LITE)._network.state_dict().items()}  # type: ignore[attr-defined]
    meta = {"epoch": np.int64(3), "lr": np.float64(0.5), "CLASSES": np.arange(3), "config": "model = dict()"}
    # The old format keeps names as plain text, so that those of numpy 1 can be put in.
    torch.save({"meta": meta, "state_dict": state}, path, _use_new_zipfile_serialization=False)
    path.write_bytes(path.read_bytes().replace(b"numpy._core.", b"numpy.core."))
    assert b"numpy.core.multiarray\nscalar" in path.read_bytes()
    return state


@needs_mmflow
def test_a_checkpoint_with_numpy_objects_is_read(tmp_path: Path) -> None:
    state = _checkpoint(tmp_path / "lite.pth")
    method = load_method(f"mmflow/{LITE}", weights=tmp_path / "lite.pth")
    loaded: dict[str, torch.Tensor] = method._network.state_dict()  # type: ignore[attr-defined]
    assert all(torch.equal(value, state[key]) for key, value in loaded.items())
    assert method.card.weights is not None
    assert (method.card.weights.name, method.card.weights.random) == ("lite.pth", False)


@needs_mmflow
def test_a_checkpoint_of_another_network_is_refused(tmp_path: Path) -> None:
    _checkpoint(tmp_path / "lite.pth")
    with pytest.raises(MethodError, match=r"lite\.pth: not weights of pwcnet_ft.*: \d+ missing"):
        load_method(f"mmflow/{PWC}", weights=tmp_path / "lite.pth")


@needs_mmflow
@pytest.mark.parametrize(
    ("name", "options", "error", "message"),
    [
        (PWC, {}, MethodError, r"give --weights FILE \(OpenMMLab published https://.*/pwcnet_ft_4x1_300k_sintel"),
        (PWC, {"weights": "none.pth"}, MethodError, r"none\.pth: no such weights file"),
        (f"{PWC}:sintel", {"weights": "random"}, UsageError, "no named checkpoints"),
        (PWC, {"weights": "random", "precision": "bf16"}, UsageError, "fp32 only"),
        ("raft_8x2_100k_mixed", {"weights": "random"}, UsageError, f"did you mean '{RAFT}'"),
        ("raft_kitti_test", {"weights": "random"}, UsageError, "mmflow has no config 'raft_kitti_test'"),
    ],
)
def test_wrong_requests(name: str, options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message) as caught:
        load_method(f"mmflow/{name}", **options)
    assert "\n" not in str(caught.value)


@needs_mmflow
def test_maskflownet_says_what_it_lacks() -> None:
    if find_spec("mmcv._ext") is not None:
        pytest.skip("mmcv has its compiled operators here")
    with pytest.raises(MethodError, match="needs mmcv's compiled deformable convolution"):
        untrained("maskflownets_8x1_slong_flyingchairs_384x448")


@needs_mmflow
def test_untrained_networks_are_the_same_each_time() -> None:
    first, second = (untrained(LITE).estimate(*pair(128, 128)).facial for _ in range(2))
    assert torch.equal(first, second)
