"""Micro-expressions over action units: which units a class moves, how a subject shows it, and how little moves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ffbench.synth.heads.head import FloatArray, HeadModel, Pose, Region
from ffbench.synth.motion.expressions import Style, to_vector
from ffbench.synth.render.camera import Camera

# The ARKit unit that shows each action unit.
UNITS = {
    "1": "browInnerUp", "2": "browOuterUp", "4": "browDown", "5": "eyeWide", "6": "cheekSquint", "7": "eyeSquint",
    "9": "noseSneer", "10": "mouthUpperUp", "12": "mouthSmile", "14": "mouthDimple", "15": "mouthFrown",
    "17": "mouthShrugLower", "18": "mouthPucker", "20": "mouthStretch", "24": "mouthPress", "25": "mouthLowerDown",
}  # fmt: skip
# Ways of showing each emotion, after the criteria by which CASME II was labelled: happiness by 6 or 12, disgust by 9,
# 10 or 4 with 7, surprise by 1 with 2 or 25, repression by 15 or 17, others by what remains.
VARIANTS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "happiness": (("12",), ("6", "12"), ("6",), ("12", "14")),
    "disgust": (("4", "7"), ("9",), ("10",), ("4", "9"), ("7", "10")),
    "surprise": (("1", "2"), ("2",), ("1", "2", "5"), ("2", "25")),
    "repression": (("15",), ("17",), ("15", "17"), ("14", "17")),
    "others": (("4",), ("14",), ("4", "14"), ("18",), ("7",), ("24",), ("4", "24")),
    "sadness": (("1", "4"), ("1", "15")),
    "fear": (("1", "4", "20"), ("5", "20")),
}
SAMM_VARIANTS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "other": VARIANTS["others"],
    "anger": (("4", "7"), ("4", "5"), ("4", "24"), ("7", "24")),
    "happiness": VARIANTS["happiness"],
    "contempt": (("14",), ("12", "14")),
    "surprise": VARIANTS["surprise"],
}
"""The same for the classes of SAMM; contempt is what it is by its side."""
SMIC_VARIANTS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "negative": (*VARIANTS["disgust"], *VARIANTS["sadness"], *VARIANTS["fear"]),
    "positive": VARIANTS["happiness"],
    "surprise": VARIANTS["surprise"],
}
_ONE_SIDED = frozenset({"2", "9", "10", "12", "14", "15", "20"})
_FACE = (Region.FOREHEAD, Region.EYES, Region.NOSE, Region.CHEEKS, Region.LIPS, Region.CHIN)


@dataclass(frozen=True)
class MicroExpressionStyle:
    """How one subject shows micro-expressions: how often each variant of an emotion, and with which style."""

    variants: Mapping[str, FloatArray]
    style: Style


def sample_micro_expression_style(
    rng: np.random.Generator, style: Style, variants: Mapping[str, tuple[tuple[str, ...], ...]] = VARIANTS
) -> MicroExpressionStyle:
    """Draw a subject's habits: most people show an emotion in one or two of its ways."""
    return MicroExpressionStyle(
        {emotion: rng.dirichlet(np.full(len(ways), 0.7)) for emotion, ways in variants.items()}, style
    )


def sample_micro(
    rng: np.random.Generator,
    names: Sequence[str],
    emotion: str,
    habits: MicroExpressionStyle,
    variants: Mapping[str, tuple[tuple[str, ...], ...]] = VARIANTS,
) -> tuple[FloatArray, str]:
    """Draw a micro-expression: its direction (len(names),) and its action units as coders write them (`4+7`, `L10`).

    How far it goes along that direction, `amplitude_factor` says.
    """
    ways = variants[emotion]
    units = ways[int(rng.choice(len(ways), p=habits.variants[emotion]))]
    side = str(rng.choice(["", "", "", "L", "R"])) if units[-1] in _ONE_SIDED else ""
    vector = np.zeros(len(names))
    for unit in units:
        name = UNITS[unit]
        weight = 0.3 * habits.style.habits.get(name, 1.0) * float(np.exp(rng.normal(0, 0.2)))
        lean = habits.style.lean + float(rng.normal(0, 0.08))
        if side and unit == units[-1]:
            lean = 0.85 if side == "L" else -0.85
        vector = np.maximum(vector, to_vector(names, {name: weight}, lean))
    return vector, "+".join([*units[:-1], side + units[-1]])


def amplitude_factor(
    head: HeadModel, shape: FloatArray, camera: Camera, pose: Pose, vector: FloatArray, pixels: float
) -> float:
    """Say by how much to multiply an expression, so that the 99th percentile of the face's vertices moves `pixels`."""
    still = camera.project(head.pose(shape, np.zeros_like(vector), pose)).xy
    face = np.isin(head.topology.region, _FACE)
    factor = 1.0
    # Displacements are nearly linear in the weights: the second step is already exact to a hundredth.
    for _ in range(2):
        moved = camera.project(head.pose(shape, vector * factor, pose)).xy
        factor *= pixels / float(np.percentile(np.linalg.norm(moved - still, axis=1)[face], 99))
    return min(factor, 1 / float(vector.max()))


def sample_drift(rng: np.random.Generator, head: HeadModel, shape: FloatArray, camera: Camera, rest: Pose) -> Pose:
    """Draw how a head moves from onset to apex: its landmarks by 0.1 to 3 px on average, whatever the face does."""
    direction = Pose(neck=rng.normal(0, [0.02, 0.02, 0.012]), translation=rng.normal(0, [0.02, 0.02, 0.02]))
    pixels = float(np.clip(np.exp(rng.normal(np.log(0.8), 0.7)), 0.1, 3.0))
    neutral = np.zeros(len(head.expression_names))
    before, after = (
        head.landmarks(camera.project(head.pose(shape, neutral, pose)).xy)
        for pose in (rest, added(rest, direction, 1.0))
    )
    return direction.scaled(pixels / float(np.linalg.norm(after - before, axis=1).mean()))


def added(rest: Pose, drift: Pose, share: float) -> Pose:
    """Return the pose that is `share` of `drift` away from `rest`."""
    return Pose(
        rest.neck + share * drift.neck,
        rest.rotation + share * drift.rotation,
        rest.translation + share * drift.translation,
    )
