"""From the scores of pairs to the numbers of a record."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from ffbench.metrics.statistics import bootstrap_interval, ratio_of_sums
from ffbench.protocol import PairScore, Score, Term


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
    names = list(dict.fromkeys(name for score in scores for name in score.terms))
    means = []
    for name in names:
        metric, _, part = name.partition("/")
        if group is not None and part:
            continue
        mean = _mean(scores, name, resample_by, metric, group or part or "all")
        if mean is not None:
            means.append(mean)
    return means


def _mean(scores: Sequence[PairScore], name: str, resample_by: str | None, metric: str, group: str) -> Score | None:
    units: dict[str, list[Term]] = {}
    for score in scores:
        term = score.terms.get(name)
        if term is not None and term.count:
            unit = score.key if resample_by is None else score.labels[resample_by]
            units.setdefault(unit, []).append(term)
    if not units:
        return None
    sums = [math.fsum(term.sum for term in units[unit]) for unit in sorted(units)]
    counts = [math.fsum(term.count for term in units[unit]) for unit in sorted(units)]
    interval = bootstrap_interval(sums, counts)
    terms = [term for group_terms in units.values() for term in group_terms]
    return Score(
        metric=metric,
        group=group,
        # Over the terms themselves: their correctly rounded sum is the same however they are grouped.
        value=ratio_of_sums([term.sum for term in terms], [term.count for term in terms]),
        ci_low=interval[0] if interval else None,
        ci_high=interval[1] if interval else None,
        pairs=len(terms),
    )
