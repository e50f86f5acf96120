import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ffbench.metrics.dense.sparsification import REMOVED, SPARSIFICATION_METRICS, sparsification_terms
from ffbench.protocol import Term
from tests.reference import sparsification as reference

errors = st.lists(st.floats(0, 50), min_size=1, max_size=40)
pixels = errors.flatmap(
    lambda found: st.tuples(
        st.just(found),
        st.lists(st.sampled_from([0.0, 0.2, 0.5, 0.500001, 1.0]), min_size=len(found), max_size=len(found)),
    )
)


@settings(max_examples=80, deadline=None)
@given(pixels)
def test_agrees_with_the_reference_with_ties(case):
    error, confidence = case
    terms = sparsification_terms(error, confidence)
    assert terms["ause"].sum == pytest.approx(reference.ause(error, confidence), rel=1e-9, abs=1e-9)
    curve, oracle = reference.curve(error, confidence), reference.oracle(error)
    for percent in REMOVED:
        gone = percent * len(error) // 100
        assert terms[f"sparsification/removed {percent} %"].sum == pytest.approx(curve[gone], rel=1e-9, abs=1e-9)
        assert terms[f"oracle/removed {percent} %"].sum == pytest.approx(oracle[gone], rel=1e-9, abs=1e-9)


def test_agrees_with_the_reference_on_many_pixels():
    rng = np.random.default_rng(0)
    error, confidence = rng.exponential(1, 700), rng.random(700)
    found = sparsification_terms(error, confidence)
    assert found["ause"].sum == pytest.approx(reference.ause(error.tolist(), confidence.tolist()), rel=1e-12)
    assert found["ause"].sum > 0.5  # control: an order that knows nothing is not taken for a good one


@settings(max_examples=60, deadline=None)
@given(errors, st.randoms())
def test_the_true_order_has_no_area_and_no_order_has_less(error, random):
    confidence = [1 / (1 + e) for e in error]
    assert sparsification_terms(error, -np.asarray(error))["ause"].sum == pytest.approx(0, abs=1e-9)
    random.shuffle(confidence)
    assert sparsification_terms(error, confidence)["ause"].sum >= 0


@settings(max_examples=60, deadline=None)
@given(pixels, st.floats(0.01, 100))
def test_any_rising_scale_is_the_same_and_the_area_has_the_unit_of_the_error(case, factor):
    error, confidence = np.asarray(case[0]), np.asarray(case[1])
    found = sparsification_terms(error, confidence)
    assert sparsification_terms(error, np.log(confidence + 1)) == found
    scaled = sparsification_terms(factor * error, confidence)
    assert scaled["ause"].sum == pytest.approx(factor * found["ause"].sum, rel=1e-9, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(pixels, st.randoms())
def test_the_order_of_pixels_does_not_matter(case, random):
    together = list(zip(*case, strict=True))
    random.shuffle(together)
    error, confidence = zip(*together, strict=True)
    assert sparsification_terms(error, confidence)["ause"].sum == pytest.approx(
        sparsification_terms(*case)["ause"].sum, rel=1e-9, abs=1e-9
    )


def test_equal_confidence_is_the_mean_over_all_orders():
    error = [4.0, 2.0, 1.0, 0.0, 0.0]
    rng = np.random.default_rng(1)
    drawn = [sparsification_terms(error, rng.permutation(5))["ause"].sum for _ in range(4000)]
    assert sparsification_terms(error, [0.3] * 5)["ause"].sum == pytest.approx(np.mean(drawn), rel=0.02)


def test_relative_area_is_over_the_mean_error():
    terms = sparsification_terms([1.0, 3.0], [1.0, 0.0])
    assert terms["ause_relative"] == Term(0.0, 2.0)
    terms = sparsification_terms([1.0, 3.0], [0.0, 1.0])
    # S is 2, 3; O is 2, 1.
    assert (terms["ause"], terms["ause_relative"]) == (Term(1.0, 1.0), Term(100.0, 2.0))


def test_no_pixels_count_nothing_and_other_shapes_are_refused():
    assert sparsification_terms([], []) == dict.fromkeys(SPARSIFICATION_METRICS, Term(0.0, 0.0))
    with pytest.raises(ValueError, match="expected two"):
        sparsification_terms([1.0], [0.1, 0.2])
