from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffbench.synth.heads.head import Pose
from ffbench.synth.motion.expressions import (
    CATEGORIES,
    PROTOTYPES,
    Frame,
    gaze,
    sample_style,
    sample_target,
    sequence,
    to_vector,
)

BOTH_SIDES = (
    "browDown", "browOuterUp", "cheekSquint", "eyeBlink", "eyeLookDown", "eyeLookIn", "eyeLookOut", "eyeLookUp",
    "eyeSquint", "eyeWide", "mouthDimple", "mouthFrown", "mouthLowerDown", "mouthPress", "mouthSmile",
    "mouthStretch", "mouthUpperUp", "noseSneer",
)  # fmt: skip
SINGLE = (
    "browInnerUp", "cheekPuff", "jawForward", "jawLeft", "jawOpen", "jawRight", "mouthClose", "mouthFunnel",
    "mouthLeft", "mouthPucker", "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower",
    "mouthShrugUpper", "tongueOut",
)  # fmt: skip
NAMES = sorted([*SINGLE, *(unit + side for unit in BOTH_SIDES for side in ("Left", "Right"))])


def test_every_unit_of_a_prototype_is_one_of_arkit() -> None:
    for variants in PROTOTYPES.values():
        for units in variants:
            for unit in units:
                assert unit in NAMES or unit + "Left" in NAMES, unit
    assert set(PROTOTYPES) | {"none"} == set(CATEGORIES)


@given(st.integers(0, 200), st.sampled_from(CATEGORIES))
def test_targets_are_weights_and_come_from_the_seed(seed: int, category: str) -> None:
    def draw() -> np.ndarray:
        rng = np.random.default_rng(seed)
        return sample_target(rng, NAMES, category, sample_style(rng))

    target = draw()
    assert target.shape == (52,)
    assert ((target >= 0) & (target <= 1)).all()
    np.testing.assert_array_equal(target, draw())
    assert target[NAMES.index("mouthClose")] <= target[NAMES.index("jawOpen")]


def test_categories_show_their_action_units() -> None:
    signs = {
        "happy": "mouthSmileLeft",
        "sad": "mouthFrownLeft",
        "surprise": "jawOpen",
        "fear": "mouthStretchLeft",
        "disgust": "noseSneerLeft",
        "anger": "browDownLeft",
    }
    rng = np.random.default_rng(0)
    means = {
        category: np.mean([sample_target(rng, NAMES, category, sample_style(rng)) for _ in range(60)], axis=0)
        for category in CATEGORIES
    }
    for category, unit in signs.items():
        column = {name: mean[NAMES.index(unit)] for name, mean in means.items()}
        assert max(column, key=column.__getitem__) == category, (category, column)
        assert column[category] > 0.35
        assert means["neutral"][NAMES.index(unit)] < 0.1


def test_contempt_is_one_sided_and_subjects_keep_their_style() -> None:
    rng = np.random.default_rng(3)
    left, right = NAMES.index("mouthDimpleLeft"), NAMES.index("mouthDimpleRight")
    for _ in range(20):
        target = sample_target(rng, NAMES, "contempt", sample_style(rng))
        assert abs(target[left] - target[right]) > 0.15
    within, between = [], []
    styles = [sample_style(rng) for _ in range(30)]
    draws = np.array([[sample_target(rng, NAMES, "sad", style) for _ in range(8)] for style in styles])
    within.append(draws.std(axis=1).mean())
    between.append(draws.mean(axis=1).std(axis=0).mean())
    assert np.mean(between) > 0.03
    assert np.mean(within) > 0.01


def test_unknown_category_is_an_error() -> None:
    with pytest.raises(ValueError, match="happy"):
        sample_target(np.random.default_rng(0), NAMES, "joy", sample_style(np.random.default_rng(0)))


def test_sides_lean_and_limits() -> None:
    vector = to_vector(NAMES, {"mouthSmile": 0.5, "eyeBlink": 2.0, "jawLeft": 0.3}, lean=0.2)
    assert vector[NAMES.index("mouthSmileLeft")] == pytest.approx(0.6)
    assert vector[NAMES.index("mouthSmileRight")] == pytest.approx(0.4)
    assert vector[NAMES.index("eyeBlinkLeft")] == pytest.approx(0.88)
    assert vector[NAMES.index("jawLeft")] == pytest.approx(0.3)


def test_gaze_turns_both_eyes_the_same_way() -> None:
    left = gaze(NAMES, 0.5, 0.0)
    assert left[NAMES.index("eyeLookOutLeft")] == left[NAMES.index("eyeLookInRight")] == 0.5
    assert left.sum() == 1.0
    up = gaze(NAMES, 0.0, 0.7)
    assert up[NAMES.index("eyeLookUpLeft")] == up[NAMES.index("eyeLookUpRight")] == 0.7


@pytest.mark.parametrize("n", [5, 10, 15, 20])
def test_a_sequence_runs_from_neutral_to_the_target_in_equal_steps(n: int) -> None:
    target = Frame(np.array([0.5, 1.0]), Pose(neck=np.array([0.1, -0.2, 0.3])))
    frames = sequence(target, np.linspace(0, 1, n))
    assert len(frames) == n
    assert not frames[0].expression.any()
    assert not frames[0].pose.neck.any()
    np.testing.assert_array_equal(frames[-1].expression, target.expression)
    steps = np.diff([frame.expression for frame in frames], axis=0)
    np.testing.assert_allclose(steps, np.broadcast_to(target.expression / (n - 1), steps.shape))
    partner = frames[2].partner(frames[1])
    assert partner.expression is frames[1].expression
    assert partner.pose is frames[2].pose
