"""What a face can do: smooth displacements of its surface about groups of landmarks.

Each unit moves the skin around some landmarks in one direction of the head's axes (x to the image's right, y down, z
into the head), and less with the distance: a Gaussian, so that no unit has an edge. Distances and displacements are in
distances between the outer corners of the eyes. The values were chosen by eye on rendered and photographed faces so
that weights up to 1 look natural; they follow no one's basis.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Unit:
    """One thing that a face can do.

    Attributes:
        moves: for each group of landmarks, the direction of its displacement at weight 1.
        reach: standard deviation of the Gaussian.
        side: whether only the skin above, or below, the gap between the lips moves.
        opens: whether it shows more of the inside of the mouth, or less.
    """

    name: str
    moves: tuple[tuple[tuple[int, ...], tuple[float, float, float]], ...]
    reach: float
    side: Literal["all", "above_lips", "below_lips"] = "all"
    opens: bool = False


def _pair(
    name: str, left: tuple[int, ...], right: tuple[int, ...], direction: tuple[float, float, float], reach: float
) -> tuple[Unit, Unit]:
    """Return a unit for either side of the face; `direction` is that of the left one in the image."""
    x, y, z = direction
    return Unit(f"{name}_left", ((left, (x, y, z)),), reach), Unit(f"{name}_right", ((right, (-x, y, z)),), reach)


UNITS: tuple[Unit, ...] = (
    Unit("inner_brows", (((55, 107), (0.0, -0.08, 0.0)), ((285, 336), (0.0, -0.08, 0.0))), 0.13),
    Unit("frown", (((55, 107), (0.05, 0.04, 0.0)), ((285, 336), (-0.05, 0.04, 0.0))), 0.13),
    *_pair("outer_brow", (63, 105), (293, 334), (0.0, -0.08, 0.0), 0.14),
    *_pair("upper_lid", (159, 158, 160), (386, 385, 387), (0.0, 0.03, 0.0), 0.075),
    *_pair("lower_lid", (145, 144, 153), (374, 373, 380), (0.0, -0.025, 0.0), 0.08),
    *_pair("cheek", (50, 101), (280, 330), (0.0, -0.07, -0.02), 0.2),
    *_pair("nostril", (129, 64), (358, 294), (-0.03, -0.035, 0.0), 0.1),
    *_pair("mouth_corner_out", (61,), (291,), (-0.09, -0.02, 0.02), 0.2),
    *_pair("mouth_corner_up", (61,), (291,), (-0.02, -0.09, 0.0), 0.19),
    *_pair("cheek_puff", (205,), (425,), (-0.03, 0.0, -0.09), 0.24),
    Unit("pucker", (((61,), (0.08, 0.0, -0.02)), ((291,), (-0.08, 0.0, -0.02)), ((0, 17), (0.0, 0.0, -0.05))), 0.17),
    Unit("upper_lip", (((37, 267), (0.0, -0.06, 0.0)),), 0.14, "above_lips", opens=True),
    Unit("lower_lip", (((84, 314), (0.0, 0.06, 0.0)),), 0.14, "below_lips", opens=True),
    Unit("jaw_open", (((17, 199, 152), (0.0, 0.12, 0.03)),), 0.32, "below_lips", opens=True),
    Unit("jaw_side", (((199, 152), (0.07, 0.0, 0.0)),), 0.26),
    Unit("chin_up", (((199,), (0.0, -0.05, -0.02)),), 0.17),
)
"""All of them."""

_LEAST_GAP = 0.05
"""The lips part over at least this height: a jump would tear the skin."""
UPPER_LIP, LOWER_LIP = 13, 14
"""The middle of the inner contour of the lips."""
_OPEN = 0.06
"""Lips further apart than this are open: then the mouth's inside is in the photograph."""


def expression_basis(vertices: FloatArray, landmarks: FloatArray) -> FloatArray:
    """Return what each unit does to the points of a face at weight 1.

    Args:
        vertices: (V, 3), in the head's axes and eye distances (`HeadFrame.coordinates`).
        landmarks: (468, 3) of the same head in the same axes.

    Returns:
        (units, V, 3) displacements in eye distances, in the head's axes.
    """
    below = _below_lips(vertices, landmarks)
    basis = np.zeros((len(UNITS), len(vertices), 3))
    for number, unit in enumerate(UNITS):
        for group, direction in unit.moves:
            # Seen from the front: a depth that is slightly wrong must not shear the skin.
            away = ((vertices[:, None, :2] - landmarks[None, list(group), :2]) ** 2).sum(axis=2)
            # At least one of the landmarks: smooth, and never more than 1.
            near = 1 - np.prod(1 - np.exp(-away / (2 * unit.reach**2)), axis=1)
            basis[number] += near[:, None] * np.asarray(direction)
        if unit.side != "all":
            basis[number] *= (below if unit.side == "below_lips" else 1 - below)[:, None]
    return basis


def mouth_is_open(landmarks: FloatArray) -> bool:
    """Tell whether the inside of the mouth is seen; `landmarks` (468, 3) as for `expression_basis`."""
    return bool(landmarks[LOWER_LIP, 1] - landmarks[UPPER_LIP, 1] > _OPEN)


def _below_lips(vertices: FloatArray, landmarks: FloatArray) -> FloatArray:
    """Return 0 above the gap between the lips, 1 below it, and a smooth step (V,) across it."""
    left, right = landmarks[61, :2], landmarks[291, :2]
    slope = (right[1] - left[1]) / max(right[0] - left[0], 1e-3)
    upper, lower = landmarks[UPPER_LIP, :2], landmarks[LOWER_LIP, :2]
    line = (upper + lower) / 2
    half = max(lower[1] - upper[1], _LEAST_GAP) / 2
    over = (vertices[:, 1] - line[1] - slope * (vertices[:, 0] - line[0])) / half
    t = np.clip((over + 1) / 2, 0.0, 1.0)
    return np.asarray(t * t * (3 - 2 * t), np.float64)
