from __future__ import annotations

import numpy as np
import pytest

from ffbench.synth.pairs.preview import CELL, COLUMNS, COVERED, OCCLUDED, REGION_COLORS, _mask, _regions, contact_sheet
from ffbench.synth.pairs.recipe import DatasetRecipe, plan_sequence, render_sequence
from tests.synth.posing_head import PosingHead


@pytest.fixture(scope="module")
def toy() -> PosingHead:
    return PosingHead()


def test_it_has_a_row_for_each_identity_with_the_pair_that_is_written(toy: PosingHead) -> None:
    recipe = DatasetRecipe(size=CELL)
    told: list[tuple[int, int]] = []
    one, two = contact_sheet(recipe, toy, 1), contact_sheet(recipe, toy, 2, lambda *done: told.append(done))
    assert one.shape[1] == two.shape[1] >= len(COLUMNS) * CELL
    assert two.shape[0] - one.shape[0] > CELL
    assert told == [(1, 2), (2, 2)]
    frames = list(render_sequence(recipe, toy, plan_sequence(recipe, toy, 0)))
    # Cells of this size are not scaled: the images stand in the sheet as they are.
    windows = np.lib.stride_tricks.sliding_window_view(one[..., 0], CELL, axis=1)
    for image in (frames[-2].image, frames[-1].image):
        rows = (windows == image[0, :, 0]).all(axis=2)
        assert rows.any()


def test_masks_and_regions_are_colored_by_value(toy: PosingHead) -> None:
    recipe = DatasetRecipe(size=64)
    labels = next(render_sequence(recipe, toy, plan_sequence(recipe, toy, 0))).labels
    assert labels is not None
    mask, regions = _mask(labels), _regions(labels)
    assert (mask[labels.mask & ~labels.occlusion] == 255).all()
    assert (mask[labels.mask & labels.occlusion] == OCCLUDED).all()
    assert (mask[~labels.mask & labels.occlusion] == COVERED).all()
    assert not mask[~labels.mask & ~labels.occlusion].any()
    for region, color in REGION_COLORS.items():
        assert (regions[labels.region == region] == color).all()
    assert len(set(REGION_COLORS.values())) == len(REGION_COLORS)
