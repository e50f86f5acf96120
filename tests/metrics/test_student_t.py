"""Student's t, the exact test of McNemar and normal deviates, against SciPy, which the core does without."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import stdtr, stdtrit
from scipy.stats import binomtest

from ffbench.metrics.statistics.paired import mcnemar
from ffbench.metrics.statistics.student_t import t_quantile, two_sided_p

FREEDOMS = st.floats(0.3, 1e5)


@given(t=st.floats(-200, 200), freedom=FREEDOMS)
def test_tails_are_those_of_scipy(t: float, freedom: float) -> None:
    assert two_sided_p(t, freedom) == pytest.approx(2 * stdtr(freedom, -abs(t)), rel=1e-10, abs=1e-290)


@given(probability=st.floats(1e-6, 1 - 1e-6), freedom=FREEDOMS)
def test_quantiles_are_those_of_scipy(probability: float, freedom: float) -> None:
    wanted = stdtrit(freedom, probability)
    assert t_quantile(probability, freedom) == pytest.approx(wanted, rel=1e-9, abs=1e-9)


@given(freedom=FREEDOMS, probability=st.floats(0.5, 0.9999))
def test_a_quantile_has_its_tail(freedom: float, probability: float) -> None:
    tail = two_sided_p(t_quantile(probability, freedom), freedom)
    assert tail == pytest.approx(2 * (1 - probability), rel=1e-9)


def test_the_ends() -> None:
    assert two_sided_p(np.inf, 3) == 0
    assert two_sided_p(0, 3) == 1
    assert t_quantile(0.5, 3) == 0


@given(only_a=st.integers(0, 300), only_b=st.integers(0, 300))
def test_mcnemars_test_is_the_binomial_one(only_a: int, only_b: int) -> None:
    a, b = np.repeat([True, False, True], [only_a, only_b, 5]), np.repeat([False, True, True], [only_a, only_b, 5])
    wanted = binomtest(only_a, only_a + only_b).pvalue if only_a + only_b else 1.0
    assert mcnemar(a, b).p_value == pytest.approx(wanted, rel=1e-9)
