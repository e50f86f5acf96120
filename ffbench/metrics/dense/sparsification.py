"""How well a confidence orders pixels by their error: sparsification curves and the area between them (AUSE).

Pixels are taken away from the least confident on, and the mean error of those that are left is plotted over the share
that is gone (Aodha et al. 2013). The oracle takes them away by their true error. The area between the two curves is 0
for a confidence that orders pixels as their errors do (Ilg et al. 2018).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from ffbench.cards import MetricCard
from ffbench.scores import Term
from ffbench.typing import Floats

REMOVED = (10, 20, 30, 40, 50, 60, 70, 80, 90)
"""Percentages of pixels removed at which curves are kept."""
SPARSIFICATION_METRICS: Mapping[str, MetricCard] = {
    "ause": MetricCard(title="area between sparsification and oracle curve (AUSE)", unit="px", minimum=0),
    "ause_relative": MetricCard(title="AUSE over the endpoint error", unit="%", minimum=0),
    "sparsification": MetricCard(title="endpoint error of the most confident pixels", unit="px", minimum=0),
    "oracle": MetricCard(title="endpoint error of the pixels with the least error", unit="px", minimum=0),
}
"""What `sparsification_terms` measures."""


def sparsification_terms(error: npt.ArrayLike, confidence: npt.ArrayLike) -> dict[str, Term]:
    """Measure how a confidence orders the pixels of one image by their error.

    With S(j) the mean error of the n - j pixels that are left when the j least confident are gone, and O(j) the same
    by the true error, j = 0 .. n - 1:

    - `ause`: (1 / n) sum_j (S(j) - O(j)), in px, with a count of 1;
    - `ause_relative`: 100 times that as its sum, and the mean error of all pixels as its count;
    - `sparsification/removed P %`, `oracle/removed P %`: S and O at j = floor(P n / 100), with a count of 1.

    Where pixels share one confidence, their order is left open: each counts with the mean error of those that share it,
    which is the expected curve over all orders. Equal confidence everywhere thus gives S(j) = S(0).

    Args:
        error: (n,) endpoint errors in px, finite.
        confidence: (n,) in any rising scale, without NaN.

    Returns:
        The terms; without a pixel each has a sum and a count of 0. Sums are float64 in a fixed order.

    Raises:
        ValueError: arrays that do not fit each other.

    >>> good = sparsification_terms([4.0, 2.0, 0.0, 0.0], [0.1, 0.2, 0.8, 0.9])
    >>> good["ause"].sum, sparsification_terms([4.0, 2.0, 0.0, 0.0], [0.5] * 4)["ause"].sum
    (0.0, 0.9583333333333334)
    """
    errors, order = np.asarray(error, np.float64), np.asarray(confidence, np.float64)
    if errors.ndim != 1 or errors.shape != order.shape:
        raise ValueError(f"expected two (n,) arrays, got {errors.shape} and {order.shape}")
    if not len(errors):
        return dict.fromkeys(SPARSIFICATION_METRICS, Term(0.0, 0.0))
    curve, oracle = _means_of_first(_expected_order(errors, order)), _means_of_first(np.sort(errors))
    # Both end in the mean of all errors, summed in another order: rounding must not make a negative area.
    area = max(float((curve - oracle).mean()), 0.0)
    terms = {"ause": Term(area, 1.0), "ause_relative": Term(100.0 * area, float(curve[-1]))}
    for percent in REMOVED:
        left = len(errors) - percent * len(errors) // 100
        terms[f"sparsification/removed {percent} %"] = Term(float(curve[left - 1]), 1.0)
        terms[f"oracle/removed {percent} %"] = Term(float(oracle[left - 1]), 1.0)
    return terms


def _expected_order(errors: Floats, confidence: Floats) -> Floats:
    """Return errors from the most to the least confident pixel, as means over the pixels of equal confidence."""
    falling = np.argsort(-confidence, kind="stable")
    ordered, keys = errors[falling], confidence[falling]
    starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    lengths = np.diff(np.concatenate([starts, [len(keys)]]))
    return np.asarray(np.repeat(np.add.reduceat(ordered, starts) / lengths, lengths), np.float64)


def _means_of_first(values: Floats) -> Floats:
    """Return the means of the first 1, 2, ..., n values."""
    return np.asarray(np.cumsum(values) / np.arange(1, len(values) + 1), np.float64)
