"""Errors of a dense flow against the true one, as sums and counts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ffbench.cards import MetricCard
from ffbench.errors import DataError
from ffbench.metrics.dense import kernel as kernel
from ffbench.metrics.dense.kernel import BIN_EDGES, BINS
from ffbench.scores import Term
from ffbench.typing import FlowField, Mask

DENSE_METRICS: Mapping[str, MetricCard] = {
    "epe": MetricCard(title="endpoint error", unit="px", minimum=0),
    "outliers_1px": MetricCard(title="pixels off by more than 1 px", unit="%", minimum=0, maximum=100),
    "outliers_3px": MetricCard(title="pixels off by more than 3 px", unit="%", minimum=0, maximum=100),
    "outliers_5px": MetricCard(title="pixels off by more than 5 px", unit="%", minimum=0, maximum=100),
    "fl": MetricCard(title="pixels off by more than 3 px and 5 % (KITTI Fl)", unit="%", minimum=0, maximum=100),
    "angular": MetricCard(title="angular error", unit="degrees", minimum=0, maximum=180),
    "wauc": MetricCard(
        title="weighted area under the inlier curve", unit="%", higher_is_better=True, minimum=0, maximum=100
    ),
}
"""What `dense_terms` measures at every pixel."""

MAGNITUDES = tuple(
    f"{low:g}-{high:g} px" if high < math.inf else f">{low:g} px"
    for low, high in zip((0.0, *BIN_EDGES), (*BIN_EDGES, math.inf), strict=True)
)
"""Names of the groups by the length of the true flow, each with its lower bound and without its upper one."""
VISIBLE, OCCLUDED = "visible", "occluded"


def dense_terms(
    prediction: npt.ArrayLike,
    truth: npt.ArrayLike,
    mask: npt.ArrayLike | None = None,
    *,
    regions: npt.ArrayLike | None = None,
    region_names: Mapping[int, str] | None = None,
    occluded: npt.ArrayLike | None = None,
) -> dict[str, Term]:
    """Measure a flow against the true one in a single pass.

    With e the endpoint error |prediction - truth| of a pixel, the terms are, summed over the pixels that count:

    - `epe`: e, in px;
    - `outliers_1px`, `outliers_3px`, `outliers_5px`: 100 where e > 1, 3, 5 px;
    - `fl`: 100 where e > 3 px and e > 5 % of the length of the true flow (KITTI 2015);
    - `angular`: the angle between (u, v, 1) of prediction and truth, in degrees (Barron et al. 1994);
    - `wauc`: the weighted area under the inlier curve of the Spring benchmark: 100 sum_i w_i [e <= i / 20 px] / sum_i
      w_i, i = 1..100, w_i = 1 - (i - 1) / 100;
    - `epe/<group>` for every group that has pixels: `MAGNITUDES`, the names of regions, `visible` and `occluded`.

    Pixels outside the mask, and pixels whose true flow is unknown (1e9 or more), do not count. Sums are in float64, in
    an order that depends on nothing but the size of the image and the mask.

    Args:
        prediction, truth: (H, W, 2) float32 in px; arrays that are not C-contiguous are copied.
        mask: (H, W) bool; None for all pixels.
        regions: (H, W) uint8, the region of each pixel.
        region_names: the region that each value of `regions` stands for; other values belong to no region.
        occluded: (H, W) bool, what image 2 does not show.

    Raises:
        DataError: a value that counts is not finite.
        ValueError: arrays that do not fit each other.

    >>> truth = np.zeros((2, 2, 2), np.float32)
    >>> terms = dense_terms(truth + np.float32([3, 4]), truth)
    >>> terms["epe"], terms["outliers_3px"]
    (Term(sum=20.0, count=4.0), Term(sum=400.0, count=4.0))
    """
    flow, true_flow = _flow(prediction), _flow(truth)
    size = true_flow.shape[:2]
    if flow.shape != true_flow.shape:
        raise ValueError(f"prediction is {flow.shape}, truth {true_flow.shape}")
    counted = np.ones(size, np.bool_) if mask is None else _map(mask, np.bool_, size)
    region_map = np.zeros(size, np.uint8) if regions is None else _map(regions, np.uint8, size)
    hidden = np.zeros(size, np.bool_) if occluded is None else _map(occluded, np.bool_, size)
    totals = np.zeros(kernel.TOTALS)
    region_count = int(region_map.max(initial=0)) + 1
    cells = np.zeros((2, region_count, BINS + 1, 2))
    kernel.dense_pass(flow, true_flow, counted, region_map, hidden, totals, cells)
    if not np.isfinite(totals[kernel.EPE]):
        raise DataError(_what_is_not_finite(flow, true_flow, counted))
    terms = _totals(totals)
    cells = cells[:, :, :BINS]
    for index, name in enumerate(MAGNITUDES):
        _add_group(terms, name, cells[:, :, index])
    if regions is not None:
        for value, name in (region_names or {}).items():
            if value < region_count:
                _add_group(terms, name, cells[:, value])
    if occluded is not None:
        _add_group(terms, VISIBLE, cells[0])
        _add_group(terms, OCCLUDED, cells[1])
    return terms


def per_image(terms: Mapping[str, Term]) -> dict[str, Term]:
    """Turn the terms of one image into terms that weigh every image the same: (mean, 1) for (sum, count).

    Groups inside the image (`metric/group`) stay as they are: a region of a few pixels must not weigh like a whole one.

    >>> per_image({"epe": Term(6.0, 4.0), "epe/lips": Term(2.0, 1.0)})
    {'epe': Term(sum=1.5, count=1.0), 'epe/lips': Term(sum=2.0, count=1.0)}
    """
    return {
        name: Term(term.sum / term.count, 1.0) if term.count and "/" not in name else term
        for name, term in terms.items()
    }


def _totals(totals: npt.NDArray[np.float64]) -> dict[str, Term]:
    pixels = float(totals[kernel.PIXELS])
    sums = {
        "epe": totals[kernel.EPE],
        "outliers_1px": 100.0 * totals[kernel.OVER_1],
        "outliers_3px": 100.0 * totals[kernel.OVER_3],
        "outliers_5px": 100.0 * totals[kernel.OVER_5],
        "fl": 100.0 * totals[kernel.FL],
        "angular": math.degrees(totals[kernel.ANGLE]),
        # sum_i w_i is 50.5, and the weights of the thresholds from the k-th on are (101 - k) (102 - k) / 200.
        "wauc": totals[kernel.WAUC] / 101.0,
    }
    return {name: Term(float(value), pixels) for name, value in sums.items()}


def _add_group(terms: dict[str, Term], name: str, cells: npt.NDArray[np.float64]) -> None:
    count = math.fsum(cells[..., 0].flat)
    if count:
        terms[f"epe/{name}"] = Term(math.fsum(cells[..., 1].flat), count)


def _flow(flow: npt.ArrayLike) -> FlowField:
    array = np.ascontiguousarray(flow, np.float32)
    if array.ndim != 3 or array.shape[2] != 2:
        raise ValueError(f"a flow must be (H, W, 2), got {array.shape}")
    return array


def _map(values: npt.ArrayLike, dtype: type[np.bool_] | type[np.uint8], size: tuple[int, ...]) -> npt.NDArray[Any]:
    array = np.asarray(values)
    if array.shape != size or array.dtype != dtype:
        raise ValueError(f"expected {np.dtype(dtype)} of shape {size}, got {array.dtype} of shape {array.shape}")
    return np.ascontiguousarray(array)


def _what_is_not_finite(prediction: FlowField, truth: FlowField, mask: Mask) -> str:
    for name, flow in (("predicted", prediction), ("true", truth)):
        bad = mask & ~np.isfinite(flow).all(axis=2)
        if bad.any():
            row, column = np.unravel_index(int(bad.argmax()), bad.shape)
            return (
                f"the {name} flow is not finite at {int(bad.sum())} pixels (first at row {row}, column {column}); "
                "expected a number at every pixel"
            )
    return "the sum of the endpoint errors is not finite"
