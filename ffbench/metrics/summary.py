"""From the scores of pairs to the numbers of a record."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from ffbench.metrics.statistics import bootstrap_intervals, ratio_of_sums
from ffbench.scores import PairScore, Score, Term


def summarise_means(
    scores: Sequence[PairScore], *, group_by: Iterable[str] = (), resample_by: str | None = None
) -> list[Score]:
    """Give the mean of every term over all pairs, and over the pairs of each value of each label in `group_by`.

    A term `metric/group` becomes the score of `metric` in `group`; a label gives groups `label=value`. Means are
    sums over counts, so a pair with more points weighs more. Intervals are 95 % percentile bootstraps over pairs,
    or over whole values of the label `resample_by` where pairs that share it are not independent.

    The result does not depend on the order of `scores`: units are sorted by name before they are resampled.
    """
    ordered = sorted(scores, key=lambda score: score.key)
    summary = _means(ordered, None, resample_by)
    for label in group_by:
        for value in sorted({score.labels[label] for score in ordered if label in score.labels}):
            members = [score for score in ordered if score.labels.get(label) == value]
            summary += _means(members, f"{label}={value}", resample_by)
    return summary


def _means(scores: Sequence[PairScore], group: str | None, resample_by: str | None) -> list[Score]:
    """Give the means over `scores`; inside a label's group only whole-pair terms, or the table would be squared."""
    names = [name for name in dict.fromkeys(name for score in scores for name in score.terms) if _wanted(name, group)]
    if not names:
        return []
    units: dict[str, list[PairScore]] = {}
    for score in scores:
        units.setdefault(score.key if resample_by is None else score.labels[resample_by], []).append(score)
    by_unit = [[_terms(units[unit], name) for name in names] for unit in sorted(units)]
    sums = np.array([[math.fsum(term.sum for term in terms) for terms in row] for row in by_unit])
    counts = np.array([[math.fsum(term.count for term in terms) for terms in row] for row in by_unit])
    means = []
    for index, interval in enumerate(bootstrap_intervals(sums, counts)):
        terms = [term for row in by_unit for term in row[index]]
        metric, _, part = names[index].partition("/")
        if terms:
            means.append(
                Score(
                    metric=metric,
                    group=group or part or "all",
                    # Over the terms themselves: their correctly rounded sum is the same however they are grouped.
                    value=ratio_of_sums([term.sum for term in terms], [term.count for term in terms]),
                    ci_low=interval[0] if interval else None,
                    ci_high=interval[1] if interval else None,
                    pairs=len(terms),
                )
            )
    return means


def _wanted(name: str, group: str | None) -> bool:
    return group is None or "/" not in name


def _terms(scores: Iterable[PairScore], name: str) -> list[Term]:
    """Give the terms of one name that count anything."""
    terms = (score.terms.get(name) for score in scores)
    return [term for term in terms if term is not None and term.count]
