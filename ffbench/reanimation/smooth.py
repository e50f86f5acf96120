"""A photograph moved by a smooth field that is known everywhere: no surface, no occlusion, no new light on the face.

Image 2 is image 1 at y + B(y), B(y) = R(y) + E(y): R is a similarity of the image plane about the face, which is whole
within the head and fades to nothing around it; E is a sum of Gaussian bumps. The flow of image 1 is the solution F of
F = -B(x + F), the head flow that of H = -R(x + H).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from ffbench.reanimation.appearance import Appearance, record
from ffbench.reanimation.motion import Scale, draw_length
from ffbench.reanimation.pairs import ReanimatedPair
from ffbench.reanimation.portraits.parts import face_skin, regions_at
from ffbench.reanimation.sampling import sample_everywhere
from ffbench.typing import Image, Mask

FloatArray = npt.NDArray[np.float64]

_WHOLE, _NOTHING = 0.85, 1.6
"""Where the head's motion begins to fade and where it has ended, from the middle of the face, in its longer sides."""
_BUMPS = 7
_NARROWEST, _WIDEST = 0.06, 0.12
"""Standard deviations of the bumps, in longer sides of the face."""
_REACH = 6.0
"""In standard deviations: farther away a bump is nothing (1.5e-8 of its height)."""
_STEEPEST = 0.5
"""Bound on the sum of the bumps' greatest slopes, so that the field is far from folding over."""
_LARGEST_HEAD, _LARGEST_ANGLE = 0.10, math.radians(8)
_CONVERGED, _MOST_STEPS = 1e-9, 200


@dataclass(frozen=True)
class SmoothField:
    """B, as a function of a place in image 2.

    Attributes:
        center: (2,) px, of the face.
        size: its longer side, px.
        linear: (2, 2), the similarity less the identity.
        shift: (2,) px.
        bumps: (N, 5): x and y of the middle, standard deviation, and the displacement along x and y, px.
    """

    center: FloatArray
    size: float
    linear: FloatArray
    shift: FloatArray
    bumps: FloatArray

    def backward(self, height: int, width: int) -> FloatArray:
        """Return B at the pixels of an image, (H, W, 2) px."""
        field = np.empty((height, width, 2))
        _backward(self.center, self.size, self.linear, self.shift, self.bumps, field)
        return field

    def forward(self, height: int, width: int, *, head: bool = False) -> FloatArray:
        """Return the flow of image 1, (H, W, 2) px, right to `_CONVERGED`; `head`: that of R alone."""
        flow = np.empty((height, width, 2))
        bumps = self.bumps[:0] if head else self.bumps
        _forward(self.center, self.size, self.linear, self.shift, bumps, flow)
        return flow


def draw_field(points: FloatArray, size: float, scale: Scale, rng: np.random.Generator) -> SmoothField:
    """Draw a motion of a scale, less where the face is too small for that many px.

    Args:
        points: (468, 2) of the mesh, px.
        size: width of the face, px; bounds the motion as in `motion.draw_states`.
        scale: bounds of head and expression flow; `turning` has no meaning in the plane.
        rng: source of chance.
    """
    low, high = points.min(axis=0), points.max(axis=0)
    center, longer = (low + high) / 2, float((high - low).max())
    head = min(draw_length(scale.head, rng), _LARGEST_HEAD * size)
    expression = draw_length(scale.expression, rng)
    angle, zoom, shift = rng.normal(0, 0.08), rng.normal(0, 0.06), rng.normal(0, 0.04, 2) * longer
    places = points - center
    factor = 1.0
    for _ in range(5):
        linear = _similarity(angle * factor, zoom * factor)
        factor *= head / max(float(np.linalg.norm(places @ linear.T + shift * factor, axis=1).mean()), 1e-9)
        factor = min(factor, _LARGEST_ANGLE / abs(angle))
    chosen = rng.choice(len(points), _BUMPS, replace=False)
    sigma = rng.uniform(_NARROWEST, _WIDEST, _BUMPS) * longer
    heights = rng.normal(0, 1, (_BUMPS, 2))
    heights *= expression / np.linalg.norm(heights, axis=1).max()
    # The slope of a Gaussian is greatest one standard deviation from its middle.
    slope = float((np.linalg.norm(heights, axis=1) / sigma).sum()) * math.exp(-0.5)
    heights *= min(1.0, _STEEPEST / slope)
    return SmoothField(
        center,
        longer,
        _similarity(angle * factor, zoom * factor),
        shift * factor,
        np.column_stack([points[chosen], sigma, heights]),
    )


@dataclass(frozen=True)
class Still:
    """A photograph, and what all pairs that are made of it share.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        points: (468, 2) of the mesh, px.
        mask: (H, W), the skin of the face.
        region: (H, W) uint8, of `parts.REGIONS`, 0 beside the skin.
    """

    image: Image
    points: FloatArray
    mask: Mask
    region: npt.NDArray[np.uint8]


def prepare_still(image: Image, points: FloatArray, size: float) -> Still:
    """Find the skin of a photograph and its regions.

    Args:
        image: (H, W, 3) uint8 RGB.
        points: (468, 2) of the mesh, px.
        size: width of the face, px.
    """
    mask = face_skin(points, (image.shape[0], image.shape[1]), size)
    region = np.zeros(mask.shape, np.uint8)
    region[mask] = regions_at(_places(mask), points)
    return Still(image, points, mask, region)


def smooth_pair(still: Still, field: SmoothField, appearance: Appearance, rng: np.random.Generator) -> ReanimatedPair:
    """Move a photograph and label the pair; of `appearance` the lamps are not used.

    Args:
        still: the photograph.
        field: the motion.
        appearance: exposure, noise and compression.
        rng: makes the noise.
    """
    height, width = still.mask.shape
    pixels = still.image.astype(np.float32)
    frames = (pixels, sample_everywhere(pixels, field.backward(height, width)))
    images = [record(frame, appearance, number, rng) for number, frame in enumerate(frames)]
    facial, head = (field.forward(height, width, head=part).astype(np.float32) for part in (False, True))
    landing = _places(still.mask) + facial[still.mask]
    occlusion = np.zeros(still.mask.shape, np.bool_)
    # Nothing hides anything; only the image's border does.
    occlusion[still.mask] = ((landing < -0.5) | (landing > [width - 0.5, height - 0.5])).any(axis=1)
    return ReanimatedPair(images[0], images[1], facial, head, still.mask, occlusion, still.region)


def _places(mask: Mask) -> FloatArray:
    """Return x and y of the pixels of a mask, (N, 2), row by row."""
    return np.argwhere(mask)[:, ::-1].astype(np.float64)


def _similarity(angle: float, zoom: float) -> FloatArray:
    cosine, sine = math.cos(angle) * math.exp(zoom), math.sin(angle) * math.exp(zoom)
    return np.array([[cosine - 1, -sine], [sine, cosine - 1]])


@numba.njit(cache=True, boundscheck=False)
def _backward(center, size, linear, shift, bumps, field):  # type: ignore[no-untyped-def]
    for y in range(field.shape[0]):
        for x in range(field.shape[1]):
            field[y, x, 0], field[y, x, 1], _, _, _, _ = _at(center, size, linear, shift, bumps, x, y)


@numba.njit(cache=True, boundscheck=False)
def _forward(center, size, linear, shift, bumps, flow):  # type: ignore[no-untyped-def]
    for y in range(flow.shape[0]):
        u, v = 0.0, 0.0
        for x in range(flow.shape[1]):
            # Newton's method, begun with the flow of the pixel before and its slope.
            for _ in range(_MOST_STEPS):
                bu, bv, ux, uy, vx, vy = _at(center, size, linear, shift, bumps, x + u, y + v)
                left_u, left_v = u + bu, v + bv
                determinant = (1 + ux) * (1 + vy) - uy * vx
                step_u = ((1 + vy) * left_u - uy * left_v) / determinant
                step_v = ((1 + ux) * left_v - vx * left_u) / determinant
                u, v = u - step_u, v - step_v
                if max(abs(step_u), abs(step_v)) < _CONVERGED:
                    break
            flow[y, x, 0], flow[y, x, 1] = u, v
            u, v = u - ((1 + vy) * ux - uy * vx) / determinant, v - ((1 + ux) * vx - vx * ux) / determinant


@numba.njit(cache=True, boundscheck=False)
def _at(center, size, linear, shift, bumps, x, y):  # type: ignore[no-untyped-def]
    """B at a place, and its slopes: of u along x and y, of v along x and y."""
    qx, qy = x - center[0], y - center[1]
    distance = math.sqrt(qx * qx + qy * qy)
    t = min(max((_NOTHING - distance / size) / (_NOTHING - _WHOLE), 0.0), 1.0)
    whole = t * t * (3 - 2 * t)
    ru = linear[0, 0] * qx + linear[0, 1] * qy + shift[0]
    rv = linear[1, 0] * qx + linear[1, 1] * qy + shift[1]
    u, v = whole * ru, whole * rv
    ux, uy, vx, vy = whole * linear[0, 0], whole * linear[0, 1], whole * linear[1, 0], whole * linear[1, 1]
    if 0.0 < t < 1.0:
        fade = -6 * t * (1 - t) / ((_NOTHING - _WHOLE) * size * distance)
        ux, uy = ux + fade * qx * ru, uy + fade * qy * ru
        vx, vy = vx + fade * qx * rv, vy + fade * qy * rv
    for k in range(len(bumps)):
        dx, dy = x - bumps[k, 0], y - bumps[k, 1]
        variance = bumps[k, 2] * bumps[k, 2]
        square = (dx * dx + dy * dy) / variance
        if square < _REACH * _REACH:
            bump = math.exp(-0.5 * square)
            bump_u, bump_v = bump * bumps[k, 3], bump * bumps[k, 4]
            u, v = u + bump_u, v + bump_v
            along_x, along_y = -dx / variance, -dy / variance
            ux, uy, vx, vy = ux + along_x * bump_u, uy + along_y * bump_u, vx + along_x * bump_v, vy + along_y * bump_v
    return u, v, ux, uy, vx, vy
