"""Motion of a portrait: a rigid motion of the head in space, and an expression on it, each drawn to a length in px."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ffbench.reanimation.portraits.expressions import UNITS
from ffbench.reanimation.portraits.portrait import Portrait
from ffbench.synth.heads.skinning import rotation_matrix

FloatArray = npt.NDArray[np.float64]

_PIVOT = (0.0, 0.5, 0.9)
"""About what a head turns: the top of the neck, from the middle of the eyes, in the head's axes, dm."""
_TURN, _SHIFT = (0.11, 0.17, 0.09), (0.10, 0.08, 0.25)
"""How much nods, turns and tilts (radians), and ways to the right, down and away (dm), there are in a motion."""
_LARGEST_TURN, _LARGEST_WHILE_TURNING = math.radians(16), math.radians(22)
"""From the photograph's pose: beyond it too much comes into view that the photograph does not show."""
_SHIFT_WHILE_TURNING = 0.1
_MOST_KEPT = 0.9
"""How much of the way that a turn takes the face is taken back at most: people who turn keep looking at something."""
_LARGEST_HEAD, _LARGEST_EXPRESSION = 0.16, 0.05
"""Of the mean head flow, and of the 95th percentile of the expression flow, in widths of the face."""
_LARGEST_WEIGHT, _LARGEST_OPENING = 1.0, 0.4
_OFTEN_BOTH = 0.6
"""Chance that a unit of one side of the face comes with that of the other."""


@dataclass(frozen=True)
class Scale:
    """How large a motion is.

    Attributes:
        head: bounds of the mean length of the head flow in the face, px.
        expression: the same of the 95th percentile of the expression flow's.
        turning: whether nearly all of the head's motion is a turn about its own middle, through the photograph's pose:
            what hides parts of a face.
    """

    head: tuple[float, float]
    expression: tuple[float, float]
    turning: bool = False


SCALES: Mapping[str, Scale] = {
    "micro": Scale((0.03, 0.5), (0.1, 1.0)),
    "small": Scale((0.5, 2.0), (0.3, 2.0)),
    "medium": Scale((2.0, 8.0), (0.7, 5.0)),
    "large": Scale((8.0, 32.0), (1.0, 8.0)),
    "turn": Scale((10.0, 40.0), (0.7, 5.0), turning=True),
}
"""Where each is drawn from, evenly in the logarithm."""


@dataclass(frozen=True)
class FaceState:
    """What a face does against the photograph.

    Attributes:
        expression: (units,) weights of `expressions.UNITS`.
        turn: (3,) rotation vector about the top of the neck in the camera's axes, radians.
        shift: (3,) translation in these axes, dm.
    """

    expression: FloatArray
    turn: FloatArray
    shift: FloatArray

    def with_head_of(self, other: FaceState) -> FaceState:
        """Return this expression with another's head (the head partner of Eq. 4 of the paper)."""
        return FaceState(self.expression, other.turn, other.shift)


def at_rest() -> FaceState:
    """Return the state of the photograph itself."""
    return FaceState(np.zeros(len(UNITS)), np.zeros(3), np.zeros(3))


def pose(portrait: Portrait, state: FaceState) -> FloatArray:
    """Return the surface (V, 3) in a state, in the camera's axes, dm."""
    points = portrait.rest
    used = np.flatnonzero(state.expression)
    if len(used):
        points = points + np.einsum("u,uvd->vd", state.expression[used], portrait.basis[used])
    if not state.turn.any() and not state.shift.any():
        return points
    pivot = _pivot(portrait)
    # einsum, and not a BLAS product, whose last digits depend on the number of threads.
    turned = np.einsum("vd,ed->ve", points - pivot, np.asarray(rotation_matrix(state.turn)))
    return np.asarray(points + portrait.follows[:, None] * (turned + (pivot + state.shift) - points), np.float64)


def draw_states(portrait: Portrait, scale: Scale, rng: np.random.Generator) -> tuple[FaceState, FaceState]:
    """Draw what a face does in frame 1 and frame 2; less where the face is too small for that many px.

    In two of five pairs the photograph is frame 1, in one and a half frame 2; in the others the head goes through the
    photograph's pose, half way on either side, and the expression is the photograph's in frame 1.
    """
    kind = rng.random()
    through = scale.turning or kind >= 0.7
    head = min(draw_length(scale.head, rng), _LARGEST_HEAD * portrait.width)
    expression = min(draw_length(scale.expression, rng), _LARGEST_EXPRESSION * portrait.width)
    weights = _draw_expression(portrait, expression, rng)
    state = _draw_head(portrait, head / 2 if through else head, weights, scale.turning, rng)
    if through:
        return FaceState(np.zeros(len(UNITS)), -state.turn, -state.shift), state
    return (at_rest(), state) if kind < 0.4 else (state, at_rest())


def _draw_head(
    portrait: Portrait, length: float, weights: FloatArray, turning: bool, rng: np.random.Generator
) -> FaceState:
    turn, shift = (rng.normal(0, 1, 3) * part for part in (_TURN, _SHIFT))
    kept, largest = rng.uniform(0, _MOST_KEPT), _LARGEST_TURN
    if turning:
        shift, kept, largest = shift * _SHIFT_WHILE_TURNING, _MOST_KEPT, _LARGEST_WHILE_TURNING
    away = portrait.rest[portrait.region > 0].mean(axis=0) - _pivot(portrait)
    none = np.zeros(len(UNITS))
    factor = 1.0

    def head(factor: float, expression: FloatArray) -> FaceState:
        turned = np.einsum("ed,d->e", np.asarray(rotation_matrix(turn * factor)), away)
        return FaceState(expression, turn * factor, shift * factor - kept * (turned - away))

    for _ in range(5):
        factor *= length / max(float(_lengths(portrait, head(factor, none)).mean()), 1e-9)
        factor = min(factor, largest / max(float(np.linalg.norm(turn)), 1e-9))
    return head(factor, weights)


def _draw_expression(portrait: Portrait, length: float, rng: np.random.Generator) -> FloatArray:
    names = [unit.name for unit in UNITS]
    weights = np.zeros(len(UNITS))
    for number in rng.choice(len(UNITS), int(rng.integers(2, 6)), replace=False):
        weight = rng.uniform(0.3, 1.0) * rng.choice([-1.0, 1.0])
        weights[number] = weight
        stem, _, side = names[number].rpartition("_")
        if side in ("left", "right") and rng.random() < _OFTEN_BOTH:
            weights[names.index(f"{stem}_{'right' if side == 'left' else 'left'}")] = weight * rng.uniform(0.8, 1.2)
    opens = np.array([unit.opens for unit in UNITS])
    if not portrait.mouth_open:
        # What a closed mouth hides is not in the photograph.
        weights[opens] = 0
    if not weights.any():
        weights[names.index("frown")] = 1.0
    moved = FaceState(weights, np.zeros(3), np.zeros(3))
    factor = length / max(float(np.percentile(_lengths(portrait, moved), 95)), 1e-9)
    most = np.where(opens, _LARGEST_OPENING, _LARGEST_WEIGHT)
    return weights * min(factor, 1 / float((np.abs(weights) / most).max()))


def _pivot(portrait: Portrait) -> FloatArray:
    return np.asarray(portrait.frame.eyes + np.asarray(_PIVOT) @ portrait.frame.axes, np.float64)


def _lengths(portrait: Portrait, state: FaceState) -> FloatArray:
    """Return how far the nodes in the face move in the image, px."""
    face = portrait.region > 0
    moved = portrait.camera.to_pixels(pose(portrait, state)[face])
    return np.asarray(np.linalg.norm(moved - portrait.source[face], axis=1), np.float64)


def draw_length(bounds: tuple[float, float], rng: np.random.Generator) -> float:
    """Draw a length between two, evenly in the logarithm."""
    return float(np.exp(rng.uniform(*np.log(bounds))))
