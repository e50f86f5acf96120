from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from ffbench.datasets.ffn.files import read_pair
from ffbench.datasets.ffn.scan import scan
from ffbench.datasets.mark import JawReading
from ffbench.synth.heads.flame import FlameHead, load_flame
from ffbench.synth.heads.head import Pose, Region
from ffbench.synth.heads.makehuman import MakeHumanHead
from ffbench.synth.motion.codes import Code
from ffbench.synth.motion.expressions import CATEGORIES
from ffbench.synth.pairs.recipe import (
    LENGTHS,
    MINI_IDENTITIES,
    DatasetRecipe,
    flame_target,
    mini_recipe,
    plan_sequence,
    render_sequence,
    stage,
)
from ffbench.synth.pairs.writer import write_dataset
from ffbench.synth.render.labels import Labels
from tests.synth.flame_folder import write_flame
from tests.synth.posing_head import PosingHead


@pytest.fixture(scope="module")
def toy() -> PosingHead:
    return PosingHead()


@pytest.fixture(scope="module")
def flame(tmp_path_factory: pytest.TempPathFactory) -> FlameHead:
    return load_flame(write_flame(tmp_path_factory.mktemp("flame")))


def test_plans_are_dealt_evenly_and_depend_on_nothing_else(toy: PosingHead) -> None:
    plans = [plan_sequence(DatasetRecipe(seed=4), toy, number) for number in range(360)]
    assert Counter(plan.split for plan in plans) == {"train": 306, "test": 36, "val": 18}
    assert Counter(plan.frames for plan in plans) == dict.fromkeys(LENGTHS, 90)
    assert Counter(plan.emotion for plan in plans) == dict.fromkeys(CATEGORIES, 40)
    assert len({(plan.frames, plan.emotion) for plan in plans}) == 36
    assert len({plan.seed for plan in plans}) == 360
    assert plan_sequence(DatasetRecipe(seed=4, size=64), toy, 123) == plans[123]
    other = [plan_sequence(DatasetRecipe(seed=5), toy, number) for number in range(360)]
    assert not {plan.seed for plan in other} & {plan.seed for plan in plans}


def test_the_mini_recipe_is_one_split_with_all_lengths_and_emotions(toy: PosingHead) -> None:
    plans = [plan_sequence(mini_recipe(), toy, number) for number in range(MINI_IDENTITIES)]
    assert {plan.split for plan in plans} == {"test"}
    assert Counter(plan.frames for plan in plans) == dict.fromkeys(LENGTHS, MINI_IDENTITIES // 4)
    assert sum(plan.frames - 1 for plan in plans) == 138
    assert {plan.emotion for plan in plans} == set(CATEGORIES)


def test_a_sequence_goes_from_rest_to_the_target_in_equal_steps(toy: PosingHead) -> None:
    plan = plan_sequence(DatasetRecipe(size=48), toy, 3)
    _, frames = stage(DatasetRecipe(size=48), toy, plan)
    assert len(frames) == plan.frames == 20
    assert not frames[0].expression.any()
    assert not frames[0].pose.neck.any()
    steps = np.diff([frame.pose.neck for frame in frames], axis=0)
    np.testing.assert_allclose(steps, np.tile(frames[-1].pose.neck / 19, (19, 1)), atol=1e-12)


def test_head_images_have_this_pose_and_the_expression_before(toy: PosingHead) -> None:
    recipe = DatasetRecipe(size=64)
    plan = plan_sequence(recipe, toy, 4)
    made = list(render_sequence(recipe, toy, plan))
    assert [frame.labels is None for frame in made] == [False] * 4 + [True]
    np.testing.assert_array_equal(made[0].image, made[0].head_image)
    for frame in made[:-1]:
        assert frame.labels is not None
        np.testing.assert_array_equal(frame.labels.head + frame.labels.expression, frame.labels.facial)
        assert not frame.labels.facial[~frame.labels.mask].any()
    assert any((frame.image != frame.head_image).any() for frame in made[1:])


def jaw_flows(toy: PosingHead, jaw: JawReading) -> list[Labels]:
    recipe = DatasetRecipe(size=64, jaw=jaw)
    made = render_sequence(recipe, toy, plan_sequence(recipe, toy, 3))  # surprise: the mouth opens
    return [frame.labels for frame in made if frame.labels is not None]


def test_what_opening_the_mouth_counts_to(toy: PosingHead) -> None:
    """Facial flow is the same in both readings; where only the jaw moves, expression flow is there or not."""
    kept, moved = jaw_flows(toy, "expression"), jaw_flows(toy, "pose")
    chin = kept[0].region == Region.CHIN
    for one, other in zip(kept, moved, strict=True):
        np.testing.assert_array_equal(one.facial, other.facial)
        np.testing.assert_array_equal(other.head + other.expression, other.facial)
    speed = [np.mean([np.abs(labels.expression[chin]).mean() for labels in made]) for made in (kept, moved)]
    assert speed[0] > 0.05
    assert speed[1] < 0.5 * speed[0]


def test_the_units_of_the_jaw(toy: PosingHead, flame: FlameHead) -> None:
    assert not toy.units_of_pose("expression").any()
    for head, names in ((toy, ["jawOpen"]), (flame, ["jaw_x", "jaw_y", "jaw_z"])):
        units = head.units_of_pose("pose")
        assert [name for name, of_pose in zip(head.expression_names, units, strict=True) if of_pose] == names


@pytest.mark.assets
def test_the_units_of_the_jaw_of_makehuman(head: MakeHumanHead) -> None:
    units = head.units_of_pose("pose")
    found = {name for name, of_pose in zip(head.expression_names, units, strict=True) if of_pose}
    assert found == {"jawOpen", "jawLeft", "jawRight", "jawForward"}
    # They move the chin, and nothing above the nose.
    shape = head.shape(np.zeros(head.identity_size))
    rest, open_mouth = (head.pose(shape, expression, Pose()) for expression in (0.0 * units, 0.5 * units))
    moved = np.linalg.norm(open_mouth - rest, axis=1)
    assert moved[head.topology.region == Region.CHIN].mean() > 0.05
    assert moved[head.topology.region == Region.FOREHEAD].max() < 0.01


def test_flame_targets_follow_emoca(flame: FlameHead) -> None:
    target = flame_target(np.random.default_rng(0), flame)
    jaw = flame.expression_names.index("jaw_x")
    assert np.abs(target.expression[:50]).max() > 0.3
    assert not target.expression[50:jaw].any()
    assert 0 <= target.expression[jaw] < 0.6
    code = Code("Happy/0001", np.full(100, 0.1), np.linspace(-1, 1, 50), np.arange(6) / 20)
    recipe = DatasetRecipe(size=48, codes=(code,))
    plan = plan_sequence(recipe, flame, 0)
    assert plan.emotion == "happy"
    assert (
        plan_sequence(DatasetRecipe(codes=(Code("img/2", *(np.zeros(n) for n in (100, 50, 6))),)), flame, 0).emotion
        == "none"
    )
    _, frames = stage(recipe, flame, plan)
    np.testing.assert_allclose(frames[-1].expression[:50], code.expression)
    np.testing.assert_allclose(frames[-1].pose.rotation, [0, 0.05, 0.1])
    np.testing.assert_allclose(frames[-1].expression[jaw : jaw + 3], [0.15, 0.2, 0.25])
    assert plan_sequence(DatasetRecipe(), flame, 1).emotion == "none"


@pytest.mark.assets
@pytest.mark.slow
def test_the_ffn_reader_takes_what_is_written(head: MakeHumanHead, tmp_path: Path) -> None:
    write_dataset(tmp_path, head, DatasetRecipe(size=96, split="test"), 4)
    found = scan(tmp_path, "test", head=True)
    assert found.problems == ()
    assert found.sequences() == {f"{e}/{i:05d}": n for i, (e, n) in enumerate(zip(CATEGORIES, LENGTHS, strict=False))}
    regions: set[int] = set()
    moved: list[float] = []
    for pair in found.pairs:
        arrays = read_pair(pair)
        assert arrays.head is not None
        assert arrays.region is not None
        assert arrays.occlusion is not None
        np.testing.assert_array_equal(arrays.region > 0, arrays.mask)
        assert not arrays.facial[~arrays.mask].any()
        expression = np.abs(arrays.facial - arrays.head).max(axis=2)
        # Expressions move the face; next to nothing of them reaches the scalp and what is below the neck.
        still = np.isin(arrays.region, [Region.SCALP, Region.TORSO])
        moved += [float(expression[part].mean()) for part in (still, arrays.region == Region.LIPS)]
        regions |= set(np.unique(arrays.region).tolist())
    assert {Region.FOREHEAD, Region.EYES, Region.NOSE, Region.CHEEKS, Region.LIPS, Region.CHIN} <= regions
    assert 10 * np.mean(moved[::2]) < np.mean(moved[1::2])
