"""Lays the head onto the points that the face mesh network found in a photograph."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from ffbench.synth.heads.head import FloatArray, Pose
from ffbench.synth.heads.makehuman import MakeHumanHead
from ffbench.synth.heads.skinning import rotation_matrix
from ffbench.texturing.surface_points import SurfacePoints, surface_points

SHAPES = 40
"""Principal components of identity."""
_SAMPLED = 256
_UNITS = (
    "jawOpen", "mouthSmileLeft", "mouthSmileRight", "mouthFrownLeft", "mouthFrownRight", "mouthPucker",
    "mouthStretchLeft", "mouthStretchRight", "mouthUpperUpLeft", "mouthUpperUpRight", "mouthLowerDownLeft",
    "mouthLowerDownRight", "mouthPressLeft", "mouthPressRight", "browInnerUp", "browDownLeft", "browDownRight",
    "browOuterUpLeft", "browOuterUpRight", "eyeBlinkLeft", "eyeBlinkRight", "eyeWideLeft", "eyeWideRight",
    "cheekSquintLeft", "cheekSquintRight",
)  # fmt: skip
# Priors, in standard deviations: units about 0.35, the distance of the camera 12 dm within a factor of e^0.4.
_UNIT_SPREAD, _DISTANCE, _DISTANCE_SPREAD = 0.35, 12.0, 0.4
# What the network errs by beside the spread of its points, dm; and how far a residual reaches over the surface.
_NOISE, _REACH = 0.02, 0.35


@dataclass(frozen=True)
class Fit:
    """The head in a photograph.

    Attributes:
        vertices: (V, 3) in the head's axes, shaped and with expression, unposed.
        points: (V, 3) in the camera's axes: x to the right, y down, z forward, dm.
        xy: (V, 2) where they lie in the photograph, px, drawn onto the network's points.
        residual: root mean square, px, of the distance from the model's points to the network's before that.
        width: of the network's points in the photograph, px.
    """

    vertices: FloatArray
    points: FloatArray
    xy: FloatArray
    residual: float
    width: float


@functools.lru_cache(maxsize=2)
def _basis(head: MakeHumanHead) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the mean shape (V, 3), components of identity (SHAPES, V, 3) of unit variance, and units (E, V, 3)."""
    rng = np.random.default_rng(468)
    count = len(head.template)
    shapes = np.stack([head.shape(head.sample_identity(rng))[:count].ravel() for _ in range(_SAMPLED)])
    mean = shapes.mean(axis=0)
    shapes -= mean
    # From the small matrix of inner products: 256 shapes of 16,000 numbers.
    _, vectors = np.linalg.eigh(shapes @ shapes.T / _SAMPLED)
    kept = vectors[:, ::-1][:, :SHAPES] / np.sqrt(_SAMPLED)
    components = kept.T @ shapes
    rest = head.pose(head.shape(np.zeros(head.identity_size)), head.expression({}), Pose())
    units = np.stack(
        [
            head.pose(head.shape(np.zeros(head.identity_size)), head.expression({name: 1.0}), Pose()) - rest
            for name in _UNITS
        ]
    )
    return mean.reshape(-1, 3), components.reshape(SHAPES, -1, 3), units


def fit_head(head: MakeHumanHead, observed: FloatArray, height: int, width: int) -> Fit:
    """Fit rotation, place, distance, identity and expression to the network's points (468, 2) of a photograph.

    A robust least-squares fit with normal priors on identity, expression and distance; points count by the inverse of
    their spread. What is left over is spread over the surface, so that the points lie on the network's.

    Args:
        head: the head model.
        observed: (468, 2) px.
        height, width: of the photograph, whose middle is taken for that of the lens.
    """
    from scipy.optimize import least_squares

    points = surface_points(head)
    mean, components, units = _basis(head)
    middle = points.of(mean).mean(axis=0)
    at_rest = points.of(mean) - middle
    along = np.stack([points.of(one) for one in np.concatenate([components, units])])
    size = float(np.ptp(observed[:, 0]) + np.ptp(observed[:, 1])) / float(np.ptp(at_rest[:, 0]) + np.ptp(at_rest[:, 1]))
    center = np.array([(width - 1) / 2, (height - 1) / 2])
    weight = 1 / np.hypot(points.spread, _NOISE)

    def project(x: FloatArray, model: FloatArray) -> tuple[FloatArray, FloatArray]:
        """See points (N, 3), counted from `middle`, by pose and camera x: in the camera's axes and in px."""
        distance = np.exp(x[6])
        seen = model @ rotation_matrix(x[:3]).T * [1, -1, -1]
        # The middle of the face lies where it was found, on its own ray, at the distance.
        focal = size * np.exp(x[5]) * distance
        seen = seen + np.array([*((observed.mean(axis=0) + x[3:5] * size - center) / focal * distance), distance])
        return seen, focal * seen[:, :2] / seen[:, 2:] + center

    def deviations(x: FloatArray) -> FloatArray:
        _, xy = project(x, at_rest + np.tensordot(x[7:], along, 1))
        off = (xy - observed) / size * weight[:, None]
        prior = [x[7 : 7 + SHAPES], x[7 + SHAPES :] / _UNIT_SPREAD]
        far = (x[6] - np.log(_DISTANCE)) / _DISTANCE_SPREAD
        return np.concatenate([off.ravel() / 2, *prior, [far]])

    low = np.concatenate([np.full(7 + SHAPES, -np.inf), np.full(len(_UNITS), -0.05)])
    high = np.concatenate([np.full(7 + SHAPES, np.inf), np.full(len(_UNITS), 1.1)])
    low[6], high[6] = np.log(4.0), np.log(60.0)
    start = np.zeros(len(low))
    start[6] = np.log(_DISTANCE)
    start[2] = _roll(observed)
    x = least_squares(deviations, start, bounds=(low, high), loss="soft_l1", f_scale=2.0, max_nfev=60).x
    vertices = mean + np.tensordot(x[7:], np.concatenate([components, units]), 1)
    in_camera, xy = project(x, vertices - middle)
    off = observed - points.of(xy)
    residual = float(np.sqrt((off**2).sum(axis=1).mean()))
    return Fit(
        vertices,
        in_camera,
        xy + _spread_out(points, points.of(vertices), off, vertices),
        residual,
        float(np.ptp(observed[:, 0])),
    )


def _roll(observed: FloatArray) -> float:
    """Turn of the face in the image about the camera's axis, as a rotation about the head's z."""
    eyes = observed[263] - observed[33]
    return -float(np.arctan2(eyes[1], eyes[0]))


def _spread_out(points: SurfacePoints, places: FloatArray, off: FloatArray, vertices: FloatArray) -> FloatArray:
    """Spread residuals (468, 2) px over all vertices (V, 2); they fade away from the network's points."""
    from scipy.interpolate import RBFInterpolator
    from scipy.spatial import cKDTree

    spread = RBFInterpolator(places, off, kernel="linear", degree=0, smoothing=0.02)
    distance = cKDTree(places).query(vertices)[0]
    near = distance < 3 * _REACH
    warp = np.zeros((len(vertices), 2))
    warp[near] = spread(vertices[near]) * np.exp(-((distance[near] / _REACH) ** 2))[:, None]
    return warp
