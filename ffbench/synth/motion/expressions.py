"""Expressions over ARKit units: targets of the nine AffectNet categories, and sequences towards them (Eqs. 2-4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ffbench.synth.heads.head import FloatArray, Pose

CATEGORIES = ("neutral", "happy", "sad", "surprise", "fear", "disgust", "anger", "contempt", "none")

# Each category's ways of showing it: units without their side, and how strongly a person uses them at full
# intensity. After the action units that the Facial Action Coding System lists for the emotion: happy 6+12,
# sad 1+4+15, surprise 1+2+5+26, fear 1+2+4+5+20+25, disgust 9+15+16 or 10+17, anger 4+5+7+23 or 24,
# contempt 12+14 on one side.
PROTOTYPES: dict[str, tuple[dict[str, float], ...]] = {
    "neutral": ({},),
    "happy": (
        {"mouthSmile": 0.75, "cheekSquint": 0.6, "eyeSquint": 0.35, "mouthDimple": 0.2},
        {"mouthSmile": 0.8, "cheekSquint": 0.6, "eyeSquint": 0.4, "jawOpen": 0.22, "mouthUpperUp": 0.45,
         "mouthLowerDown": 0.3},
        {"mouthSmile": 0.55, "mouthPress": 0.25, "cheekSquint": 0.35, "mouthDimple": 0.3},
    ),
    "sad": (
        {"browInnerUp": 0.85, "browDown": 0.25, "mouthFrown": 0.7, "mouthShrugLower": 0.35, "eyeSquint": 0.2,
         "eyeLookDown": 0.25},
        {"browInnerUp": 0.7, "mouthFrown": 0.55, "mouthPress": 0.35, "eyeBlink": 0.2, "mouthRollLower": 0.2},
    ),
    "surprise": (
        {"browInnerUp": 0.85, "browOuterUp": 0.9, "eyeWide": 0.8, "jawOpen": 0.65, "mouthFunnel": 0.2},
        {"browInnerUp": 0.6, "browOuterUp": 0.7, "eyeWide": 0.5, "jawOpen": 0.35},
    ),
    "fear": (
        {"browInnerUp": 0.8, "browOuterUp": 0.4, "browDown": 0.35, "eyeWide": 0.85, "mouthStretch": 0.65,
         "jawOpen": 0.2, "mouthLowerDown": 0.25},
        {"browInnerUp": 0.6, "browDown": 0.3, "eyeWide": 0.6, "mouthStretch": 0.5, "mouthPress": 0.2},
    ),
    "disgust": (
        {"noseSneer": 0.85, "browDown": 0.45, "mouthUpperUp": 0.55, "cheekSquint": 0.45, "eyeSquint": 0.3},
        {"noseSneer": 0.6, "mouthUpperUp": 0.7, "mouthFrown": 0.4, "mouthShrugLower": 0.4, "browDown": 0.3,
         "jawOpen": 0.08},
    ),
    "anger": (
        {"browDown": 0.9, "eyeWide": 0.3, "eyeSquint": 0.35, "noseSneer": 0.25, "mouthPress": 0.7,
         "mouthRollLower": 0.3, "mouthRollUpper": 0.3},
        {"browDown": 0.85, "noseSneer": 0.5, "mouthUpperUp": 0.4, "mouthLowerDown": 0.55, "jawOpen": 0.25,
         "mouthFunnel": 0.2, "eyeSquint": 0.3},
    ),
    "contempt": (
        {"mouthSmileLeft": 0.5, "mouthDimpleLeft": 0.6, "mouthPressLeft": 0.3, "eyeSquint": 0.2},
        {"mouthSmileRight": 0.5, "mouthDimpleRight": 0.6, "mouthUpperUpRight": 0.3, "browOuterUpRight": 0.3},
    ),
}  # fmt: skip
# Units that a face can always add a little of, whatever it shows.
FREE_UNITS = (
    "browInnerUp", "browDown", "browOuterUp", "eyeSquint", "eyeBlink", "cheekSquint", "noseSneer", "mouthSmile",
    "mouthFrown", "mouthStretch", "mouthPress", "mouthUpperUp", "mouthLowerDown", "mouthPucker", "mouthFunnel",
    "mouthShrugLower", "mouthShrugUpper", "mouthRollLower", "mouthRollUpper", "mouthLeft", "mouthRight",
    "jawOpen", "jawLeft", "jawRight", "jawForward", "cheekPuff", "mouthDimple",
)  # fmt: skip
# Beyond these weights a unit of the MakeHuman head folds skin over itself.
LIMITS = {"eyeBlink": 0.88, "mouthPucker": 0.9, "mouthRollUpper": 0.7, "mouthRollLower": 0.8, "jawOpen": 0.85}


@dataclass(frozen=True)
class Style:
    """How one subject shows expressions: the same emotion looks alike in a subject and differs between two.

    Attributes:
        vigour: factor of all weights.
        habits: factor of each unit.
        lean: how much stronger the left side is than the right, from -1 to 1.
    """

    vigour: float
    habits: Mapping[str, float]
    lean: float


def sample_style(rng: np.random.Generator) -> Style:
    """Draw a subject's style."""
    units = sorted({unit for variants in PROTOTYPES.values() for variant in variants for unit in variant})
    habits = np.exp(rng.normal(0, 0.3, len(units)))
    return Style(
        vigour=float(rng.uniform(0.7, 1.15)),
        habits=dict(zip(units, habits.tolist(), strict=True)),
        lean=float(np.clip(rng.normal(0, 0.12), -0.4, 0.4)),
    )


def sample_target(
    rng: np.random.Generator, names: Sequence[str], category: str, style: Style, intensity: float = 1.0
) -> FloatArray:
    """Draw an apex expression (len(names),) of a category in a subject's style; weights from 0 to 1.

    Args:
        rng: source of chance.
        names: the head's expression units, ARKit's names.
        category: one of `CATEGORIES`; "none" is a face that shows no one emotion.
        style: from `sample_style`.
        intensity: factor of all weights.

    Raises:
        ValueError: an unknown category.
    """
    if category not in CATEGORIES:
        raise ValueError(f"unknown category {category!r}; known: {', '.join(CATEGORIES)}")
    units: dict[str, float] = {}
    if category == "none":
        for unit in rng.choice(FREE_UNITS, int(rng.integers(2, 7)), replace=False):
            units[str(unit)] = float(rng.beta(1.3, 1.8))
    else:
        variants = PROTOTYPES[category]
        for unit, weight in variants[int(rng.integers(len(variants)))].items():
            units[unit] = weight * style.habits.get(unit, 1.0) * float(np.exp(rng.normal(0, 0.15)))
        for unit in rng.choice(FREE_UNITS, int(rng.integers(0, 3)), replace=False):
            units[str(unit)] = units.get(str(unit), 0.0) + float(rng.uniform(0, 0.15))
    return to_vector(names, units, style.lean + float(rng.normal(0, 0.08)), style.vigour * intensity)


def to_vector(names: Sequence[str], units: Mapping[str, float], lean: float, gain: float = 1.0) -> FloatArray:
    """Turn weights of units into a vector; a unit without a side goes to both, `lean` more to the left."""
    vector = np.zeros(len(names))
    index = {name: i for i, name in enumerate(names)}
    for unit, weight in units.items():
        limit = LIMITS.get(unit.removesuffix("Left").removesuffix("Right"), 1.0)
        if unit in index:
            vector[index[unit]] += min(max(weight * gain, 0.0), limit)
            continue
        for side, factor in (("Left", 1 + lean), ("Right", 1 - lean)):
            if unit + side in index:
                vector[index[unit + side]] += min(max(weight * gain * factor, 0.0), limit)
    if "mouthClose" in index and "jawOpen" in index:
        # Closing the lips means something only while the jaw is open.
        vector[index["mouthClose"]] = min(vector[index["mouthClose"]], vector[index["jawOpen"]])
    return np.clip(vector, 0.0, 1.0)


def gaze(names: Sequence[str], sideways: float, upwards: float) -> FloatArray:
    """Turn both eyes: `sideways` to the subject's left and `upwards`, from -1 to 1 (about 15 degrees)."""
    units = {
        "eyeLookOutLeft": max(sideways, 0), "eyeLookInRight": max(sideways, 0),
        "eyeLookInLeft": max(-sideways, 0), "eyeLookOutRight": max(-sideways, 0),
        "eyeLookUpLeft": max(upwards, 0), "eyeLookUpRight": max(upwards, 0),
        "eyeLookDownLeft": max(-upwards, 0), "eyeLookDownRight": max(-upwards, 0),
    }  # fmt: skip
    return to_vector(names, units, 0.0)


@dataclass(frozen=True)
class Frame:
    """What a head does in one frame: expression weights and pose."""

    expression: FloatArray
    pose: Pose

    def partner(self, previous: Frame, units_of_pose: npt.NDArray[np.bool_] | None = None) -> Frame:
        """Return the head partner of this frame: the expression of `previous`, this frame's pose (Eq. 4).

        Args:
            previous: the frame before.
            units_of_pose: entries of the expression that count to the pose (`HeadModel.units_of_pose`); None for none.
        """
        if units_of_pose is None:
            return Frame(previous.expression, self.pose)
        return Frame(np.where(units_of_pose, self.expression, previous.expression), self.pose)

    def towards(self, other: Frame, share: float) -> Frame:
        """Return the frame at `share` of the way from this one to `other`: 0 is this one, 1 the other."""
        poses = zip(vars(self.pose).items(), vars(other.pose).values(), strict=True)
        mixed = {name: (1 - share) * ours + share * theirs for (name, ours), theirs in poses}
        return Frame((1 - share) * self.expression + share * other.expression, Pose(**mixed))


def sequence(target: Frame, shares: Sequence[float] | FloatArray) -> list[Frame]:
    """Interpolate from neutral (beta, 0, 0) to `target` (beta, theta, psi) (Eqs. 2 and 3).

    Args:
        target: the last frame.
        shares: how far each frame is, 0 neutral to 1 target. The paper's sequences of n = 5, 10, 15 or 20
            frames are `numpy.linspace(0, 1, n)`: first neutral and last the target, as its text says.
    """
    return [Frame(target.expression * share, target.pose.scaled(float(share))) for share in shares]
