from __future__ import annotations

import numpy as np
import pytest

from ffbench.synth.heads.head import HeadModel, Pose, Region
from ffbench.synth.heads.makehuman import MakeHumanHead
from ffbench.synth.motion.expressions import PROTOTYPES, Frame, gaze, to_vector
from ffbench.synth.render.camera import Camera
from ffbench.synth.render.labels import Labels, label_pair
from ffbench.synth.render.raster import rasterize_supersampled
from tests.reference.flow_truth import truth
from tests.synth.toy_head import ToyHead


def label(head: HeadModel, camera: Camera, frame1: Frame, frame2: Frame) -> tuple[Labels, np.ndarray, np.ndarray]:
    shape = head.shape(np.zeros(head.identity_size))
    triangles = head.topology.triangles
    projected = [
        camera.project(head.pose(shape, frame.expression, frame.pose))
        for frame in (frame1, frame2, frame2.partner(frame1))
    ]
    seen = [
        rasterize_supersampled(one.xy, one.depth, triangles, camera.height, camera.width, head.topology.two_sided)
        for one in projected[:2]
    ]
    labels = label_pair(head.topology, camera, *projected, *seen)
    return labels, projected[0].points, projected[1].points


def frames(head: HeadModel, seed: int) -> tuple[Frame, Frame]:
    rng = np.random.default_rng(seed)
    count = len(head.expression_names)
    pair = []
    for _ in range(2):
        expression = np.clip(rng.normal(0.1, 0.3, count), 0, 0.8)
        pair.append(Frame(expression, Pose(rng.normal(0, 0.15, 3), rng.normal(0, 0.05, 3), rng.normal(0, 0.05, 3))))
    return pair[0], pair[1]


TOY_CAMERA = Camera(48, 64, 160.0, 9.0, (0.0, 7.0, 0.4), (0.05, 0.1, 0.02))


@pytest.mark.parametrize("seed", [1, 2])
def test_agrees_with_rays_on_every_pixel_of_a_small_image(toy: ToyHead, seed: int) -> None:
    labels, points1, points2 = label(toy, TOY_CAMERA, *frames(toy, seed))
    pixels = np.stack(np.meshgrid(np.arange(64), np.arange(48)), axis=-1).reshape(-1, 2)
    answers = truth(points1, points2, toy.topology.triangles, toy.topology.two_sided, TOY_CAMERA.focal, 48, 64, pixels)
    inner = hidden = 0
    for (x, y), answer in zip(pixels, answers, strict=True):
        if answer.hit.clearance < 2e-3:
            continue
        assert labels.mask[y, x] == (answer.hit.triangle >= 0)
        if answer.hit.triangle < 0:
            assert not labels.facial[y, x].any()
            assert not labels.head[y, x].any()
            continue
        inner += 1
        assert np.abs(labels.facial[y, x] - answer.flow).max() < 1e-4
        assert labels.depth[y, x] == pytest.approx(answer.depth, rel=1e-6)
        nearest = toy.topology.triangles[answer.hit.triangle][answer.hit.weights.argmax()]
        if np.sort(answer.hit.weights)[-1] - np.sort(answer.hit.weights)[-2] > 1e-6:
            assert labels.region[y, x] == toy.topology.region[nearest]
        if answer.margin > 0.02:
            assert labels.occlusion[y, x] == answer.hidden
            hidden += answer.hidden
    assert inner > 500
    assert hidden > 5


def test_no_motion_is_exactly_no_flow(toy: ToyHead) -> None:
    frame, _ = frames(toy, 1)
    labels, _, _ = label(toy, TOY_CAMERA, frame, frame)
    assert labels.mask.any()
    for flow in (labels.facial, labels.head, labels.expression):
        assert not flow.any()
    assert not labels.occlusion.any()


@pytest.mark.parametrize("seed", range(3))
def test_facial_is_head_plus_expression_to_the_last_bit(toy: ToyHead, seed: int) -> None:
    labels, _, _ = label(toy, TOY_CAMERA, *frames(toy, seed))
    assert np.abs(labels.expression).max() > 0.1
    np.testing.assert_array_equal(labels.head + labels.expression, labels.facial)


def test_only_the_pose_changes_head_flow_and_only_the_expression_the_other(toy: ToyHead) -> None:
    one, two = frames(toy, 2)
    still, _, _ = label(toy, TOY_CAMERA, one, Frame(two.expression, one.pose))
    assert still.facial.any()
    assert not still.head.any()
    stiff, _, _ = label(toy, TOY_CAMERA, one, Frame(one.expression, two.pose))
    assert stiff.facial.any()
    assert not stiff.expression.any()


def test_background_is_occluded_where_the_head_comes_to_lie(toy: ToyHead) -> None:
    rest = np.zeros(len(toy.expression_names))
    labels, _, _ = label(toy, TOY_CAMERA, Frame(rest, Pose()), Frame(rest, Pose(translation=np.array([0.4, 0, 0]))))
    other, _, _ = label(toy, TOY_CAMERA, Frame(rest, Pose(translation=np.array([0.4, 0, 0]))), Frame(rest, Pose()))
    np.testing.assert_array_equal(labels.occlusion[~labels.mask], other.mask[~labels.mask])
    assert not labels.facial[~labels.mask].any()


def test_what_leaves_the_image_is_occluded(toy: ToyHead) -> None:
    rest = np.zeros(len(toy.expression_names))
    labels, _, _ = label(toy, TOY_CAMERA, Frame(rest, Pose()), Frame(rest, Pose(translation=np.array([2.5, 0, 0]))))
    x = np.arange(64) + labels.facial[..., 0]
    assert labels.occlusion[(x > 63.51) & labels.mask].all()
    assert (labels.occlusion & (x < 63.4) & labels.mask).sum() < 0.05 * labels.mask.sum()


@pytest.mark.assets
def test_the_real_head_agrees_with_rays(head: MakeHumanHead) -> None:
    names = head.expression_names
    smile = to_vector(names, PROTOTYPES["happy"][1], 0.1) + gaze(names, 0.5, -0.3)
    blink = to_vector(names, {"eyeBlink": 0.7, "jawOpen": 0.3}, 0.0)
    camera = Camera(192, 192, 600.0, 9.0, (0.0, 7.0, 0.8))
    pair = Frame(blink, Pose(neck=np.array([0.05, -0.2, 0.03]))), Frame(smile, Pose(neck=np.array([-0.1, 0.25, 0.0])))
    labels, points1, points2 = label(head, camera, *pair)
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 192, (2500, 2))
    answers = truth(points1, points2, head.topology.triangles, head.topology.two_sided, camera.focal, 192, 192, pixels)
    errors, wrong, compared = [], 0, 0
    for (x, y), answer in zip(pixels, answers, strict=True):
        if answer.hit.clearance < 2e-3 or answer.hit.triangle < 0:
            continue
        errors.append(np.abs(labels.facial[y, x] - answer.flow).max())
        if answer.margin > 0.02:
            compared += 1
            wrong += labels.occlusion[y, x] != answer.hidden
    assert len(errors) > 500
    assert max(errors) < 1e-4
    assert wrong <= 0.002 * compared
    found = set(np.unique(labels.region))
    assert {Region.FOREHEAD, Region.EYES, Region.NOSE, Region.CHEEKS, Region.LIPS, Region.CHIN} <= found
