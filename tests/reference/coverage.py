"""How often intervals hold the true value, and how often equal methods are called different: by simulation.

`python -m tests.reference.coverage` prints the tables of docs/ranking.md (a few minutes). "Before" is the percentile
bootstrap, and its t-test, that ffbench used until November 2026, stated anew.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy import stats

from ffbench.metrics.statistics.intervals import Influence, confidence_interval, influence_on_ratio
from ffbench.metrics.statistics.paired import paired_difference
from ffbench.metrics.statistics.ranks import rank_sets

UNITS = (3, 5, 8, 12, 24, 40)
_RESAMPLES = 500

Sample = tuple[np.ndarray, np.ndarray]
"""Sums and counts of units."""


@dataclass(frozen=True)
class Kind:
    """A distribution of units: draws (rng, units) -> values and counts, and the true mean."""

    title: str
    draw: Callable[[np.random.Generator, int], Sample]
    mean: float
    minimum: float | None = 0.0
    maximum: float | None = None


def _equal(values: np.ndarray) -> Sample:
    return values, np.ones(len(values))


def _unequal(rng: np.random.Generator, values: np.ndarray) -> Sample:
    return values, rng.integers(1, 15, len(values)).astype(float)


def _percent(rng: np.random.Generator, units: int) -> Sample:
    """Subjects with 1 to 14 clips, 80 % of which are right on average."""
    counts = rng.integers(1, 15, units)
    right = rng.binomial(counts, rng.beta(3.2, 0.8, units))
    return 100 * right / counts, counts.astype(float)


KINDS = {
    "normal": Kind("normal", lambda rng, n: _equal(rng.normal(5, 1, n)), 5.0),
    "lognormal": Kind("lognormal, sigma 0.5", lambda rng, n: _equal(rng.lognormal(0, 0.5, n)), np.exp(0.125)),
    "counts": Kind(
        "the same, 1 to 14 pairs a unit", lambda rng, n: _unequal(rng, rng.lognormal(0, 0.5, n)), np.exp(0.125)
    ),
    "exponential": Kind("exponential", lambda rng, n: _equal(rng.exponential(1, n)), 1.0),
    "percent": Kind("percent right, 1 to 14 clips a subject", _percent, 80.0, maximum=100.0),
    "heavy": Kind("lognormal, sigma 1", lambda rng, n: _equal(rng.lognormal(0, 1, n)), np.exp(0.5)),
}

PAIRED: dict[str, tuple[str, Callable[[np.random.Generator, int], tuple[np.ndarray, np.ndarray]]]] = {
    "normal": ("normal", lambda rng, n: (rng.normal(5, 1, (n, 2)), np.ones(n))),
    "lognormal": ("lognormal, sigma 0.5", lambda rng, n: (rng.lognormal(0, 0.5, (n, 2)), np.ones(n))),
    "counts": (
        "the same, 1 to 14 pairs a unit",
        lambda rng, n: (rng.lognormal(0, 0.5, (n, 2)), rng.integers(1, 15, n).astype(float)),
    ),
    "hard": (
        "units that are hard for both",
        lambda rng, n: (rng.lognormal(0, 0.5, (n, 1)) * rng.lognormal(0, 0.3, (n, 2)), np.ones(n)),
    ),
}
"""Two equal methods on the same units: values (units, 2) and counts."""


def coverage(kind: Kind, units: int, runs: int, seed: int = 0) -> float:
    """Return the share of intervals that hold the true mean, of those that there are; NaN without any."""
    rng = np.random.default_rng(seed)
    hits = []
    for _ in range(runs):
        values, counts = kind.draw(rng, units)
        ends = confidence_interval(
            influence_on_ratio(values * counts, counts), minimum=kind.minimum, maximum=kind.maximum
        )
        hits.append(np.nan if ends is None else float(ends[0] <= kind.mean <= ends[1]))
    return _share(hits)


def coverage_before(kind: Kind, units: int, runs: int, seed: int = 0) -> float:
    """Return the same of percentile intervals."""
    rng = np.random.default_rng(seed)
    hits = []
    for _ in range(runs):
        values, counts = kind.draw(rng, units)
        weights = rng.multinomial(units, np.full(units, 1 / units), size=_RESAMPLES)
        low, high = np.quantile(weights @ (values * counts) / (weights @ counts), (0.025, 0.975))
        hits.append(float(low <= kind.mean <= high))
    return float(np.mean(hits))


def type_one_error(name: str, units: int, runs: int, seed: int = 0) -> float:
    """Return the share of comparisons of equal methods that are called different; NaN where none is made."""
    rng = np.random.default_rng(seed)
    called = []
    for _ in range(runs):
        values, counts = PAIRED[name][1](rng, units)
        found = paired_difference(*(influence_on_ratio(values[:, k] * counts, counts) for k in (0, 1)))
        called.append(np.nan if found.p_value is None else float(found.p_value < 0.05))
    return _share(called)


def type_one_error_before(name: str, units: int, runs: int, seed: int = 0) -> float:
    """Return the same of Student's t over the bootstrap's standard error."""
    rng = np.random.default_rng(seed)
    called = []
    for _ in range(runs):
        values, counts = PAIRED[name][1](rng, units)
        weights = rng.multinomial(units, np.full(units, 1 / units), size=_RESAMPLES)
        drawn = (weights @ (values * counts[:, None])) / (weights @ counts)[:, None]
        means = counts @ values / counts.sum()
        t = (means[0] - means[1]) / (drawn[:, 0] - drawn[:, 1]).std(ddof=1)
        called.append(float(2 * stats.t.sf(abs(t), units - 1) < 0.05))
    return float(np.mean(called))


def board(
    rng: np.random.Generator, means: np.ndarray, units: int, spread: float = 1.0, skewed: bool = False
) -> list[Influence]:
    """Draw a board: methods with these true means on units that are hard or easy for all."""
    if skewed:
        values = rng.lognormal(0, 0.5, (units, len(means))) - np.exp(0.125)
    else:
        values = rng.normal(size=(units, len(means)))
    values = spread * values + means + 3 * rng.normal(size=(units, 1))
    return [influence_on_ratio(column, np.ones(units)) for column in values.T]


def rank_set_coverage(
    means: np.ndarray, units: int, boards: int, *, skewed: bool = False, seed: int = 0, resamples: int = 2000
) -> tuple[float, float]:
    """Return the share of rank sets that hold all true ranks of their method, and their size."""
    rng = np.random.default_rng(seed)
    first = np.array([1 + (means < mean).sum() for mean in means])
    last = np.array([(means <= mean).sum() for mean in means])
    held, size = [], []
    for _ in range(boards):
        found = rank_sets(board(rng, means, units, skewed=skewed), higher_is_better=False, resamples=resamples)
        held.append((np.array(found.best) <= first) & (np.array(found.worst) >= last))
        size.append(np.array(found.worst) - np.array(found.best) + 1)
    return float(np.mean(held)), float(np.mean(size))


def _share(hits: list[float]) -> float:
    there = [hit for hit in hits if not np.isnan(hit)]
    return float(np.mean(there)) if there else np.nan


def _table(head: str, rows: Iterator[tuple[str, list[float]]]) -> None:
    sys.stdout.write(f"\n| {head} | {' | '.join(map(str, UNITS))} |\n|:--|{'--:|' * len(UNITS)}\n")
    for title, shares in rows:
        cells = ["-" if np.isnan(share) else f"{100 * share:.1f}" for share in shares]
        sys.stdout.write(f"| {title} | {' | '.join(cells)} |\n")
        sys.stdout.flush()


def main(runs: int = 10_000) -> None:
    """Print the tables."""

    def means() -> Iterator[tuple[str, list[float]]]:
        for kind in KINDS.values():
            yield f"{kind.title}, before", [coverage_before(kind, units, runs // 5) for units in UNITS]
            yield f"{kind.title}, **now**", [coverage(kind, units, runs) for units in UNITS]

    def differences() -> Iterator[tuple[str, list[float]]]:
        for name, (title, _) in PAIRED.items():
            yield f"{title}, before", [type_one_error_before(name, units, runs // 5) for units in UNITS]
            yield f"{title}, **now**", [type_one_error(name, units, runs) for units in UNITS]

    _table("coverage of a mean's 95 % interval, % with units", means())
    _table("equal methods called different, % with units", differences())
    sys.stdout.write("\n| 8 methods | units | sets that hold the true ranks, % | ranks a set |\n|:--|--:|--:|--:|\n")
    steps = np.repeat([0.0, 0.4, 0.8, 3.0], 2)
    for title, true, skewed in (
        ("all equal", np.zeros(8), False),
        ("all equal, lognormal", np.zeros(8), True),
        ("equal by twos", steps, False),
        ("equal by twos, lognormal", steps, True),
        ("0.3 apart", 0.3 * np.arange(8), False),
    ):
        for units in (8, 24):
            held, size = rank_set_coverage(true, units, runs // 20, skewed=skewed)
            sys.stdout.write(f"| {title} | {units} | {100 * held:.1f} | {size:.1f} |\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
