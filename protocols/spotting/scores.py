"""From what was spotted and named to the numbers of a record: F1 of spotting, of recognition, and their product."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from ffbench.metrics.classification import confusion_matrix
from ffbench.metrics.statistics.intervals import influence_on_statistic
from ffbench.metrics.statistics.summary import score_of, summarize_means
from ffbench.protocol import MetricCard, PairScore, ProtocolCard, Score, Scoring, Term
from ffbench.typing import Floats


def _share(title: str) -> MetricCard:
    return MetricCard(title=title, unit="1", higher_is_better=True, minimum=0, maximum=1)


METRICS = {
    "spotted_named": _share("F1 of intervals that are spotted and rightly named"),
    "strs": _share("STRS of MEGC: F1 of spotting times F1 of recognition"),
    "spotting_f1": _share("F1 of spotting, IoU of 0.5 at least"),
    "spotting_precision": _share("spotted intervals that are annotated"),
    "spotting_recall": _share("annotated intervals that are spotted"),
    "recognition_f1": _share("F1 of recognition of what was spotted, as in MEGC"),
    "recognition_uf1": _share("F1 of recognition of what was spotted, mean over classes"),
    "recognition_uar": _share("recall of recognition of what was spotted, mean over classes"),
    "annotated_f1": _share("F1 of recognition where every interval is given, as in MEGC"),
    "seed_sd": MetricCard(title="standard deviation of spotted_named over seeds", unit="1", minimum=0),
}
_MEANS = ("spotted_named", "spotting_f1", "spotting_precision", "spotting_recall")
NAMED, ANNOTATED = "named", "annotated"
"""Terms `named/TRUE/PREDICTED`: what spotted intervals are taken for; `annotated/...`: the annotated ones."""
_ROUNDING = 1e-6


def found_terms(classes: Sequence[str], true: int, predicted: npt.NDArray[np.int8]) -> dict[str, Term]:
    """Return the terms of an annotated interval that was spotted.

    Args:
        classes: their names.
        true: number of its class.
        predicted: (seeds,), what the spotted interval was taken for.
    """
    right = predicted == true
    terms = {
        "spotted_named": Term(2.0 * float(right.sum()), 2.0 * len(right)),
        "spotting_f1": Term(2.0, 2.0),
        "spotting_precision": Term(1.0, 1.0),
        "spotting_recall": Term(1.0, 1.0),
    }
    if len(right) > 1:
        terms |= {f"spotted_named/seed {seed}": Term(2.0 * float(hit), 2.0) for seed, hit in enumerate(right)}
    return terms | votes(NAMED, classes, true, predicted)


def lost_terms(seeds: int, *, missed: bool) -> dict[str, Term]:
    """Return the terms of an annotated interval that was missed, or of a spotted one that is not annotated."""
    other = "spotting_recall" if missed else "spotting_precision"
    terms = {"spotted_named": Term(0.0, float(seeds)), "spotting_f1": Term(0.0, 1.0), other: Term(0.0, 1.0)}
    if seeds > 1:
        terms |= {f"spotted_named/seed {seed}": Term(0.0, 1.0) for seed in range(seeds)}
    return terms


def votes(kind: str, classes: Sequence[str], true: int, predicted: npt.NDArray[np.int8]) -> dict[str, Term]:
    """Return the shares of seeds that took an interval for each class, where there are any."""
    counts = np.bincount(predicted, minlength=len(classes))
    return {
        f"{kind}/{classes[true]}/{classes[number]}": Term(float(count) / len(predicted), 1.0)
        for number, count in enumerate(counts)
        if count
    }


def add_terms(terms: dict[str, Term], others: dict[str, Term]) -> None:
    """Add terms to those of the same pair: two intervals may begin at it."""
    for name, term in others.items():
        old = terms.get(name, Term(0.0, 0.0))
        terms[name] = Term(old.sum + term.sum, old.count + term.count)


class SpottingScoring(Scoring):
    """From counted intervals to F1, STRS and what recognition does alone."""

    def __init__(self, card: ProtocolCard, classes: Sequence[str]) -> None:
        self.card, self.classes = card, tuple(classes)

    def summarize(self, scores: Sequence[PairScore]) -> list[Score]:
        """Return the numbers of a record. Units of all intervals are subjects."""
        return summarize_spotting(scores, self.classes)

    def impossible(self, score: PairScore) -> str | None:
        """Say what no spotter gives: intervals that are found and not named, or a score that the names deny."""
        seeds = self.card.options.get("seeds", 1)
        found = score.terms.get("spotting_recall", Term(0.0, 0.0)).sum
        named = sum(term.sum for name, term in score.terms.items() if name.startswith(f"{NAMED}/"))
        if abs(named - found) > _ROUNDING * max(1.0, named):
            return f"{found:g} intervals are spotted, and {named:g} are named"
        right = sum(score.terms.get(f"{NAMED}/{of}/{of}", Term(0.0, 0.0)).sum for of in self.classes)
        counted = score.terms.get("spotted_named", Term(0.0, 0.0)).sum
        if isinstance(seeds, int) and abs(counted - 2 * seeds * right) > _ROUNDING * max(1.0, counted):
            return f"spotted_named counts {counted:g}, what is rightly named says {2 * seeds * right:g}"
        return super().impossible(score)


def summarize_spotting(scores: Sequence[PairScore], classes: Sequence[str]) -> list[Score]:
    """Turn the scores of pairs into numbers; pairs at which no interval begins say nothing."""
    ordered = sorted(scores, key=lambda score: score.key)
    means = [
        PairScore(
            score.key,
            {name: term for name, term in score.terms.items() if name.partition("/")[0] in _MEANS},
            score.labels,
        )
        for score in ordered
    ]
    summary = summarize_means(means, METRICS, resample_by="subject")
    if not any(score.metric == "spotting_precision" for score in summary):
        summary.append(Score(metric="spotting_precision", value=0.0, no_interval="nothing is spotted", pairs=0))
    by_seed = [score.value for score in summary if score.metric == "spotted_named" and score.group != "all"]
    if by_seed:
        spread = float(np.std(by_seed, ddof=1))
        no_interval = "a spread over seeds, not over subjects"
        summary.append(Score(metric="seed_sd", value=spread, no_interval=no_interval, pairs=len(ordered)))
    named, annotated = (_tables(ordered, kind, classes) for kind in (NAMED, ANNOTATED))
    counts = _counts(ordered)
    # Both in one array, so that leaving out a subject changes both factors of a product.
    joined = np.concatenate([named.reshape(len(named), -1), counts], axis=1)
    size = len(classes)

    def product(sums: Floats) -> Floats:
        return spotting_f1(sums[:, -3:]) * recognition_f1(sums[:, :-3].reshape(-1, size, size))

    measures: dict[str, tuple[Floats, Callable[[Floats], Floats]]] = {
        "strs": (joined, product),
        "recognition_f1": (named, recognition_f1),
        "recognition_uf1": (named, lambda tables: _class_means(tables)[2]),
        "recognition_uar": (named, lambda tables: _class_means(tables)[1]),
        "annotated_f1": (annotated, recognition_f1),
    }
    shown = counts[:, [0, 2]].sum(axis=1)
    for metric, (units, measure) in measures.items():
        influence = influence_on_statistic(units, shown, measure)
        summary.append(score_of(influence, metric, bounds=METRICS[metric], unit="subject", pairs=len(ordered)))
    return summary


def spotting_f1(counts: Floats) -> Floats:
    """Return F1 = 2 TP / (2 TP + FP + FN) of counts (..., 3) of TP, FP and FN; 0 where there is nothing.

    >>> spotting_f1(np.array([[2.0, 1.0, 1.0], [0.0, 0.0, 0.0]])).round(3).tolist()
    [0.667, 0.0]
    """
    tp = 2 * counts[..., 0]
    every = tp + counts[..., 1] + counts[..., 2]
    shares: Floats = np.divide(tp, every, out=np.zeros(every.shape), where=every > 0)
    return shares


def recognition_f1(tables: Floats) -> Floats:
    """Return F1 of confusion matrices (..., K, K) as MEGC has it: 2 P R / (P + R).

    P and R are the means of precision and recall over all classes; a class that has none counts as 0.

    >>> recognition_f1(np.array([[1.0, 1.0], [0.0, 2.0]])).round(4).tolist()  # P = 5/6, R = 3/4
    0.7895
    """
    precision, recall, _ = _class_means(tables)
    both = precision + recall
    found: Floats = np.divide(2 * precision * recall, both, out=np.zeros(both.shape), where=both > 0)
    return found


def _class_means(tables: Floats) -> tuple[Floats, Floats, Floats]:
    """Return means over all classes of precision, recall and F1: (...,) each."""
    right = np.diagonal(tables, axis1=-2, axis2=-1)
    predicted, true = tables.sum(axis=-2), tables.sum(axis=-1)
    means = [
        np.divide(times * right, of, out=np.zeros(of.shape), where=of > 0).mean(axis=-1)
        for times, of in ((1, predicted), (1, true), (2, predicted + true))
    ]
    return means[0], means[1], means[2]


def _by_subject(scores: Sequence[PairScore]) -> list[list[PairScore]]:
    """Return the scores of each subject, in order of their names."""
    subjects = sorted({score.labels["subject"] for score in scores})
    return [[score for score in scores if score.labels["subject"] == subject] for subject in subjects]


def _counts(scores: Sequence[PairScore]) -> Floats:
    """Return TP, FP and FN of each subject, (subjects, 3)."""
    rows = []
    for members in _by_subject(scores):
        precision, recall = (
            [score.terms[name] for score in members if name in score.terms]
            for name in ("spotting_precision", "spotting_recall")
        )
        found = sum(term.sum for term in recall)
        rows.append([found, sum(term.count - term.sum for term in precision), sum(t.count - t.sum for t in recall)])
    return np.array(rows)


def _tables(scores: Sequence[PairScore], kind: str, classes: Sequence[str]) -> Floats:
    """Return a confusion matrix for each subject, in order of their names: (subjects, K, K)."""
    tables = []
    for members in _by_subject(scores):
        true, shares = [], []
        for score in members:
            for name, term in score.terms.items():
                of, _, taken = name.partition("/")[2].partition("/")
                if name.partition("/")[0] == kind:
                    true.append(classes.index(of))
                    shares.append(np.eye(len(classes))[classes.index(taken)] * term.sum)
        tables.append(confusion_matrix(true, np.reshape(shares, (-1, len(classes)))))
    return np.stack(tables)
