"""Rank sets: what they must never do, against a plain loop, and how often they hold the true ranks."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffbench.metrics.statistics.intervals import Influence, influence_on_ratio
from ffbench.metrics.statistics.paired import holm, paired_difference
from ffbench.metrics.statistics.ranks import RankSets, _adjust, rank_sets
from tests.flow.strategies import examples
from tests.reference import coverage as simulation

RESAMPLES = 500


def ranked(methods: list[Influence], *, higher_is_better: bool = False) -> RankSets:
    return rank_sets(methods, higher_is_better=higher_is_better, resamples=RESAMPLES)


def boards(count: int, seed: int = 0, methods: int = 8, units: int = 24) -> list[list[Influence]]:
    """Boards as they are in use: some methods are alike, and some units are far harder than others."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        hard = rng.gamma(1.0, 2.0, (units, 1))
        skill = 1 + 0.1 * rng.integers(0, 5, methods)
        values = hard * skill + rng.normal(0, rng.uniform(0.1, 0.8, methods), (units, methods))
        made.append([influence_on_ratio(column, np.ones(units)) for column in values.T])
    return made


def old_ranks(methods: list[Influence]) -> list[int]:
    """1 + the number of methods that are significantly better, Holm over all pairs: what ffbench printed before."""
    pairs = list(itertools.combinations(range(len(methods)), 2))
    adjusted = holm([paired_difference(methods[a], methods[b]).p_value or 0.0 for a, b in pairs])
    better = [0] * len(methods)
    for (a, b), probability in zip(pairs, adjusted, strict=True):
        if probability < 0.05:
            better[b if methods[a].value < methods[b].value else a] += 1
    return [1 + number for number in better]


def inversions(values: list[float], ranks: list[int]) -> int:
    """Count pairs of which the one with the better value has the worse rank."""
    numbered = list(zip(values, ranks, strict=True))
    return sum(a[0] < b[0] and a[1] > b[1] for a, b in itertools.permutations(numbered, 2))


def test_300_boards_without_an_inversion() -> None:
    inverted_before = 0
    for methods in boards(300):
        found = ranked(methods)
        values = [method.value for method in methods]
        assert inversions(values, list(found.positions)) == 0
        for best, position, worst in zip(found.best, found.positions, found.worst, strict=True):
            assert 1 <= best <= position <= worst <= len(methods)
        inverted_before += inversions(values, old_ranks(methods)) > 0
    # The control: the rule of before, on the same boards.
    assert inverted_before > 50


def test_weak_entries_change_nothing_among_the_others() -> None:
    rng = np.random.default_rng(1)
    flattened_before = 0
    for methods in boards(40, seed=2):
        before = ranked(methods)
        # Far worse than the others, and alike among themselves.
        weak = [influence_on_ratio(50 + rng.normal(0, 3, 24), np.ones(24)) for _ in range(4)]
        for entries in (weak[:1], weak):
            after = ranked([*methods, *entries])
            assert after.best[:8] == before.best
            assert after.worst[:8] == before.worst
            assert (after.adjusted[:8, :8] < 0.05).tolist() == (before.adjusted < 0.05).tolist()
        flattened_before += old_ranks(methods) != old_ranks([*methods, *weak])[:8]
    # The control: with Holm over all pairs, weak entries did change the others.
    assert flattened_before > 4


def test_an_entry_with_one_wild_unit_costs_no_more_than_one_more_comparison() -> None:
    rng = np.random.default_rng(1)
    wild = influence_on_ratio(50 + rng.normal(0, 3, 24) + 5000 * (np.arange(24) == 3), np.ones(24))
    for methods in boards(20, seed=2):
        before, after = ranked(methods), ranked([*methods, wild])
        # So noisy that it might be anywhere: it is never told apart, so it stays among the comparisons.
        assert (after.best[8], after.worst[8]) == (1, 9)
        close = before.adjusted < 0.1
        assert (after.adjusted[:8, :8] - before.adjusted <= before.p_values + 0.05)[close].all()


def test_neither_order_nor_company_changes_digits() -> None:
    (methods,) = boards(1, seed=3)
    found, turned = ranked(methods), ranked(methods[::-1])
    assert turned.best == found.best[::-1]
    assert turned.worst == found.worst[::-1]
    np.testing.assert_array_equal(turned.adjusted, found.adjusted[::-1, ::-1])
    np.testing.assert_array_equal(ranked(methods[:5]).p_values, found.p_values[:5, :5])


def test_higher_is_better_is_the_mirror() -> None:
    (methods,) = boards(1, seed=4)
    mirrored = [Influence(-method.value, -method.shifts, method.weights) for method in methods]
    assert ranked(mirrored, higher_is_better=True) is not None
    for name in ("positions", "best", "worst"):
        assert getattr(ranked(mirrored, higher_is_better=True), name) == getattr(ranked(methods), name)


def test_board_never_tells_apart_what_two_alone_do_not() -> None:
    told = []
    for methods in boards(30, seed=5):
        found = ranked(methods)
        assert (found.adjusted >= found.p_values).all()
        assert (found.adjusted == found.adjusted.T).all()
        for a, b in itertools.combinations(range(8), 2):
            alone = paired_difference(methods[a], methods[b])
            assert alone.p_value == found.p_values[a, b]
            told.append((found.told_apart(a, b), alone.p_value < 0.05))
    assert (True, False) not in told
    assert {(True, True), (False, True), (False, False)} <= set(told)


def test_two_methods_are_the_paired_comparison() -> None:
    methods = boards(1, seed=6, methods=2)[0]
    found = ranked(methods)
    assert found.adjusted[0, 1] == paired_difference(*methods).p_value


def test_step_down_is_that_of_a_plain_loop() -> None:
    from scipy import stats

    (methods,) = boards(1, seed=7, methods=5)
    found = ranked(methods)
    rng = np.random.default_rng(20_241_028)
    weights = rng.standard_normal((RESAMPLES, 24))
    families = np.ones((5, 5))
    for own in range(5):
        left = sorted(set(range(5)) - {own}, key=lambda other: found.p_values[own, other])
        smallest = 0.0
        while left:
            reached = []
            for other in left:
                shifts = methods[own].shifts - methods[other].shifts
                shifts = shifts - shifts.mean()
                reached.append(np.abs(weights @ shifts) / np.linalg.norm(shifts))
            level = abs(stats.norm.ppf(found.p_values[own, left[0]] / 2))
            chance = float((np.max(reached, axis=0) >= level).mean())
            smallest = max(smallest, chance, found.p_values[own, left[0]])
            families[own, left.pop(0)] = smallest
    np.testing.assert_allclose(found.adjusted, np.maximum(families, families.T), atol=1e-12)


def test_twins_constants_and_too_few_units() -> None:
    twin = influence_on_ratio(np.arange(6.0), np.ones(6))
    found = ranked([twin, twin, influence_on_ratio(np.arange(6.0) + 1, np.ones(6))])
    assert (found.positions, found.best, found.worst) == ((1, 1, 3), (1, 1, 3), (2, 2, 3))
    few = [influence_on_ratio(np.arange(4.0) + 9 * shift, np.ones(4)) for shift in range(3)]
    found = ranked(few)
    assert (found.positions, found.best, found.worst) == ((1, 2, 3), (1, 1, 1), (3, 3, 3))
    assert ranked([]).positions == ()
    assert ranked([twin]).worst == (1,)


def test_chunks_do_not_change_the_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    (methods,) = boards(1, seed=8)
    whole = ranked(methods)
    monkeypatch.setattr("ffbench.metrics.statistics.ranks._CHUNK_CELLS", 700)
    np.testing.assert_array_equal(ranked(methods).adjusted, whole.adjusted)


@given(st.lists(st.lists(st.integers(0, 9), min_size=6, max_size=6), min_size=1, max_size=6))
@examples()
def test_any_board_has_positions_inside_its_sets(values: list[list[int]]) -> None:
    found = rank_sets([influence_on_ratio(row, np.ones(6)) for row in values], higher_is_better=False, resamples=50)
    for best, position, worst in zip(found.best, found.positions, found.worst, strict=True):
        assert 1 <= best <= position <= worst <= len(values)


@pytest.mark.slow
@pytest.mark.parametrize("units", [8, 24])
def test_rank_sets_hold_the_true_ranks(units: int) -> None:
    for means in (np.zeros(8), np.repeat([0.0, 0.4, 0.8, 3.0], 2)):
        held, _ = simulation.rank_set_coverage(means, units, 300, resamples=1000)
        # 95 % or more; 2,400 sets of 300 boards, which are not independent, have a standard error of about 0.8 %.
        assert held > 0.93, means


def test_the_least_p_value_above_0_is_one() -> None:
    """Half of it is 0, of which there is no normal deviate; large boards of clear differences came upon it."""
    (methods,) = boards(1, seed=6, methods=3)
    least = np.full((3, 3), np.nextafter(0.0, 1.0))
    assert (_adjust(methods, least, RESAMPLES, seed=0) == np.where(np.eye(3), 1.0, least)).all()
