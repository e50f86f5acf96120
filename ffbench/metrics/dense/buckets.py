"""Bucket-normalised endpoint error: how much of the motion a flow leaves undescribed, by class and speed.

A plain mean of endpoint errors is ruled by what hardly moves, since that is most of a face: there zero flow is hard to
beat. Here pixels are put into cells by their class (a region of the face) and their true speed. In each cell the mean
error is divided by the mean speed, so that zero flow has 100 % in every cell, and all cells count alike (Khatri et al.,
"I Can't Believe It's Not Scene Flow!", 2024). Pixels that hardly move have no such ratio; their error stands apart.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import numba
import numpy as np
import numpy.typing as npt

from ffbench.cards import MetricCard
from ffbench.flow.checks import UNKNOWN_THRESHOLD
from ffbench.metrics.statistics.intervals import influence_on_statistic
from ffbench.metrics.statistics.summary import Bounds, score_of
from ffbench.scores import PairScore, Score, Term
from ffbench.typing import Floats

SPEED_EDGES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Bounds of the true speed in px: below the first a pixel is static, and from each on lies a bucket."""
MIN_MOTION = 100.0
"""What the true motion of the pixels of a cell must add up to, in px, for the cell to count."""
BUCKETS = tuple(
    f"{low:g}-{high:g} px" if high < math.inf else f">{low:g} px"
    for low, high in zip(SPEED_EDGES, (*SPEED_EDGES[1:], math.inf), strict=True)
)
"""Names of the buckets, each with its lower bound and without its upper one."""
WHOLE = "face"
"""The one class where no regions are known."""
METRIC = "bucket_epe"
BUCKET_METRICS: Mapping[str, MetricCard] = {
    METRIC: MetricCard(title="bucket-normalised endpoint error (zero flow has 100 %)", unit="%", minimum=0),
    "static_epe": MetricCard(
        title=f"endpoint error of pixels that move by less than {SPEED_EDGES[0]} px", unit="px", minimum=0
    ),
}
"""What `bucket_terms` and `summarize_buckets` measure."""


def bucket_terms(
    prediction: npt.ArrayLike,
    truth: npt.ArrayLike,
    mask: npt.ArrayLike,
    regions: npt.ArrayLike | None = None,
    region_names: Mapping[int, str] | None = None,
) -> dict[str, Term]:
    """Sum error and motion of one pair by class and speed.

    With e the endpoint error and s the length of the true flow of a pixel:

    - `bucket_epe/CLASS BUCKET`: the sum of 100 e, with the sum of s as its count, over the pixels of a cell;
    - `static_epe`: the sum of e, and the number, of the pixels with s below 0.1 px.

    Args:
        prediction, truth: (H, W, 2) float32 in px, finite where they count.
        mask: (H, W) bool, what counts; pixels whose true flow is unknown (1e9 or more) never do.
        regions: (H, W) uint8; None: all pixels are of the class `face`.
        region_names: the class of each value of `regions`; pixels of other values are in no cell.

    Raises:
        ValueError: arrays that do not fit each other.

    >>> truth = np.full((10, 10, 2), (3.0, 4.0), np.float32)  # 5 px, everywhere
    >>> terms = bucket_terms(np.zeros_like(truth), truth, np.ones((10, 10), bool))
    >>> terms["bucket_epe/face 5-10 px"], terms["static_epe"]
    (Term(sum=50000.0, count=500.0), Term(sum=0.0, count=0.0))
    """
    flow, true_flow = (np.ascontiguousarray(array, np.float32) for array in (prediction, truth))
    size = true_flow.shape[:2]
    counted = np.ascontiguousarray(mask, np.bool_)
    names = {0: WHOLE} if regions is None else dict(region_names or {})
    classes = np.zeros(size, np.uint8) if regions is None else np.ascontiguousarray(regions, np.uint8)
    if flow.shape != true_flow.shape or flow.shape != (*size, 2) or counted.shape != size or classes.shape != size:
        raise ValueError(f"shapes {flow.shape}, {true_flow.shape}, {counted.shape} and {classes.shape} do not fit")
    cells = np.zeros((256, len(SPEED_EDGES) + 1, 2))
    still = np.zeros(2)
    _add_cells(flow, true_flow, counted, classes, np.array(SPEED_EDGES), cells, still)
    terms = {"static_epe": Term(float(still[0]), float(still[1]))}
    for value, name in names.items():
        for number, bucket in enumerate(BUCKETS, start=1):
            error, motion = cells[value, number]
            if motion:
                terms[f"{METRIC}/{name} {bucket}"] = Term(100.0 * float(error), float(motion))
    return terms


def summarize_buckets(
    scores: Sequence[PairScore],
    *,
    bounds: Bounds | None = None,
    group_by: Iterable[str] = (),
    resample_by: str | None = None,
) -> list[Score]:
    """Return the bucket-normalised error over all pairs, by class, by bucket, and by the values of labels.

    The sums of a cell over the pairs are divided; a cell whose motion adds up to less than `MIN_MOTION` is left out.
    The number of a class is the mean over its cells, and that of all is the mean over classes. The number of a bucket
    is the mean over the cells of that speed. Intervals are those of `confidence_interval`. Without a cell there is no
    score.

    Args:
        scores: of the pairs, with the terms of `bucket_terms`.
        bounds: of the metric.
        group_by, resample_by: as for `summarize_means`.

    >>> fast, slow = Term(50_000.0, 500.0), Term(2_000.0, 200.0)  # 100 % and 10 % of the motion is left
    >>> pair = PairScore("a", {"bucket_epe/face 5-10 px": fast, "bucket_epe/face 0.5-1 px": slow})
    >>> {score.group: score.value for score in summarize_buckets([pair])}
    {'all': 55.0, 'face': 55.0, '0.5-1 px': 10.0, '5-10 px': 100.0}
    """
    ordered = sorted(scores, key=lambda score: score.key)
    found = {name for score in ordered for name in score.terms if name.startswith(f"{METRIC}/")}
    cells = sorted(_cell(name) for name in found)
    groups: dict[str, Sequence[PairScore]] = {"all": ordered}
    for label in group_by:
        for value in sorted({score.labels[label] for score in ordered if label in score.labels}):
            groups[f"{label}={value}"] = [score for score in ordered if score.labels.get(label) == value]
    summary = []
    for group, members in groups.items():
        chosen = {group: cells}
        if group == "all":
            chosen |= {name: [cell for cell in cells if cell[0] == name] for name, _ in cells}
            chosen |= {name: [cell for cell in cells if cell[1] == name] for name in BUCKETS}
        for name, some in chosen.items():
            summary += _score(members, some, name, bounds, resample_by)
    return summary


def mean_over_classes(sums: npt.ArrayLike, classes: npt.ArrayLike) -> Floats:
    """Return the mean over classes of the mean over the cells of each, in the unit of the sums.

    Args:
        sums: (N, cells, 2), sum and count of each cell; one whose count is below `MIN_MOTION` is left out.
        classes: (cells,) the number of the class that each cell is of.

    Returns:
        (N,) float64; NaN where no cell counts.

    >>> cells = [[100.0, 100.0], [300.0, 100.0], [600.0, 100.0], [1.0, 1.0]]  # the last one moves too little
    >>> mean_over_classes([cells], [0, 0, 1, 1]).tolist()  # (1 + 3) / 2 and 6
    [4.0]
    """
    values, of = np.asarray(sums, np.float64), np.asarray(classes)
    counts = values[..., 1] >= MIN_MOTION
    ratio = np.divide(values[..., 0], values[..., 1], out=np.zeros(counts.shape), where=counts)
    member = of[:, None] == np.unique(of)
    number, total = counts @ member.astype(np.float64), ratio @ member.astype(np.float64)
    means = np.divide(total, number, out=np.zeros(number.shape), where=number > 0)
    there = (number > 0).sum(axis=1)
    return np.asarray(np.divide(means.sum(axis=1), there, out=np.full(len(there), np.nan), where=there > 0), np.float64)


def _score(
    scores: Sequence[PairScore],
    cells: Sequence[tuple[str, str]],
    group: str,
    bounds: Bounds | None,
    resample_by: str | None,
) -> list[Score]:
    names = [f"{METRIC}/{' '.join(cell)}" for cell in cells]
    units: dict[str, list[PairScore]] = {}
    for score in scores:
        if any(name in score.terms for name in names):
            units.setdefault(score.key if resample_by is None else score.labels[resample_by], []).append(score)
    if not units:
        return []
    sums = np.array([[_sums(units[unit], name) for name in names] for unit in sorted(units)])
    classes = np.unique([cell[0] for cell in cells], return_inverse=True)[1]
    pairs = [len(units[unit]) for unit in sorted(units)]
    if not np.isfinite(mean_over_classes(sums.sum(axis=0)[None], classes)[0]):
        return []
    influence = influence_on_statistic(sums, pairs, lambda totals: mean_over_classes(totals, classes))
    return [score_of(influence, METRIC, bounds=bounds, unit=resample_by, pairs=sum(pairs), group=group)]


def _cell(name: str) -> tuple[str, str]:
    """Return class and bucket of a term's name."""
    both = name.removeprefix(f"{METRIC}/")
    bucket = next(bucket for bucket in BUCKETS if both.endswith(f" {bucket}"))
    return both.removesuffix(f" {bucket}"), bucket


def _sums(scores: Sequence[PairScore], name: str) -> tuple[float, float]:
    terms = [score.terms[name] for score in scores if name in score.terms]
    return math.fsum(term.sum for term in terms), math.fsum(term.count for term in terms)


@numba.njit(cache=True, nogil=True)
def _add_cells(prediction, truth, mask, classes, edges, cells, still):  # type: ignore[no-untyped-def]
    for y in range(mask.shape[0]):
        for x in range(mask.shape[1]):
            u, v = np.float64(truth[y, x, 0]), np.float64(truth[y, x, 1])
            if not mask[y, x] or abs(u) >= UNKNOWN_THRESHOLD or abs(v) >= UNKNOWN_THRESHOLD:
                continue
            du, dv = prediction[y, x, 0] - u, prediction[y, x, 1] - v
            error, speed = math.sqrt(du * du + dv * dv), math.sqrt(u * u + v * v)
            number = 0
            while number < len(edges) and speed >= edges[number]:
                number += 1
            if number == 0:
                still[0] += error
                still[1] += 1.0
            cells[classes[y, x], number, 0] += error
            cells[classes[y, x], number, 1] += speed
