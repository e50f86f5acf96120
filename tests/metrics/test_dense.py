import math
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ffbench.errors import DataError
from ffbench.metrics.dense.errors import DENSE_METRICS, MAGNITUDES, dense_terms, per_image
from ffbench.metrics.statistics.intervals import ratio_of_sums
from ffbench.protocol import Term
from tests.reference import dense as reference

REGIONS = {1: "lips", 2: "eyes", 200: "nose"}


def scene(seed, height=37, width=53, motion=3.0, error=1.0, share=0.7):
    rng = np.random.default_rng(seed)
    truth = rng.normal(0, motion, (height, width, 2)).astype(np.float32)
    prediction = truth + rng.standard_t(2, (height, width, 2)).astype(np.float32) * np.float32(error)
    return {
        "prediction": prediction,
        "truth": truth,
        "mask": rng.random((height, width)) < share,
        "regions": rng.choice(np.uint8([0, 1, 2, 7, 200]), (height, width)),
        "region_names": REGIONS,
        "occluded": rng.random((height, width)) < 0.2,
    }


def hold_against_reference(case, relative=1e-9):
    terms, expected = dense_terms(**case), reference.dense_terms(**case)
    assert set(terms) == set(expected)
    for name, (total, count) in expected.items():
        assert terms[name].count == count, name
        assert terms[name].sum == pytest.approx(total, rel=relative, abs=1e-12), name


@pytest.mark.parametrize("motion", [1e-4, 0.3, 3.0, 300.0])
@pytest.mark.parametrize("error", [1e-5, 0.1, 2.0, 100.0])
def test_every_measure_agrees_with_the_reference(motion, error):
    hold_against_reference(scene(0, motion=motion, error=error))


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (3, 511), (2, 512), (2, 513), (5, 1100)])
def test_blocks_of_every_length_agree_with_the_reference(size):
    hold_against_reference(scene(1, *size, share=0.9))


def test_opposite_flows_agree_with_the_reference():
    # Beyond a right angle between the vectors atan2 takes its other branches.
    case = scene(2)
    case["prediction"] = -case["truth"] * np.float32(5)
    hold_against_reference(case)


def test_errors_on_the_thresholds_agree_with_the_reference():
    case = scene(3, 9, 33)
    steps = np.arange(9 * 33, dtype=np.float32).reshape(9, 33) / 4
    case["truth"] = np.stack([steps[::-1], np.zeros_like(steps)], axis=2)
    case["prediction"] = case["truth"] + np.stack([np.zeros_like(steps), steps], axis=2)
    hold_against_reference(case)


def test_unknown_truth_does_not_count():
    case = scene(4)
    case["truth"][::3, ::2] = 1e10
    case["truth"][1::3, ::4, 1] = -2e9
    case["prediction"][::3, ::2] = np.nan
    hold_against_reference(case)


def test_known_numbers():
    truth = np.zeros((1, 4, 2), np.float32)
    prediction = np.float32([[[0, 0], [0.5, 0], [3, 4], [0, 2]]])
    terms = dense_terms(prediction, truth)
    assert terms["epe"] == Term(7.5, 4)
    assert terms["outliers_1px"] == Term(200, 4)
    assert terms["outliers_3px"] == Term(100, 4)
    assert terms["outliers_5px"] == Term(0, 4)  # 5 px off is not more than 5 px off
    assert terms["fl"] == Term(100, 4)
    degrees = math.degrees(math.atan(0.5) + math.atan(5) + math.atan(2))
    assert terms["angular"].sum == pytest.approx(degrees, rel=1e-14)
    # Thresholds of 0.05, 0.10, ... 5 px: 0.5 px passes from the 10th on, 2 px from the 40th, 5 px only the 100th.
    weights = [1 - (i - 1) / 100 for i in range(1, 101)]
    passed = sum(weights) + sum(weights[9:]) + sum(weights[39:]) + weights[99]
    assert terms["wauc"].sum == pytest.approx(100 * passed / sum(weights), rel=1e-14)
    assert terms["epe/0-0.5 px"] == Term(7.5, 4)


def test_fl_wants_both_three_pixels_and_five_percent():
    truth = np.zeros((1, 3, 2), np.float32)
    truth[0, :, 0] = [200, 200, 1]
    prediction = truth + np.float32([[[0, 4], [0, 11], [0, 2.5]]])
    assert dense_terms(prediction, truth)["fl"] == Term(100, 3)


@pytest.mark.parametrize(
    ("motion", "group"),
    [(0.0, 0), (0.49, 0), (0.5, 1), (1.0, 2), (1.99, 2), (2.0, 3), (5.0, 4), (10.0, 5), (4000.0, 5)],
)
def test_magnitude_groups_take_their_lower_bound(motion, group):
    truth = np.zeros((1, 1, 2), np.float32)
    truth[..., 1] = -motion
    terms = dense_terms(truth, truth)
    assert [name for name in terms if "/" in name] == [f"epe/{MAGNITUDES[group]}"]


def test_layout_and_type_do_not_matter():
    case = scene(5)
    planar = {
        **case,
        "prediction": np.moveaxis(np.ascontiguousarray(np.moveaxis(case["prediction"], 2, 0)), 0, 2),
        "mask": np.asfortranarray(case["mask"]),
    }
    case["truth"].flags.writeable = False
    assert dense_terms(**planar) == dense_terms(**case)


def test_without_maps_all_pixels_count_and_no_groups_of_them_appear():
    case = scene(6)
    terms = dense_terms(case["prediction"], case["truth"])
    assert terms["epe"].count == 37 * 53
    assert {name.partition("/")[2] for name in terms if "/" in name} <= set(MAGNITUDES)


def test_empty_mask_counts_nothing():
    case = scene(7)
    terms = dense_terms(**{**case, "mask": np.zeros((37, 53), bool)})
    assert terms == dict.fromkeys(DENSE_METRICS, Term(0.0, 0.0))
    assert per_image(terms) == terms


def test_per_image_weighs_images_alike_but_not_their_parts():
    first, second = (per_image(dense_terms(**scene(seed, share=share))) for seed, share in ((8, 0.1), (9, 0.9)))
    for terms, seed, share in ((first, 8, 0.1), (second, 9, 0.9)):
        full = dense_terms(**scene(seed, share=share))
        assert terms["epe"] == Term(full["epe"].sum / full["epe"].count, 1.0)
        assert terms["epe/lips"] == full["epe/lips"]
    assert ratio_of_sums([first["epe"].sum, second["epe"].sum], [1, 1]) == pytest.approx(
        (first["epe"].sum + second["epe"].sum) / 2
    )


@pytest.mark.parametrize(
    ("name", "word", "value"),
    [("prediction", "predicted", np.nan), ("prediction", "predicted", np.inf), ("truth", "true", np.nan)],
)
def test_values_that_are_not_finite_are_named(name, word, value):
    case = scene(10, share=1.0)
    case[name][4, 6, 1] = value
    with pytest.raises(DataError, match=rf"the {word} flow is not finite at 1 pixels \(first at row 4, column 6\)"):
        dense_terms(**case)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("prediction", np.zeros((3, 4, 2), np.float32)),
        ("prediction", np.zeros((37, 53), np.float32)),
        ("mask", np.zeros((53, 37), bool)),
        ("mask", np.zeros((37, 53), np.uint8)),
        ("regions", np.zeros((37, 53), np.int64)),
        ("occluded", np.zeros((37, 53), np.uint8)),
    ],
)
def test_arrays_that_do_not_fit_are_refused(name, value):
    with pytest.raises(ValueError, match=r"expected|prediction is|must be"):
        dense_terms(**{**scene(11), name: value})


flows = hnp.arrays(np.float32, (5, 7, 2), elements=st.floats(-500, 500, width=32))
masks = hnp.arrays(np.bool_, (5, 7))


@settings(max_examples=60, deadline=None)
@given(flows, flows, masks)
def test_zero_if_and_only_if_equal(prediction, truth, mask):
    equal = bool((prediction == truth).all(axis=2)[mask].all())
    terms = dense_terms(prediction, truth, mask)
    assert (terms["epe"].sum == 0) == equal
    if equal:
        assert terms["angular"].sum == 0
        assert terms["wauc"] == Term(100.0 * mask.sum(), mask.sum())
        assert all(terms[name].sum == 0 for name in ("outliers_1px", "outliers_3px", "outliers_5px", "fl"))


@settings(max_examples=60, deadline=None)
@given(flows, flows, masks, hnp.arrays(np.uint8, (5, 7), elements=st.integers(0, 4)), masks)
def test_groups_partition_the_pixels(prediction, truth, mask, regions, occluded):
    names = {value: f"region {value}" for value in range(5)}
    terms = dense_terms(prediction, truth, mask, regions=regions, region_names=names, occluded=occluded)
    for groups in (MAGNITUDES, names.values(), ("visible", "occluded")):
        parts = [terms[f"epe/{name}"] for name in groups if f"epe/{name}" in terms]
        assert sum(part.count for part in parts) == terms["epe"].count == mask.sum()
        assert math.fsum(part.sum for part in parts) == pytest.approx(terms["epe"].sum, rel=1e-12)


@settings(max_examples=60, deadline=None)
@given(flows, flows, masks)
def test_a_mask_and_its_complement_make_the_whole(prediction, truth, mask):
    inside, outside = dense_terms(prediction, truth, mask), dense_terms(prediction, truth, ~mask)
    whole = dense_terms(prediction, truth)
    for name in DENSE_METRICS:
        assert inside[name].count + outside[name].count == whole[name].count
        assert inside[name].sum + outside[name].sum == pytest.approx(whole[name].sum, rel=1e-12, abs=1e-12)


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(12)), st.integers(1, 11))
def test_shards_merge_to_the_same_digits_in_any_order(order, cut):
    scores: list[Mapping[str, Term]] = [dense_terms(**scene(seed, 6, 9)) for seed in range(12)]
    for name in DENSE_METRICS:
        everything = ratio_of_sums([s[name].sum for s in scores], [s[name].count for s in scores])
        shuffled = [scores[index][name] for index in order]
        merged = shuffled[cut:] + shuffled[:cut]
        assert ratio_of_sums([t.sum for t in merged], [t.count for t in merged]) == everything


def test_the_same_digits_from_several_threads():
    from concurrent.futures import ThreadPoolExecutor

    cases = [scene(seed, 64, 600) for seed in range(4)]
    alone = [dense_terms(**case) for case in cases]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda case: dense_terms(**case), cases * 5)) == alone * 5
