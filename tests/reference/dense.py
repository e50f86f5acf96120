"""Dense errors, one obvious float64 statement each: what the fused pass is compared with."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
EDGES = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0, np.inf)
EDGE_NAMES = ("0-0.5 px", "0.5-1 px", "1-2 px", "2-5 px", "5-10 px", ">10 px")


def endpoint_error(prediction: Array, truth: Array) -> Array:
    return np.sqrt(((prediction - truth) ** 2).sum(axis=1))


def length(flow: Array) -> Array:
    return np.sqrt((flow**2).sum(axis=1))


def outlier(threshold: float) -> Callable[[Array, Array], Array]:
    return lambda prediction, truth: np.where(endpoint_error(prediction, truth) > threshold, 100.0, 0.0)


def kitti_outlier(prediction: Array, truth: Array) -> Array:
    error = endpoint_error(prediction, truth)
    return np.where((error > 3) & (error > 0.05 * length(truth)), 100.0, 0.0)


def angular_error(prediction: Array, truth: Array) -> Array:
    ones = np.ones((len(prediction), 1))
    a, b = np.hstack([prediction, ones]), np.hstack([truth, ones])
    return np.degrees(np.arctan2(np.linalg.norm(np.cross(a, b), axis=1), (a * b).sum(axis=1)))


def wauc(prediction: Array, truth: Array) -> Array:
    error = endpoint_error(prediction, truth)
    total, weights = np.zeros(len(error)), 0.0
    for i in range(1, 101):
        weight = 1 - (i - 1) / 100
        total += weight * (20 * error <= i)
        weights += weight
    return 100 * total / weights


MEASURES: Mapping[str, Callable[[Array, Array], Array]] = {
    "epe": endpoint_error,
    "outliers_1px": outlier(1),
    "outliers_3px": outlier(3),
    "outliers_5px": outlier(5),
    "fl": kitti_outlier,
    "angular": angular_error,
    "wauc": wauc,
}


def dense_terms(
    prediction: npt.NDArray[np.float32],
    truth: npt.NDArray[np.float32],
    mask: npt.NDArray[np.bool_],
    regions: npt.NDArray[np.uint8],
    region_names: Mapping[int, str],
    occluded: npt.NDArray[np.bool_],
) -> dict[str, tuple[float, float]]:
    counted = mask & (np.abs(truth) < 1e9).all(axis=2)
    p, t = prediction[counted].astype(np.float64), truth[counted].astype(np.float64)
    terms = {name: (float(measure(p, t).sum()), float(len(p))) for name, measure in MEASURES.items()}
    error = endpoint_error(p, t)
    groups = {
        name: (length(t) >= low) & (length(t) < high)
        for name, low, high in zip(EDGE_NAMES, EDGES[:-1], EDGES[1:], strict=True)
    }
    groups |= {name: regions[counted] == value for value, name in region_names.items()}
    groups |= {"visible": ~occluded[counted], "occluded": occluded[counted]}
    for name, members in groups.items():
        if members.any():
            terms[f"epe/{name}"] = (float(error[members].sum()), float(members.sum()))
    return terms
