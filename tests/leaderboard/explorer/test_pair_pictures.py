"""Pictures of a pair show what is known of it, and say in words what is not."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from ffbench.leaderboard.explorer.pair_pictures import (
    LAYERS,
    Shown,
    layer,
    layers_of,
    parts_of,
    scales,
    true_flows,
)
from ffbench.leaderboard.explorer.two_images import two_images
from ffbench.leaderboard.look import legends
from ffbench.method import Flows
from ffbench.protocol import FLOW_PARTS, Annotation, Pair
from ffbench.visual.overlay import FLOW_END, TRUE_END, region_colors
from ffbench.visual.picture import NOT_MEASURED, error_picture, flow_scale

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
    (found,) = layer(of, part, PAIR, annotation, [FLOWS])  # type: ignore[arg-type]
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
    assert np.abs(found.picture.astype(int) - expected).max() <= 6  # the last digits of a norm choose the color
    assert (found.picture[~MASK] == NOT_MEASURED).all()
    assert f"mean {error[MASK].mean():.3g} px" in found.legend


def test_error_without_a_true_flow_is_photometric() -> None:
    found = shown("error", annotation=Annotation())
    assert "No true flow is known" in found.words
    assert "of 255" in found.legend


def test_what_is_not_known_is_not_offered() -> None:
    plain = Flows(FACIAL)
    assert layers_of(KNOWN) == list(LAYERS)
    assert layers_of(Annotation()) == ["error", "arrows", "warp"]
    assert parts_of("error", KNOWN, [FLOWS]) == parts_of("arrows", Annotation(), [plain, FLOWS]) == list(FLOW_PARTS)
    assert parts_of("error", replace(KNOWN, head=None), [FLOWS]) == ["facial"]
    assert parts_of("arrows", KNOWN, [plain]) == ["facial"]
    assert parts_of("regions", KNOWN, [FLOWS]) == []
    assert "no head flow" in str(layer("error", "head", PAIR, KNOWN, [plain, FLOWS])[0])
    assert "which region" in str(layer("regions", "facial", PAIR, Annotation(), [FLOWS])[0])
    assert "no landmarks" in str(layer("landmarks", "facial", PAIR, Annotation(), [FLOWS])[0])


def test_errors_and_arrows_of_several_flows_are_on_one_scale() -> None:
    worse = Flows(FACIAL * 4, HEAD)
    for of, said in (("error", "px and more"), ("arrows", "arrows are")):
        both = layer(of, "facial", PAIR, KNOWN, [FLOWS, worse])  # type: ignore[arg-type]
        scales_told = [
            re.search(rf"[0-9.]* {said}.*" if of == "error" else rf"{said}.*", one.legend + one.words)  # type: ignore[union-attr]
            for one in both
        ]
        assert len({found.group() for found in scales_told if found}) == 1
    alone = [layer("error", "facial", PAIR, KNOWN, [flows])[0] for flows in (FLOWS, worse)]
    assert alone[0].legend != alone[1].legend  # type: ignore[union-attr]


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


def test_each_part_has_a_scale_of_its_own_and_the_mask_says_what_counts() -> None:
    wild = FACIAL.copy()
    wild[0, 0] = 1e6
    quiet = scales([Flows(wild), Flows(TRUE)], MASK)
    assert quiet == scales([Flows(FACIAL), Flows(TRUE)], MASK)
    assert list(quiet) == ["facial"]
    own, one = scales([FLOWS], MASK), scales([FLOWS], MASK, one=True)
    assert own["head"] == flow_scale(HEAD[MASK])
    assert len(set(own.values())) == 3
    assert set(one.values()) == {flow_scale(FACIAL[MASK], HEAD[MASK], (FACIAL - HEAD)[MASK])}


def test_nothing_known_at_all_still_has_pictures() -> None:
    still = Flows(np.zeros((*SIZE, 2), np.float32), np.zeros((*SIZE, 2), np.float32))
    empty = replace(KNOWN, mask=np.zeros(SIZE, bool), facial=np.full((*SIZE, 2), np.nan, np.float32))
    for of in set(LAYERS) - {"warp"}:
        for part in ("facial", "head"):
            assert all(layer(of, part, PAIR, empty, [still, still]))  # type: ignore[arg-type]
    assert all(full > 0 for full in scales([still], empty.mask).values())
    assert true_flows(Annotation()) is None


def test_the_page_of_two_images_holds_both_and_loads_nothing() -> None:
    page = two_images(PAIR.image1, PAIR.image2, dark=True)
    assert legends.data_uri(PAIR.image1) in page
    assert legends.data_uri(PAIR.image2) in page
    assert "http" not in page
    assert "@" not in page.replace("@media", "")
