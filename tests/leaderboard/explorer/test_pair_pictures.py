"""Pictures of a pair show what is known of it, and say in words what is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ffbench.flow.color import flow_to_color
from ffbench.leaderboard.explorer.pair_pictures import LAYERS, Shown, flow_pictures, layer, shared_scale, true_flows
from ffbench.leaderboard.explorer.two_images import two_images
from ffbench.leaderboard.look import legends
from ffbench.method import Flows
from ffbench.protocol import Annotation, Pair
from ffbench.visual.overlay import FLOW_END, TRUE_END, region_colors
from ffbench.visual.picture import NOT_MEASURED, error_picture

SIZE = (20, 30)
RNG = np.random.default_rng(0)
PAIR = Pair("one", *RNG.integers(0, 256, (2, *SIZE, 3), np.uint8), None)  # type: ignore[call-arg]
FACIAL, HEAD, TRUE, TRUE_HEAD = RNG.normal(0, 3, (4, *SIZE, 2)).astype(np.float32)
MASK = np.zeros(SIZE, bool)
MASK[5:15, 5:25] = True
FLOWS = Flows(FACIAL, HEAD)
FIRST = np.array([[3.0, 4.0], [28.5, 18.5], [100.0, 4.0]])
SECOND = np.array([[9.0, 4.0], [1.0, 1.0], [1.0, 1.0]])
REGIONS = np.full(SIZE, 2, np.uint8)
KNOWN = Annotation(TRUE, TRUE_HEAD, MASK, REGIONS, {1: "eyes", 2: "<b>nose"}, FIRST, SECOND)


def shown(of: str, part: str = "facial", annotation: Annotation = KNOWN) -> Shown:
    found = layer(of, part, PAIR, annotation, FLOWS)  # type: ignore[arg-type]
    assert isinstance(found, Shown)
    return found


@pytest.mark.parametrize(
    ("part", "flow", "truth"),
    [("facial", FACIAL, TRUE), ("head", HEAD, TRUE_HEAD), ("expression", FACIAL - HEAD, TRUE - TRUE_HEAD)],
)
def test_error_is_the_endpoint_error_inside_the_mask(part: str, flow: np.ndarray, truth: np.ndarray) -> None:
    found = shown("error", part)
    error = np.hypot(*np.moveaxis(flow - truth, 2, 0)).astype(np.float32)
    full = float(np.quantile(error[MASK], 0.99))
    expected = error_picture(error, MASK, full).astype(int)
    assert np.abs(found.picture.astype(int) - expected).max() <= 6  # the last digits of a norm choose the colour
    assert (found.picture[~MASK] == NOT_MEASURED).all()
    assert f"mean {error[MASK].mean():.3g} px" in found.legend


def test_error_without_a_true_flow_is_photometric() -> None:
    found = shown("error", annotation=Annotation())
    assert "No true flow is known" in found.words
    assert "of 255" in found.legend


def test_what_is_not_known_is_said_in_words() -> None:
    plain = Flows(FACIAL)
    assert "no head flow" in str(layer("error", "head", PAIR, KNOWN, plain))
    assert "no expression flow" in str(layer("arrows", "expression", PAIR, KNOWN, plain))
    assert "is not known here" in str(layer("error", "head", PAIR, replace(KNOWN, head=None), FLOWS))
    assert "which region" in str(layer("regions", "facial", PAIR, Annotation(), FLOWS))
    assert "no landmarks" in str(layer("landmarks", "facial", PAIR, Annotation(), FLOWS))


def test_keys_name_what_is_there_and_escape_it() -> None:
    regions = shown("regions")
    assert "&lt;b&gt;nose" in regions.legend
    assert "eyes" not in regions.legend
    assert f"rgb{region_colors(KNOWN.region_names)[2]}" in regions.legend
    assert f"rgb{TRUE_END}" in shown("landmarks").legend
    one_frame = shown("landmarks", annotation=replace(KNOWN, second=None)).legend
    assert f"rgb{TRUE_END}" not in one_frame
    assert f"rgb{FLOW_END}" in one_frame


def test_arrows_are_drawn_inside_the_mask_alone() -> None:
    everywhere = shown("arrows", annotation=replace(KNOWN, mask=None)).picture
    nowhere = shown("arrows", annotation=replace(KNOWN, mask=np.zeros(SIZE, bool))).picture
    inside = shown("arrows").picture
    assert everywhere.shape == inside.shape
    assert (nowhere != inside).any()
    assert (inside != everywhere).any()


def test_one_scale_serves_all_flows_and_the_mask_says_what_counts() -> None:
    wild = FACIAL.copy()
    wild[0, 0] = 1e6
    quiet = shared_scale([Flows(wild), Flows(TRUE)], MASK)
    assert quiet == shared_scale([Flows(FACIAL), Flows(TRUE)], MASK) < 100
    pictures = flow_pictures(FLOWS, quiet)
    assert list(pictures) == ["facial", "head", "expression"]
    np.testing.assert_array_equal(pictures["head"][1:-1, 1:-1], flow_to_color(HEAD, quiet)[1:-1, 1:-1])
    assert list(flow_pictures(Flows(FACIAL), quiet)) == ["facial"]


def test_nothing_known_at_all_still_has_pictures() -> None:
    still = Flows(np.zeros((*SIZE, 2), np.float32), np.zeros((*SIZE, 2), np.float32))
    empty = replace(KNOWN, mask=np.zeros(SIZE, bool), facial=np.full((*SIZE, 2), np.nan, np.float32))
    for of in LAYERS:
        for part in ("facial", "head"):
            assert layer(of, part, PAIR, empty, still)  # type: ignore[arg-type]
    assert shared_scale([still], empty.mask) > 0
    assert true_flows(Annotation()) is None


def test_the_page_of_two_images_holds_both_and_loads_nothing() -> None:
    page = two_images(PAIR.image1, PAIR.image2, dark=True)
    assert legends.data_uri(PAIR.image1) in page
    assert legends.data_uri(PAIR.image2) in page
    assert "http" not in page
    assert "@" not in page.replace("@media", "")
