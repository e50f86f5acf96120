"""Measures of recognition out of confusion matrices (..., K, K): rows are true classes, columns predicted ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ffbench.typing import Floats


def confusion_matrix(true: Sequence[int], votes: npt.ArrayLike) -> Floats:
    """Add up votes (N, K) for classes by true class (N,): (K, K). A vote is 1, or shares that add up to 1.

    >>> confusion_matrix([0, 1, 1], [[1, 0], [1, 0], [0, 1]]).tolist()
    [[1.0, 0.0], [1.0, 1.0]]
    """
    votes = np.asarray(votes, np.float64)
    table = np.zeros((votes.shape[1], votes.shape[1]))
    np.add.at(table, np.asarray(true, np.int64), votes)
    return table


def macro_f1(table: Floats) -> Floats:
    """Return the unweighted mean over classes of F1 = 2 TP / (2 TP + FP + FN).

    Over a matrix that pools all folds this is UF1 of the Micro-Expression Grand Challenge 2019. A class that neither is
    there nor was predicted has no F1 and is left out.

    >>> macro_f1(np.array([[3.0, 1.0], [1.0, 1.0]])).tolist()  # F1 is 3/4 and 1/2
    0.625
    """
    right = np.diagonal(table, axis1=-2, axis2=-1)
    return _mean_over_classes(2 * right, table.sum(axis=-1) + table.sum(axis=-2))


def mean_recall(table: Floats) -> Floats:
    """Return the unweighted mean over classes of TP / (TP + FN), UAR of the challenge; classes without pairs left out.

    >>> mean_recall(np.array([[3.0, 1.0], [1.0, 1.0]])).tolist()  # 3/4 and 1/2 are found
    0.625
    """
    return _mean_over_classes(np.diagonal(table, axis1=-2, axis2=-1), table.sum(axis=-1))


def _mean_over_classes(numerator: Floats, denominator: Floats) -> Floats:
    counts = denominator > 0
    ratios = np.divide(numerator, denominator, out=np.zeros(denominator.shape), where=counts)
    classes = counts.sum(axis=-1)
    means: Floats = np.divide(ratios.sum(axis=-1), classes, out=np.full(classes.shape, np.nan), where=classes > 0)
    return means
