"""Slow restatements of what spotting is scored by: sets of frames, and one interval after the other."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction


def iou_of_sets(one: tuple[int, int], other: tuple[int, int]) -> Fraction:
    """Return intersection over union of two sets of frames."""
    first, second = (set(range(low, high + 1)) for low, high in (one, other))
    return Fraction(len(first & second), len(first | second))


def count_matches(spotted: Sequence[tuple[int, int]], annotated: Sequence[tuple[int, int]]) -> tuple[int, int, int]:
    """Return TP, FP and FN as the challenge counts them: in order, each annotated interval once."""
    free = list(annotated)
    true = 0
    for interval in spotted:
        for other in free:
            if iou_of_sets(interval, other) >= Fraction(1, 2):
                true += 1
                free.remove(other)
                break
    return true, len(spotted) - true, len(annotated) - true


def strs_of_names(
    found: Sequence[tuple[str, str]], false: int, missed: int, classes: Sequence[str]
) -> tuple[float, float, float]:
    """Return F1 of spotting, F1 of recognition, and their product.

    Args:
        found: true and predicted class of each interval that was spotted.
        false, missed: how many were spotted in vain, and how many annotated ones were not.
        classes: all of them.
    """
    spotting = 2 * len(found) / (2 * len(found) + false + missed) if found or false or missed else 0.0
    precisions, recalls = [], []
    for of in classes:
        right = sum(true == predicted == of for true, predicted in found)
        named, there = (sum(pair[at] == of for pair in found) for at in (1, 0))
        precisions.append(right / named if named else 0.0)
        recalls.append(right / there if there else 0.0)
    p, r = sum(precisions) / len(classes), sum(recalls) / len(classes)
    recognition = 2 * p * r / (p + r) if p + r else 0.0
    return spotting, recognition, spotting * recognition
