"""The exact folds of a record of recognition, as a table: which clips were learnt from, and which were predicted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ffbench.errors import DataError
from ffbench.protocol import PairScore
from ffbench.results.tables import as_csv

HEADER = ("fold", "held_out", "clip", "subject", "class", "set")


def splits_csv(scores: Sequence[PairScore]) -> str:
    """Return the folds as CSV: in each fold a row for every clip, whose `set` is `train` or `test`.

    Folds are numbered by the sorted names of the subjects, as in the run: fold f of seed s learns with the seed
    1000 s + f.

    Raises:
        DataError: a pair lacks its subject or its class, or there are fewer than two subjects.
    """
    return as_csv(HEADER, _rows(scores))


def _rows(scores: Sequence[PairScore]) -> Iterator[tuple[object, ...]]:
    for score in scores:
        if not {"subject", "class"} <= score.labels.keys():
            raise DataError(f"pair {score.key}: lacks its subject or its class")
    subjects = sorted({score.labels["subject"] for score in scores})
    if len(subjects) < 2:
        raise DataError(f"{len(subjects)} subjects; leaving one out needs two at least")
    for fold, held_out in enumerate(subjects):
        for score in scores:
            subject = score.labels["subject"]
            part = "test" if subject == held_out else "train"
            yield fold, held_out, score.key, subject, score.labels["class"], part
