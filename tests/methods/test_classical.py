"""Zero and the classical methods: right on a known motion, at any size, and the same every time."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from ffbench.errors import UsageError
from ffbench.registry import load_method

ESTIMATORS = ["dis", "dis_fast", "dis_fine", "dis_ultrafast", "farneback", "tvl1", "ilk"]


def shifted_pair(height: int, width: int, dx: int, dy: int) -> tuple[np.ndarray, np.ndarray]:
    """Two views of one smooth random texture, moved by (dx, dy)."""
    noise = np.random.default_rng(3).random((height + 40, width + 40, 3)).astype(np.float32)
    texture = cv2.GaussianBlur(noise, (0, 0), 2.5)
    texture = ((texture - texture.min()) / np.ptp(texture) * 255).astype(np.uint8)
    return texture[20 : 20 + height, 20 : 20 + width], texture[20 - dy : 20 - dy + height, 20 - dx : 20 - dx + width]


@pytest.mark.parametrize("name", ESTIMATORS)
def test_known_translation(name: str) -> None:
    flow = load_method(name).estimate(*shifted_pair(120, 160, 3, -2)).facial[20:-20, 20:-20]
    assert np.median(np.hypot(flow[..., 0] - 3, flow[..., 1] + 2)) < 0.3


@pytest.mark.parametrize("name", ["zero", *ESTIMATORS])
@pytest.mark.parametrize("size", [(33, 47), (8, 8), (1, 1), (200, 64)])
def test_any_size_comes_out_as_it_went_in(name: str, size: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    assert load_method(name).estimate(image, image).facial.shape == (*size, 2)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_batch_equals_single_and_repeats(name: str) -> None:
    pairs = [shifted_pair(80, 96, dx, 1) for dx in (0, 2)]
    tensors = [torch.stack([torch.from_numpy(pair[side]).permute(2, 0, 1) / 255 for pair in pairs]) for side in (0, 1)]
    method = load_method(name)
    batch = method.estimate(*tensors).facial
    for index, pair in enumerate(pairs):
        np.testing.assert_array_equal(batch[index].permute(1, 2, 0).numpy(), method.estimate(*pair).facial)


def test_channels_matter_as_luminance() -> None:
    """Green weighs five times blue: motion that is only in green is found, swapped channels give another flow."""
    first, second = shifted_pair(96, 96, 2, 0)
    static = shifted_pair(96, 96, 0, 0)[0]
    mixed = [np.stack([static[..., 0], view[..., 1], static[..., 0]], axis=2) for view in (first, second)]
    swapped = [np.stack([view[..., 1], static[..., 0], static[..., 0]], axis=2) for view in (first, second)]
    method = load_method("dis")
    green, red = (np.abs(method.estimate(*views).facial[20:-20, 20:-20, 0]).mean() for views in (mixed, swapped))
    assert green > red + 0.2


def test_zero_is_zero_and_decomposes() -> None:
    first, second = shifted_pair(40, 50, 2, 2)
    flows = load_method("zero").estimate(first, second)
    assert flows.head is not None
    assert not flows.facial.any()
    assert not flows.head.any()


def test_card_names_the_preset() -> None:
    assert load_method("dis").card.options["preset"] == "MEDIUM"
    assert load_method("dis_ultrafast").card.options["preset"] == "ULTRAFAST"


def test_cards_of_tuned_methods_say_what_they_were_chosen_on() -> None:
    for name in ("dis_fine", "tvl1", "ilk"):
        assert load_method(name).card.options["chosen_on"] == "rendered training people"
    assert load_method("dis_fine").card.options["finest_scale"] == 0
    assert "chosen_on" not in load_method("dis").card.options


def test_dis_fine_is_nearer_than_the_preset_at_full_resolution() -> None:
    """Half a pixel of motion: bands of the texture that the preset, which stops at half resolution, blurs."""
    first, second = shifted_pair(240, 320, 1, 0)
    half = [cv2.resize(image, (160, 120), interpolation=cv2.INTER_AREA) for image in (first, second)]
    errors = {}
    for name in ("dis", "dis_fine"):
        flow = load_method(name).estimate(*half).facial[16:-16, 16:-16]
        errors[name] = np.hypot(flow[..., 0] - 0.5, flow[..., 1]).mean()
    assert errors["dis_fine"] < errors["dis"]
    assert errors["dis_fine"] < 0.1


@pytest.mark.parametrize("options", [{"weights": "a.ckpt"}, {"iterations": 3}, {"precision": "bf16"}])
def test_options_of_networks_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="not a network"):
        load_method("dis", **options)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="checkpoint"):
        load_method("dis:best")
