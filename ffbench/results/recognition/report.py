"""One record of recognition in full: its measures, by seed, by class and by subject, and the confusion matrix."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ffbench.errors import DataError
from ffbench.protocol import Confusion, PairScore, Score
from ffbench.results.numbers import format_interval, format_value
from ffbench.results.recognition.records import flow_of, learner_of
from ffbench.results.record.run_record import RunRecord
from ffbench.results.tables import Table

_MEASURES = ("accuracy", "macro_f1", "uf1", "uar", "optimism", "seed_sd")


def report_tables(record: RunRecord, scores: Sequence[PairScore]) -> list[Table]:
    """Return the tables of a record of recognition.

    Args:
        record: it.
        scores: of its pairs, as its table has them.

    Raises:
        DataError: a pair lacks its subject, its class or its accuracy.
    """
    assert record.confusion is not None
    learner = learner_of(record).label(with_epochs=False)
    learnt = f"{flow_of(record).label(with_weights=True)}, {learner}"
    title = f"{learnt} on {record.protocol.title} ({record.protocol.id}, {record.protocol.variant})"
    origin = "" if record.dataset.origin == "real" else f"{record.dataset.origin.upper()} data: "
    measures = [score for metric in _MEASURES for score in record.scores if score.metric == metric]
    return [
        Table(
            title=f"{title}: {origin}{record.dataset.name}",
            header=("measure", "group", "value", "95 % interval", "clips", "subjects"),
            rows=tuple(_measure(record, score) for score in measures),
            text_columns=frozenset({0, 1}),
            notes=("intervals are over subjects",),
        ),
        subject_table(scores),
        confusion_table(record.confusion),
    ]


def subject_table(scores: Sequence[PairScore]) -> Table:
    """Return a row for each subject: its clips, how many of each class, how many are right, and the accuracy.

    `right` is a mean over seeds. A subject has too few clips for an interval of its own.

    Raises:
        DataError: a pair lacks its subject, its class or its accuracy.
    """
    by_subject: dict[str, list[PairScore]] = {}
    for score in scores:
        if not {"subject", "class"} <= score.labels.keys() or "accuracy" not in score.terms:
            raise DataError(f"pair {score.key}: lacks its subject, its class or its accuracy")
        by_subject.setdefault(score.labels["subject"], []).append(score)
    rows = []
    for subject, members in sorted(by_subject.items()):
        shares = [score.terms["accuracy"].sum / score.terms["accuracy"].count for score in members]
        classes = Counter(score.labels["class"] for score in members)
        said = ", ".join(f"{name} {count}" for name, count in sorted(classes.items()))
        rows.append(
            (subject, str(len(members)), f"{sum(shares) / 100:.4g}", format_value(sum(shares) / len(shares)), said)
        )
    header = ("subject", "clips", "right", "accuracy [%]", "classes")
    return Table("by subject, each predicted by what was learnt without it", header, tuple(rows), frozenset({0, 4}))


def confusion_table(confusion: Confusion) -> Table:
    """Return the confusion matrix: a row a true class, with its recall."""
    rows = []
    for number, (name, counts) in enumerate(zip(confusion.classes, confusion.counts, strict=True)):
        total = sum(counts)
        recall = format_value(100 * counts[number] / total) if total else "-"
        rows.append((name, *(f"{count:.4g}" for count in counts), recall))
    header = ("true class, taken for", *confusion.classes, "recall [%]")
    return Table("confusion matrix, means over seeds", header, tuple(rows), frozenset({0}))


def _measure(record: RunRecord, score: Score) -> tuple[str, ...]:
    card = record.protocol.metrics.get(score.metric)
    unit = f" [{card.unit}]" if card is not None and card.unit != "1" else ""
    interval = format_interval(score.ci_low, score.ci_high)
    units = "-" if score.units is None else str(score.units)
    return f"{score.metric}{unit}", score.group, format_value(score.value), interval, str(score.pairs), units
