"""From the scores of pairs to the numbers of a record."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import numpy as np

from ffbench.metrics.statistics.intervals import (
    Influence,
    confidence_interval,
    influence_on_ratio,
    ratio_of_sums,
    too_few_units,
)
from ffbench.scores import PairScore, Score, Term


class Bounds(Protocol):
    """What a summary needs of a metric's card."""

    @property
    def minimum(self) -> float | None:
        """What no value can be below."""

    @property
    def maximum(self) -> float | None:
        """What none can be above."""


def summarize_means(
    scores: Sequence[PairScore],
    metrics: Mapping[str, Bounds],
    *,
    group_by: Iterable[str] = (),
    resample_by: str | None = None,
) -> list[Score]:
    """Return the mean of every term over all pairs, and over the pairs of each value of each label in `group_by`.

    A term `metric/group` becomes the score of `metric` in `group`; a label gives groups `label=value`. Means are
    sums over counts, so a pair with more points weighs more. Intervals are those of `confidence_interval` over pairs,
    or over whole values of the label `resample_by` where pairs that share it are not independent.

    The result does not depend on the order of `scores`: units are sorted by name.

    Args:
        scores: of the pairs.
        metrics: cards by metric, for the bounds of their values; one that is missing has none.
        group_by: labels.
        resample_by: label of the units.

    >>> pairs = [PairScore("a", {"epe": Term(2.0, 1.0)}), PairScore("b", {"epe": Term(3.0, 4.0)})]
    >>> [(score.metric, score.group, score.value, score.no_interval) for score in summarize_means(pairs, {})]
    [('epe', 'all', 1.0, '2 pairs, an interval takes 5')]
    """
    ordered = sorted(scores, key=lambda score: score.key)
    summary = _means(ordered, metrics, None, resample_by)
    for label in group_by:
        for value in sorted({score.labels[label] for score in ordered if label in score.labels}):
            members = [score for score in ordered if score.labels.get(label) == value]
            summary += _means(members, metrics, f"{label}={value}", resample_by)
    return summary


def score_of(
    of: Influence, metric: str, *, bounds: Bounds | None, unit: str | None, pairs: int, group: str = "all"
) -> Score:
    """Return a number with its interval, or why it has none.

    Args:
        of: the number, and what its units do to it.
        metric, group: its names.
        bounds: of the metric's values; None: none are known.
        unit: label of the units; None: pairs.
        pairs: number of pairs that count.

    >>> found = score_of(influence_on_ratio([2.0] * 5, [1.0] * 5), "epe", bounds=None, unit="clip", pairs=9)
    >>> found.value, found.ci_low, found.ci_high, found.units
    (2.0, 2.0, 2.0, 5)
    """
    low, high = confidence_interval(
        of, minimum=bounds.minimum if bounds else None, maximum=bounds.maximum if bounds else None
    ) or (None, None)
    return Score(
        metric=metric,
        group=group,
        value=of.value,
        ci_low=low,
        ci_high=high,
        no_interval=too_few_units(of, unit or "pair"),
        pairs=pairs,
        units=of.units,
    )


def _means(
    scores: Sequence[PairScore], metrics: Mapping[str, Bounds], group: str | None, resample_by: str | None
) -> list[Score]:
    """Return the means over `scores`; inside a label's group only whole-pair terms, or the table would be squared."""
    names = [name for name in dict.fromkeys(name for score in scores for name in score.terms) if _wanted(name, group)]
    units: dict[str, list[PairScore]] = {}
    for score in scores:
        units.setdefault(score.key if resample_by is None else score.labels[resample_by], []).append(score)
    means = []
    for name in names:
        by_unit = [_terms(units[unit], name) for unit in sorted(units)]
        terms = [term for found in by_unit for term in found]
        if not terms:
            continue
        metric, _, part = name.partition("/")
        influence = influence_on_ratio(
            np.array([math.fsum(term.sum for term in found) for found in by_unit]),
            np.array([math.fsum(term.count for term in found) for found in by_unit]),
            # Over the terms themselves: their correctly rounded sum is the same however they are grouped.
            value=ratio_of_sums([term.sum for term in terms], [term.count for term in terms]),
        )
        means.append(
            score_of(
                influence,
                metric,
                group=group or part or "all",
                bounds=metrics.get(metric),
                unit=resample_by,
                pairs=len(terms),
            )
        )
    return means


def _wanted(name: str, group: str | None) -> bool:
    return group is None or "/" not in name


def _terms(scores: Iterable[PairScore], name: str) -> list[Term]:
    """Return the terms of one name that count anything."""
    terms = (score.terms.get(name) for score in scores)
    return [term for term in terms if term is not None and term.count]
