"""A pinhole camera in front of the head."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from ffbench.synth.heads.skinning import rotation_matrix, shift

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Projected:
    """A mesh as the camera sees it.

    Attributes:
        points: (V, 3) in the camera's axes: x to the right, y down, z forward (planar depth), in dm.
        xy: (V, 2) in pixels; pixel centres are integers.
    """

    points: FloatArray
    xy: FloatArray

    @property
    def depth(self) -> FloatArray:
        """Planar depth of the vertices (V,)."""
        return self.points[:, 2]


@dataclass(frozen=True)
class Camera:
    """Looks along -z of the head's axes, at `target`, from `distance` before it.

    Attributes:
        height, width: size of the image in pixels.
        focal: focal length in pixels.
        distance: from the camera to `target`, in dm.
        target: (3,) the point that the middle of the image shows.
        tilt: rotation vector (3,) of the camera about `target`, for views from the side or from above.
    """

    height: int
    width: int
    focal: float
    distance: float
    target: tuple[float, float, float]
    tilt: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @property
    def axes(self) -> FloatArray:
        """Right, down and forward of the camera in the head's axes, row by row (3, 3)."""
        return np.asarray(rotation_matrix(-np.array(self.tilt)) * np.array([[1.0], [-1.0], [-1.0]]))

    @property
    def origin(self) -> FloatArray:
        """Where the origin of the head's axes lies in the camera's, (3,): it sees a point p at axes @ p + origin."""
        return np.asarray(np.array([0.0, 0.0, self.distance]) - self.axes @ np.array(self.target))

    def project(self, vertices: FloatArray) -> Projected:
        """See vertices (V, 3)."""
        points = shift(vertices @ self.axes.T, self.origin)
        return Projected(points, self.to_pixels(points))

    def to_pixels(self, points: FloatArray) -> FloatArray:
        """Return the image coordinates (N, 2) of points (N, 3) in the camera's axes."""
        xy = np.empty((len(points), 2))
        _divide(points, self.focal, (self.width - 1) / 2, (self.height - 1) / 2, xy)
        return xy


@numba.njit(cache=True, error_model="numpy")
def _divide(points, focal, center_x, center_y, xy):  # type: ignore[no-untyped-def]
    for n in range(len(points)):
        xy[n, 0] = focal * points[n, 0] / points[n, 2] + center_x
        xy[n, 1] = focal * points[n, 1] / points[n, 2] + center_y
