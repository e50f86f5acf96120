"""What two records of one board must share, and their dataset decides: which pairs, of which groups, of what weight."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ffbench.protocol import PairScore, ProtocolCard


@dataclass(frozen=True)
class PairFact:
    """The labels of a pair that group or resample it, and the count of its primary term; None: not known here."""

    labels: tuple[tuple[str, str], ...] | None
    weight: float | None


PairFacts = Mapping[str, PairFact]
"""By key of the pair."""


def facts_of(scores: Sequence[PairScore], card: ProtocolCard, *, fixed_weights: bool) -> PairFacts:
    """Take from the scores of pairs what does not depend on the flow."""
    return {
        score.key: PairFact(
            stated_labels(score.labels, card),
            # A pair without the term weighs nothing, which is as good as leaving it out.
            (score.terms[card.primary].count if card.primary in score.terms else 0.0) if fixed_weights else None,
        )
        for score in scores
    }


def stated_labels(labels: Mapping[str, str], card: ProtocolCard) -> tuple[tuple[str, str], ...]:
    """Return the labels that count for groups and intervals, in a fixed order."""
    names: Iterable[str] = {*card.group_by, *([card.resample_by] if card.resample_by else [])}
    return tuple((name, labels[name]) for name in sorted(names) if name in labels)


def disagreement(facts: PairFacts, others: PairFacts) -> str | None:
    """Say how pairs differ from those that they should be; None: not at all.

    What either side does not know is not compared.
    """
    missing, extra = [key for key in others if key not in facts], [key for key in facts if key not in others]
    if missing or extra:
        parts = [f"lacks {len(missing)} pairs, such as {missing[0]}"] if missing else []
        parts += [f"has {len(extra)} pairs too many, such as {extra[0]}"] if extra else []
        return " and ".join(parts)
    for key, fact in facts.items():
        other = others[key]
        if fact.labels is not None and other.labels is not None and not _same_labels(fact.labels, other.labels):
            return f"pair {key} is labelled {_words(fact.labels)}, expected {_words(other.labels)}"
        if fact.weight is not None and other.weight is not None and not _same(fact.weight, other.weight):
            return f"pair {key} has the weight {fact.weight:g}, expected {other.weight:g}"
    return None


def _same_labels(a: Iterable[tuple[str, str]], b: Iterable[tuple[str, str]]) -> bool:
    """Whether labels that both sides state have the same values; a record from before a label was added lacks it."""
    first, second = dict(a), dict(b)
    return all(first[name] == second[name] for name in first.keys() & second.keys())


def _same(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9)


def _words(labels: tuple[tuple[str, str], ...]) -> str:
    return ", ".join(f"{name}={value}" for name, value in labels) or "nothing"
