"""From predictions to the numbers of a record."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from ffbench.metrics.classification import confusion_matrix, macro_f1, mean_recall
from ffbench.metrics.statistics.intervals import influence_on_statistic
from ffbench.metrics.statistics.summary import score_of, summarize_means
from ffbench.protocol import Confusion, MetricCard, PairScore, ProtocolCard, Score, Scoring, Term
from ffbench.typing import Floats

METRICS = {
    "accuracy": MetricCard(title="accuracy over all clips", unit="%", higher_is_better=True, minimum=0, maximum=100),
    "macro_f1": MetricCard(title="F1, mean over classes", unit="1", higher_is_better=True, minimum=0, maximum=1),
    "uf1": MetricCard(title="UF1 of MEGC 2019", unit="1", higher_is_better=True, minimum=0, maximum=1),
    "uar": MetricCard(
        title="UAR of MEGC 2019: recall, mean over classes", unit="1", higher_is_better=True, minimum=0, maximum=1
    ),
    "optimism": MetricCard(title="accuracy that choosing epochs on the held-out subject adds", unit="%"),
    "seed_sd": MetricCard(title="standard deviation of accuracy over seeds", unit="%", minimum=0),
}

_ROUNDING = 1e-6
_VOTES = ("vote", "vote_f1")


class RecognitionScoring(Scoring):
    """From predicted classes to accuracy, F1, UF1, UAR and what choosing epochs adds."""

    # A pair counts once for each seed.
    fixed_weights = True

    def __init__(self, card: ProtocolCard, classes: Sequence[str]) -> None:
        self.card, self.classes = card, tuple(classes)

    def summarize(self, scores: Sequence[PairScore]) -> list[Score]:
        """Return accuracy (over all, by class and seed, its spread), F1, UF1, UAR and what choosing officially adds."""
        return summarize_recognition(scores, self.classes)

    def confusion(self, scores: Sequence[PairScore]) -> Confusion:
        """Return the confusion matrix that accuracy, UF1 and UAR are made of."""
        true = [self.classes.index(score.labels["class"]) for score in scores]
        table = confusion_matrix(true, [votes_of(score, "vote", self.classes) for score in scores])
        return Confusion(classes=self.classes, counts=tuple(tuple(row) for row in table.tolist()))

    def impossible(self, score: PairScore) -> str | None:
        """Say what no prediction gives: votes that are not one a seed, or an accuracy that is not that of the votes."""
        of = score.labels.get("class")
        if of not in self.classes:
            return f"its class '{of}' is none of {', '.join(self.classes)}"
        for name in _VOTES:
            votes = votes_of(score, name, self.classes)
            if min(votes) < -_ROUNDING or abs(sum(votes) - 1) > _ROUNDING:
                return f"its shares of '{name}' are {', '.join(f'{vote:g}' for vote in votes)}, and do not add up to 1"
        right = 100 * votes_of(score, "vote", self.classes)[self.classes.index(of)]
        accuracy = score.terms["accuracy"]
        if accuracy.count != self.card.options.get("seeds", accuracy.count):
            return f"accuracy counts {accuracy.count:g} times, once for each seed is {self.card.options['seeds']}"
        if abs(accuracy.sum - right * accuracy.count) > _ROUNDING * 100 * max(accuracy.count, 1.0):
            return f"accuracy is {accuracy.sum / max(accuracy.count, 1.0):g} %, its votes say {right:g} %"
        return super().impossible(score)


def pair_terms(
    classes: Sequence[str],
    true: int,
    *,
    counting: npt.NDArray[np.int8],
    counting_f1: npt.NDArray[np.int8],
    last: npt.NDArray[np.int8],
    best: npt.NDArray[np.int8],
) -> dict[str, Term]:
    """Return the terms of one pair; all predictions are class numbers (seeds,).

    Args:
        classes: their names.
        true: number of the pair's class.
        counting, counting_f1: what counts for accuracy, UF1 and UAR, and for F1.
        last, best: of the last epoch, and of the epoch that is best on the pair's subject.
    """
    seeds = len(counting)
    right = counting == true
    terms = {"accuracy": Term(100.0 * float(right.sum()), seeds)}
    if seeds > 1:
        terms |= {f"accuracy/seed {seed}": Term(100.0 * float(hit), 1) for seed, hit in enumerate(right)}
    terms["optimism"] = Term(100.0 * (float((best == true).sum()) - float((last == true).sum())), seeds)
    for name, predicted in zip(_VOTES, (counting, counting_f1), strict=True):
        for number, of in enumerate(classes):
            terms[f"{name}/{of}"] = Term(float((predicted == number).sum()), seeds)
    return terms


def votes_of(score: PairScore, name: str, classes: Sequence[str]) -> list[float]:
    """Return the share of seeds that took a pair for each class."""
    terms = [score.terms[f"{name}/{of}"] for of in classes]
    return [term.sum / term.count for term in terms]


def summarize_recognition(scores: Sequence[PairScore], classes: Sequence[str]) -> list[Score]:
    """Turn the scores of pairs into numbers. The units of all intervals are subjects."""
    ordered = sorted(scores, key=lambda score: score.key)
    means = [
        PairScore(
            score.key,
            {name: term for name, term in score.terms.items() if name.partition("/")[0] not in _VOTES},
            score.labels,
        )
        for score in ordered
    ]
    summary = summarize_means(means, METRICS, resample_by="subject")
    by_seed = [score.value for score in summary if score.metric == "accuracy" and score.group.startswith("seed ")]
    if by_seed:
        spread = float(np.std(by_seed, ddof=1))
        summary.append(
            Score(
                metric="seed_sd", value=spread, no_interval="a spread over seeds, not over subjects", pairs=len(ordered)
            )
        )
    by_class = [PairScore(score.key, {"accuracy": score.terms["accuracy"]}, score.labels) for score in means]
    for of in classes:
        members = [score for score in by_class if score.labels["class"] == of]
        summary += [
            score.model_copy(update={"group": f"class={of}"})
            for score in summarize_means(members, METRICS, resample_by="subject")
        ]
    measures: dict[str, tuple[str, Callable[[Floats], Floats]]] = {
        "macro_f1": ("vote_f1", macro_f1),
        "uf1": ("vote", macro_f1),
        "uar": ("vote", mean_recall),
    }
    for metric, (votes, measure) in measures.items():
        tables = _tables(ordered, votes, classes)
        influence = influence_on_statistic(tables, tables.sum(axis=(1, 2)), measure)
        summary.append(score_of(influence, metric, bounds=METRICS[metric], unit="subject", pairs=len(ordered)))
    return summary


def _tables(scores: Sequence[PairScore], votes: str, classes: Sequence[str]) -> Floats:
    """Return a confusion matrix for each subject, in order of their names: (subjects, K, K)."""
    subjects = sorted({score.labels["subject"] for score in scores})
    members = ([score for score in scores if score.labels["subject"] == subject] for subject in subjects)
    return np.stack(
        [
            confusion_matrix(
                [list(classes).index(score.labels["class"]) for score in group],
                [votes_of(score, votes, classes) for score in group],
            )
            for group in members
        ]
    )
