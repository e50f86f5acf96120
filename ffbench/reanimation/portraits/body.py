"""Where the head ends: how the motion of the head fades into a body that stands still, without a seam.

Above the chin the person is cut out and all of it moves as the head does. Below, the surface covers everything between
the shoulders, body and background alike, and moves less and less, down to nothing, downwards and to both sides.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ffbench.facemesh.groups import OVAL
from ffbench.reanimation.portraits.mesh import CHIN, FOREHEAD

FloatArray = npt.NDArray[np.float64]

_NECK = (0.06, 0.76)
"""Where the motion begins to fade below the chin, and where it ends, in heights of the face."""
_SIDES = (0.52, 1.1)
"""The same to the sides, from the middle of the face, in widths of the face; below the chin only."""
_SIDES_FROM = (-0.25, 0.03)
"""Between which heights below the chin fading to the sides sets in."""
_COVER = (0.03, 0.17)
"""Between which heights below the chin the surface comes to cover everything, not the person alone."""


class Body:
    """Heights and widths on a photograph, measured on the face, `points` (468, 2) px."""

    def __init__(self, points: FloatArray) -> None:
        down = points[CHIN] - points[FOREHEAD]
        self._chin, self._height = points[CHIN], float(np.linalg.norm(down))
        self._down = down / self._height
        self._across = np.array([-self._down[1], self._down[0]])
        sides = (points[list(OVAL)] - self._chin) @ self._across
        self._middle, self._width = float(sides.max() + sides.min()) / 2, float(np.ptp(sides))

    def place(self, pixels: FloatArray) -> FloatArray:
        """Return how far pixels (N, 2) lie below the chin, and from the middle to the side: (N, 2) face sizes."""
        away = pixels - self._chin
        side = np.abs(away @ self._across - self._middle) / self._width
        return np.stack([away @ self._down / self._height, side], axis=1)

    def follows(self, place: FloatArray) -> FloatArray:
        """Return how much of the head's motion there is at places (N, 2): (N,), from 1 to exactly 0."""
        down = 1 - smooth_step(_share(place[:, 0], _NECK))
        lateral = smooth_step(_share(place[:, 1], _SIDES)) * smooth_step(_share(place[:, 0], _SIDES_FROM))
        return np.asarray(down * (1 - lateral), np.float64)

    def cover(self, place: FloatArray) -> FloatArray:
        """Return how much the surface covers what is no person at places (N, 2): (N,)."""
        return smooth_step(_share(place[:, 0], _COVER))


def smooth_step(values: npt.NDArray[np.floating]) -> FloatArray:
    """Return 0 below 0, 1 above 1 and a smooth step between."""
    t = np.clip(values, 0.0, 1.0)
    return np.asarray(t * t * (3 - 2 * t), np.float64)


def _share(values: FloatArray, bounds: tuple[float, float]) -> FloatArray:
    return (values - bounds[0]) / (bounds[1] - bounds[0])
