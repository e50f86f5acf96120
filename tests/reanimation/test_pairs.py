"""Reanimated pairs: exact at rest, equal to rays that are cast, the same twice, and colors that go with the flow."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ffbench.flow.warp import warp_backward
from ffbench.reanimation.appearance import UNCHANGED, Appearance, draw_appearance, light_on
from ffbench.reanimation.motion import SCALES, FaceState, at_rest, draw_states, pose
from ffbench.reanimation.pairs import ReanimatedPair, reanimate
from ffbench.reanimation.portraits.expressions import UNITS
from ffbench.reanimation.portraits.portrait import Portrait, prepare_portrait
from tests.reanimation.toy_face import toy_photo
from tests.reference.ray_cast import flow_at

TURN = FaceState(np.zeros(len(UNITS)), np.array([0.05, -0.2, 0.03]), np.array([0.05, -0.04, 0.2]))
SMILE = FaceState(
    np.array([0.6 if unit.name.startswith(("mouth_corner", "cheek_")) else 0.0 for unit in UNITS]),
    np.zeros(3),
    np.zeros(3),
)
BOTH = FaceState(SMILE.expression, TURN.turn, TURN.shift)


def plain_pair(portrait: Portrait, first: FaceState, second: FaceState) -> ReanimatedPair:
    return reanimate(portrait, (first, second), UNCHANGED, np.random.default_rng(0))


def test_no_motion_is_no_flow_and_the_photograph_itself(portrait: Portrait) -> None:
    still = plain_pair(portrait, at_rest(), at_rest())
    assert not still.facial.any()
    assert not still.head.any()
    assert not still.occlusion[still.mask].any()
    np.testing.assert_array_equal(still.image1, still.image2)
    photo = np.rint(portrait.image).astype(np.uint8)
    np.testing.assert_array_equal(still.image1[portrait.exact], photo[portrait.exact])
    np.testing.assert_array_equal(still.mask, portrait.exact)
    assert portrait.exact.sum() > 1000
    moved = plain_pair(portrait, at_rest(), BOTH)
    assert (moved.image2 != photo).any(axis=2)[portrait.exact].mean() > 0.9


@pytest.mark.parametrize(("first", "second"), [(at_rest(), BOTH), (BOTH, at_rest()), (TURN, SMILE)])
def test_rays_agree_with_every_flow(portrait: Portrait, first: FaceState, second: FaceState) -> None:
    pair = plain_pair(portrait, first, second)
    surfaces = [pose(portrait, state) for state in (first, second, first.with_head_of(second))]
    places = np.argwhere(pair.mask)[np.random.default_rng(1).choice(int(pair.mask.sum()), 40, replace=False)]
    hidden = 0
    for y, x in places:
        for target, flow in ((surfaces[1], pair.facial), (surfaces[2], pair.head)):
            cast = flow_at(x, y, pair.mask.shape, portrait.camera.focal, surfaces[0], target, portrait.triangles)
            assert cast is not None
            assert np.linalg.norm(cast[0] - flow[y, x]) < 0.01
            if flow is pair.facial:
                assert cast[1] == pair.occlusion[y, x]
                hidden += cast[1]
    other = pose(portrait, FaceState(second.expression, second.turn + np.array([0, 0.01, 0]), second.shift))
    y, x = places[0]
    cast = flow_at(x, y, pair.mask.shape, portrait.camera.focal, surfaces[0], other, portrait.triangles)
    assert cast is not None
    assert np.linalg.norm(cast[0] - pair.facial[y, x]) > 0.05  # rays would see half a degree


def test_what_a_turn_hides_is_hidden_from_rays(portrait: Portrait) -> None:
    away = FaceState(TURN.expression, np.array([0.0, 0.38, 0.0]), np.zeros(3))
    back = FaceState(TURN.expression, -away.turn, away.shift)
    pair = plain_pair(portrait, back, away)
    first, second = pose(portrait, back), pose(portrait, away)
    hidden, seen = (np.argwhere(pair.mask & part) for part in (pair.occlusion, ~pair.occlusion))
    assert len(hidden) > 5
    rng = np.random.default_rng(2)
    for places, expected in ((hidden, True), (seen, False)):
        answers = [
            flow_at(x, y, pair.mask.shape, portrait.camera.focal, first, second, portrait.triangles)
            for y, x in places[rng.choice(len(places), min(len(places), 25), replace=False)]
        ]
        assert np.mean([answer is not None and answer[1] == expected for answer in answers]) >= 0.96


def test_expression_is_the_rest_and_the_head_moves_rigidly(portrait: Portrait) -> None:
    pair = plain_pair(portrait, SMILE, TURN)
    expression = pair.facial - pair.head
    np.testing.assert_array_equal(pair.head + expression, pair.facial)
    assert np.linalg.norm(expression[pair.mask], axis=1).max() > 0.5
    only_head = plain_pair(portrait, at_rest(), TURN)
    np.testing.assert_array_equal(only_head.facial, only_head.head)
    follows = portrait.follows >= 1
    before, after = (pose(portrait, state)[follows] for state in (SMILE, SMILE.with_head_of(TURN)))
    p, q = before - before.mean(axis=0), after - after.mean(axis=0)
    u, _, vt = np.linalg.svd(p.T @ q)
    rotation = u @ np.diag([1, 1, np.linalg.det(u @ vt)]) @ vt
    assert np.abs(p @ rotation - q).max() < 1e-9
    assert np.isin(pair.region[pair.mask], range(1, 8)).all()


def test_two_renders_of_one_motion_agree(portrait: Portrait) -> None:
    rng = np.random.default_rng(4)
    appearance = draw_appearance(rng)
    one, two = (reanimate(portrait, (at_rest(), BOTH), appearance, np.random.default_rng(9)) for _ in range(2))
    for name in ("image1", "image2", "facial", "head", "mask", "occlusion", "region"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
    other = reanimate(portrait, (at_rest(), BOTH), appearance, np.random.default_rng(10))
    np.testing.assert_array_equal(one.facial, other.facial)
    assert (one.image1 != other.image1).any()


@pytest.mark.parametrize(("first", "second"), [(at_rest(), BOTH), (BOTH, at_rest())])
def test_colors_go_with_the_flow(portrait: Portrait, first: FaceState, second: FaceState) -> None:
    pair = plain_pair(portrait, first, second)

    def difference(flow: np.ndarray) -> float:
        warped, valid = warp_backward(pair.image2, flow)
        seen = pair.mask & ~pair.occlusion & valid
        return float(np.abs(warped[seen] - pair.image1[seen]).mean())

    best = difference(pair.facial)
    for shift in ((0.4, 0), (-0.4, 0), (0, 0.4), (0, -0.4)):
        assert difference(pair.facial + np.float32(shift)) > 1.1 * best
    assert difference(np.zeros_like(pair.facial)) > 2 * best


def test_light_noise_and_compression_change(portrait: Portrait) -> None:
    lamp = Appearance(np.array([[0.6, 0.0, -0.8], [-0.6, 0.0, -0.8]]), 0.6, np.ones((2, 3)), 0.0, None)
    lit = reanimate(portrait, (at_rest(), at_rest()), lamp, np.random.default_rng(0))
    assert not lit.facial.any()
    face = np.argwhere(lit.mask)
    left, right = (lit.mask & (np.arange(lit.mask.shape[1]) * side < face[:, 1].mean() * side) for side in (1, -1))
    change = lit.image2.astype(float) - lit.image1
    assert change[left].mean() > 1 > -1 > change[right].mean()  # the lamp went to the left
    np.testing.assert_array_equal(light_on(portrait, at_rest(), UNCHANGED, 1), 1)
    loud = Appearance(UNCHANGED.lamps, 0.0, np.ones((2, 3)), 3.0, 80)
    noisy = reanimate(portrait, (at_rest(), at_rest()), loud, np.random.default_rng(0))
    assert 1 < np.abs(noisy.image1[noisy.mask].astype(float) - noisy.image2[noisy.mask]).mean() < 10


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), name=st.sampled_from(sorted(SCALES)))
def test_a_scale_keeps_its_bounds(portrait: Portrait, seed: int, name: str) -> None:
    scale = SCALES[name]
    first, second = draw_states(portrait, scale, np.random.default_rng(seed))
    face = portrait.region > 0
    seen = [portrait.camera.to_pixels(pose(portrait, state)[face]) for state in (first, second)]
    partner = portrait.camera.to_pixels(pose(portrait, first.with_head_of(second))[face])
    head = np.linalg.norm(partner - seen[0], axis=1).mean()
    assert head < 1.25 * min(scale.head[1], 0.16 * portrait.width)
    assert np.degrees(np.linalg.norm(second.turn - first.turn)) < 45
    expression = np.percentile(np.linalg.norm(seen[1] - partner, axis=1), 95)
    assert expression < 1.25 * min(scale.expression[1], 0.05 * portrait.width)
    again = draw_states(portrait, scale, np.random.default_rng(seed))
    for mine, other in zip((first, second), again, strict=True):
        np.testing.assert_array_equal(mine.expression, other.expression)
        np.testing.assert_array_equal(mine.turn, other.turn)


def test_a_closed_mouth_stays_closed(portrait: Portrait, toy_topology: None) -> None:
    opens = np.array([unit.opens for unit in UNITS])
    opened = prepare_portrait(*toy_photo(gap=0.12))
    assert opened.mouth_open
    assert not portrait.mouth_open

    def any_opening(of: Portrait) -> bool:
        drawn = [draw_states(of, SCALES["large"], np.random.default_rng(seed)) for seed in range(30)]
        return any(state.expression[opens].any() for pair in drawn for state in pair)

    assert not any_opening(portrait)
    assert any_opening(opened)


def test_what_is_not_exact_is_left_out(portrait: Portrait) -> None:
    from ffbench.reanimation.portraits.mesh import EYE_LOOPS, MOUTH_LOOP

    for loop in (*EYE_LOOPS, MOUTH_LOOP):
        x, y = np.rint(portrait.landmarks[list(loop)].mean(axis=0)).astype(int)
        assert not portrait.exact[y, x]
    assert (portrait.alpha[portrait.exact] == 1).all()
    x, y = np.rint(portrait.landmarks[50]).astype(int)
    assert portrait.exact[y, x]  # a cheek
    assert portrait.follows.min() + 1e-9 > 0
    assert (portrait.follows[portrait.region > 0] > 0.99).mean() > 0.95
