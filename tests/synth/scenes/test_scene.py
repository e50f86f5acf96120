from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ffbench.synth.appearance.chart import chart
from ffbench.synth.appearance.hair import dress
from ffbench.synth.appearance.look import HAIR_STYLES, sample_appearance
from ffbench.synth.heads.head import Pose, Region
from ffbench.synth.heads.makehuman import MakeHumanHead
from ffbench.synth.motion.expressions import Frame
from ffbench.synth.render.bake import lit_share, openness, region_maps
from ffbench.synth.render.sensor import Sensor
from ffbench.synth.render.shading import Light
from ffbench.synth.scenes.scene import Scene, render_frame, render_pair, sample_frame, sample_person, sample_scene
from tests.synth.toy_head import ToyHead

SIZE = 160


@pytest.fixture(scope="module")
def scene(head: MakeHumanHead) -> Scene:
    return sample_scene(sample_person(head, 5, 256), 5, SIZE, SIZE)


def motion(scene: Scene, seed: int) -> tuple[Frame, Frame]:
    rng = np.random.default_rng(seed)
    return sample_frame(rng, scene.person, "neutral", 0.3), sample_frame(rng, scene.person, "happy", 0.5)


@pytest.mark.assets
def test_the_same_seed_gives_the_same_pair_whatever_was_made_before(head: MakeHumanHead, scene: Scene) -> None:
    first = render_pair(scene, *motion(scene, 1))
    sample_scene(sample_person(head, 77, 256), 3, 64, 64)
    np.random.default_rng().random(5)
    again = sample_scene(sample_person(head, 5, 256), 5, SIZE, SIZE)
    second = render_pair(again, *motion(again, 1))
    np.testing.assert_array_equal(first.frame1.image, second.frame1.image)
    np.testing.assert_array_equal(first.frame2.image, second.frame2.image)
    np.testing.assert_array_equal(first.labels.facial, second.labels.facial)
    other = sample_scene(sample_person(head, 6, 256), 5, SIZE, SIZE)
    assert (render_frame(other, motion(other, 1)[0]).image != first.frame1.image).mean() > 0.2


@pytest.mark.assets
def test_warping_frame_2_back_gives_frame_1_where_it_is_seen(scene: Scene) -> None:
    import cv2

    # Light from everywhere and a clean sensor: what a point looks like does not change as it moves.
    even = Light(np.full(3, 0.9), np.zeros((3, 3)), np.array([[0.0, 0.0, 1.0]]), np.zeros((1, 3)), shadows=False)
    plain = replace(scene, light=even, sensor=Sensor(blur=0, noise=0, contrast=0))
    pair = render_pair(plain, *motion(plain, 1))
    labels = pair.labels
    assert np.abs(labels.facial[labels.mask]).mean() > 1
    y, x = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32)
    back = cv2.remap(pair.frame2.image, x + labels.facial[..., 0], y + labels.facial[..., 1], cv2.INTER_CUBIC)
    error = np.abs(back.astype(float) - pair.frame1.image).mean(axis=2)
    # Edges are anti-aliased in both frames: compare inside of what is seen.
    inner = cv2.erode((labels.mask & ~labels.occlusion).astype(np.uint8), np.ones((5, 5))) > 0
    assert inner.sum() > 3000
    still = np.abs(pair.frame2.image.astype(float) - pair.frame1.image).mean(axis=2)
    assert error[inner].mean() < 2.5
    assert error[inner].mean() < 0.5 * still[inner].mean()


@pytest.mark.assets
def test_landmarks_move_with_the_flow(scene: Scene) -> None:
    pair = render_pair(scene, *motion(scene, 2))
    points = pair.frame1.landmarks
    inside = (points > 1).all(axis=1) & (points < SIZE - 2).all(axis=1)
    inside[:17] = False  # the outline: the nearest pixel may be background
    near = np.rint(points[inside]).astype(int)
    flow = pair.labels.facial[near[:, 1], near[:, 0]]
    error = np.linalg.norm(pair.frame2.landmarks[inside] - points[inside] - flow, axis=1)
    assert np.median(error) < 0.15


@pytest.mark.assets
def test_the_background_stands_still_and_the_partner_keeps_the_expression(scene: Scene) -> None:
    quiet = replace(scene, sensor=Sensor(noise=0, blur=0))
    pair = render_pair(quiet, *motion(quiet, 3), with_partner=True)
    assert pair.partner is not None
    away = np.ones((SIZE, SIZE), bool)
    for frame in (pair.frame1, pair.frame2):
        away &= (frame.seen.ids < 0)[1::2, 1::2] & (frame.seen.ids < 0)[:-1:2, :-1:2] & (frame.seen.ids < 0)[2::2, 2::2]
        away &= (frame.seen.ids < 0)[2::2, :-1:2] & (frame.seen.ids < 0)[:-1:2, 2::2]
    assert away.any()
    np.testing.assert_array_equal(pair.frame1.image[away], pair.frame2.image[away])
    head_motion = pair.partner.landmarks - pair.frame1.landmarks
    near = np.rint(pair.frame1.landmarks[27:31]).astype(int)
    np.testing.assert_allclose(pair.labels.head[near[:, 1], near[:, 0]], head_motion[27:31], atol=0.3)


@pytest.mark.assets
def test_a_face_looks_like_one(scene: Scene) -> None:
    quiet = replace(scene, sensor=Sensor(noise=0, blur=0, exposure=1.2))
    image = render_frame(quiet, motion(quiet, 4)[0]).image.astype(float)
    frame = render_frame(quiet, motion(quiet, 4)[0])
    points = np.rint(frame.landmarks).astype(int)
    luma = image.mean(axis=2)

    def at(indices: list[int]) -> float:
        return float(np.mean([luma[y - 1 : y + 2, x - 1 : x + 2].mean() for x, y in points[indices]]))

    cheeks = (points[[2, 14]] + points[[31, 35]]) // 2
    cheek = float(np.mean([luma[y, x] for x, y in cheeks]))
    assert at([18, 19, 24, 25]) < cheek, "brows are darker than cheeks"
    red = image[..., 0] - image[..., 2]
    assert np.mean([red[y, x] for x, y in cheeks]) > 5, "skin is warm"


@pytest.mark.assets
def test_every_look_can_be_drawn(head: MakeHumanHead) -> None:
    from ffbench.synth.appearance.paint_detail import paint_detail
    from ffbench.synth.appearance.painting import paint_skin

    shape = head.shape(np.zeros(head.identity_size))
    seen = set()
    for seed in range(30):
        look = sample_appearance(np.random.default_rng(seed))
        seen.add(look.hair_style)
        if seed < 6:
            skin = paint_skin(head, look, 128)
            assert skin.shape == (128, 128, 4)
            assert skin[..., :3].std() > 5
            assert paint_detail(look).std() > 5
        dressed = dress(head, look, shape)
        assert dressed.shape == shape.shape
        moved = np.linalg.norm(dressed - shape, axis=1)[: len(head.template)]
        face = np.isin(head.topology.region, [Region.EYES, Region.MOUTH, Region.EARS])
        assert not moved[face].any()
        assert moved.max() < 0.9
    assert seen == set(HAIR_STYLES)


@pytest.mark.assets
def test_the_sheet_is_upright_with_lips_under_the_nose(head: MakeHumanHead) -> None:
    maps = region_maps(head, 256)
    center = {
        region: np.array(np.nonzero(maps[region] > 0.5)).mean(axis=1) / 256 for region in (Region.LIPS, Region.NOSE)
    }
    assert center[Region.LIPS][1] == pytest.approx(0.5, abs=0.01)
    assert center[Region.NOSE][1] == pytest.approx(0.5, abs=0.01)
    assert center[Region.LIPS][0] > center[Region.NOSE][0]
    points = chart(head).points
    assert maps[Region.LIPS][tuple((points[[51, 57]].mean(axis=0)[::-1] * 256).astype(int))] > 0.5


@pytest.mark.assets
def test_folds_see_less_light_than_the_forehead(head: MakeHumanHead) -> None:
    share = openness(head)
    region = head.topology.region
    assert ((share >= 0) & (share <= 1 + 1e-9)).all()
    assert share[region == Region.FOREHEAD].min() > 0.8
    assert share[region == Region.MOUTH].mean() < 0.5


def test_light_reaches_the_near_side_only(toy: ToyHead) -> None:
    ball = toy.template
    lit = lit_share(ball, toy.topology.triangles, np.array([1.0, 0.0, 0.0]), 128, 0.05)
    assert (lit[ball[:, 0] > 0.5] > 0.99).all()
    assert (lit[ball[:, 0] < -0.5] < 0.01).all()


def test_a_scaled_pose_is_part_of_the_way() -> None:
    pose = Pose(np.array([0.2, 0.0, 0.4]), np.array([0.1, 0.1, 0.1]), np.array([1.0, 2.0, 3.0])).scaled(0.5)
    np.testing.assert_allclose(pose.translation, [0.5, 1.0, 1.5])
    np.testing.assert_allclose(pose.neck, [0.1, 0, 0.2])
