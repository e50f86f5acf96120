import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ffbench.metrics.dense.buckets import BUCKET_METRICS, BUCKETS, METRIC, MIN_MOTION, bucket_terms, summarize_buckets
from ffbench.metrics.dense.gradients import gradient_noise_term
from ffbench.protocol import PairScore, Term
from tests.reference import buckets as reference

NAMES = {1: "lips", 2: "eyes", 200: "nose"}
BOUNDS = BUCKET_METRICS[METRIC]


def scene(seed, size=(23, 31), motion=1.0, error=0.3):
    rng = np.random.default_rng(seed)
    truth = (motion * rng.standard_t(2, (*size, 2))).astype(np.float32)
    truth[::7, ::5] = 1e10
    truth[1::4] *= np.float32(0.02)
    prediction = truth + rng.normal(0, error, (*size, 2)).astype(np.float32)
    return prediction, truth, rng.random(size) < 0.8, rng.choice(np.uint8([0, 1, 2, 7, 200]), size)


def pair(seed, key, prediction=None, **labels):
    flow, truth, mask, regions = scene(seed)
    return PairScore(
        key, bucket_terms(flow if prediction is None else prediction(truth), truth, mask, regions, NAMES), labels
    )


def value(scores, group="all", **options):
    found = [s for s in summarize_buckets(scores, bounds=BOUNDS, **options) if s.group == group]
    return found[0] if found else None


@pytest.mark.parametrize("motion", [0.05, 0.4, 3.0])
def test_cells_agree_with_the_reference(motion):
    flow, truth, mask, regions = scene(0, motion=motion)
    expected = reference.cells(flow, truth, mask, regions, NAMES)
    terms = bucket_terms(flow, truth, mask, regions, NAMES)
    assert set(terms) == {"static_epe", *(f"{METRIC}/{k[0]} {BUCKETS[k[1]]}" for k in expected if k != "static")}
    assert (terms["static_epe"].sum, terms["static_epe"].count) == pytest.approx(expected.pop("static"), rel=1e-9)
    for (name, bucket), (error, moved) in expected.items():
        term = terms[f"{METRIC}/{name} {BUCKETS[bucket]}"]
        assert (term.sum, term.count) == pytest.approx((100 * error, moved), rel=1e-9)


def test_the_number_agrees_with_the_reference():
    scenes = [scene(seed) for seed in range(4)]
    scores = [PairScore(str(n), bucket_terms(*scene, NAMES)) for n, scene in enumerate(scenes)]  # type: ignore[call-arg]
    expected = reference.normalized([reference.cells(*scene, NAMES) for scene in scenes], MIN_MOTION)  # type: ignore[call-arg]
    everything = reference.normalized([reference.cells(*scene, NAMES) for scene in scenes], 0.0)  # type: ignore[call-arg]
    assert value(scores).value == pytest.approx(expected, rel=1e-9)
    assert expected != pytest.approx(everything)  # control: some cells hold too little motion to count
    lips = [{k: v for k, v in reference.cells(*scene, NAMES).items() if k[0] == "lips"} for scene in scenes]  # type: ignore[call-arg]
    assert value(scores, "lips").value == pytest.approx(reference.normalized(lips, MIN_MOTION), rel=1e-9)


def test_zero_flow_describes_nothing_and_the_truth_all():
    zero = [pair(n, str(n), np.zeros_like) for n in range(3)]
    assert [score.value for score in summarize_buckets(zero)] == pytest.approx([100.0] * len(summarize_buckets(zero)))
    assert value([pair(n, str(n), np.copy) for n in range(3)]).value == 0
    # The plain error of zero flow would be small: nearly all of the face stands still.
    still = pair(0, "0", np.zeros_like).terms["static_epe"]
    assert still.sum / still.count < 0.1


@settings(max_examples=30, deadline=None)
@given(st.floats(0, 3))
def test_a_share_of_the_motion_is_that_share(share):
    scores = [pair(n, str(n), lambda truth: truth * np.float32(share)) for n in range(2)]
    assert value(scores).value == pytest.approx(100 * abs(1 - share), abs=1e-3)


@settings(max_examples=30, deadline=None)
@given(st.permutations(range(6)))
def test_blind_to_the_order_of_pairs(order):
    scores = [pair(n, str(n), clip=str(n % 2)) for n in range(6)]
    assert summarize_buckets([scores[n] for n in order], group_by=["clip"]) == summarize_buckets(
        scores, group_by=["clip"]
    )


def test_groups_by_class_speed_and_label_with_intervals():
    scores = [pair(n, str(n), clip=str(n % 2), unit=str(n // 2)) for n in range(12)]
    found = summarize_buckets(scores, bounds=BOUNDS, group_by=["clip"], resample_by="unit")
    groups = [score.group for score in found]
    assert len(set(groups)) == len(groups)
    assert {"all", "lips", "eyes", "nose", "clip=0", "clip=1", *BUCKETS[2:]} <= set(groups)
    whole = found[0]
    assert (whole.pairs, whole.units) == (12, 6)
    assert 0 < whole.ci_low < whole.value < whole.ci_high
    classes = [score.value for score in found if score.group in NAMES.values()]
    assert whole.value == pytest.approx(np.mean(classes))


def test_without_regions_there_is_one_class_and_without_motion_no_score():
    flow, truth, mask, _ = scene(1)
    names = {name.partition("/")[2].split(" ")[0] for name in bucket_terms(flow, truth, mask) if "/" in name}
    assert names == {"face"}
    still = PairScore("a", bucket_terms(flow, np.zeros_like(truth), mask))
    assert summarize_buckets([still]) == []
    with pytest.raises(ValueError, match="do not fit"):
        bucket_terms(flow, truth[:-1], mask)


@pytest.mark.parametrize("seed", range(3))
def test_gradient_noise_agrees_with_the_reference(seed):
    flow, truth, mask, _ = scene(seed, motion=0.03, error=0.2)
    total, count = reference.gradient_noise(flow, truth, mask)
    term = gradient_noise_term(flow, truth, mask)
    assert 0 < count < mask.sum()
    assert (term.sum, term.count) == (pytest.approx(total, rel=1e-9), count)


@settings(max_examples=30, deadline=None)
@given(st.tuples(st.floats(-9, 9), st.floats(-9, 9)), st.floats(0.01, 2))
def test_a_constant_error_has_no_gradient_and_noise_counts_in_proportion(shift, factor):
    rng = np.random.default_rng(0)
    truth, mask = np.zeros((9, 9, 2), np.float32), np.ones((9, 9), bool)
    noise = rng.normal(0, 1, truth.shape).astype(np.float32)
    assert gradient_noise_term(truth + np.float32(shift), truth, mask) == Term(0, 64)
    scaled = gradient_noise_term(np.float32(factor) * noise, truth, mask)
    assert scaled.sum == pytest.approx(factor * gradient_noise_term(noise, truth, mask).sum, rel=1e-5)


def test_an_edge_of_the_true_flow_is_not_smooth_skin():
    truth = np.zeros((4, 6, 2), np.float32)
    truth[:, 3:] = 2
    assert gradient_noise_term(np.zeros_like(truth), truth, np.ones((4, 6), bool)) == Term(0, 12)
    with pytest.raises(ValueError, match="do not fit"):
        gradient_noise_term(truth, truth, np.ones((6, 4), bool))
