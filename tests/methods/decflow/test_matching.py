"""Matching features around where a flow points: the right place is found, and learned."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from ffbench.methods.decflow.blocks.matching import RADIUS, STRIDE, Match, Matcher, matching_loss
from ffbench.methods.decflow.weights import create_network
from tests.methods.decflow.nets import CONFIGS, network, pair

SIDE = 2 * RADIUS + 1


def moved(dx: int, dy: int, size: int = 96) -> tuple[torch.Tensor, torch.Tensor]:
    """Noise in [-1, 1] and the same moved by (dx, dy) px."""
    generator = torch.Generator().manual_seed(3)
    noise = 2 * torch.rand(1, 3, size + 64, size + 64, generator=generator) - 1
    first, second = (noise[..., 32 - y : 32 - y + size, 32 - x : 32 - x + size] for x, y in ((0, 0), (dx, dy)))
    return first, second


def matcher() -> Matcher:
    torch.manual_seed(0)
    return Matcher(12)


@torch.inference_mode()
@given(st.integers(-3, 3), st.integers(-3, 3), st.integers(-2, 2), st.integers(-2, 2))
@settings(max_examples=15)
def test_the_best_match_is_where_the_texture_went(x: int, y: int, start_x: int, start_y: int) -> None:
    # Whole cells, so that the features of both images are the same numbers at other places.
    images = moved(STRIDE * x, STRIDE * y)
    flow = torch.tensor([start_x, start_y]).view(1, 2, 1, 1).expand(1, 2, 96, 96) * float(STRIDE)
    _, match = matcher()(*images, flow)
    if max(abs(x - start_x), abs(y - start_y)) > RADIUS:
        return
    inside = match.logits[0, 9:15, 9:15]
    best = inside.flatten(0, 1).argmax(dim=1)
    assert (best == (x - start_x + RADIUS) * SIDE + (y - start_y + RADIUS)).all()
    assert torch.allclose(inside.amax(dim=2), torch.tensor(10.0), atol=1e-3)  # a cosine of 1 by the sharpness


@torch.inference_mode()
def test_both_volumes_are_cosines_read_bilinearly() -> None:
    """A slow reference: each cell of each window by itself, in float64."""
    model, (image1, image2) = matcher(), pair(64, 96)
    flow = 9 * torch.randn(1, 2, 64, 96, generator=torch.Generator().manual_seed(1))
    seen: list[torch.Tensor] = []
    model.compare.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    model(image1, image2, flow)
    first, second = (model.features(image).double().numpy()[0] for image in (image1, image2))
    coarse = F.avg_pool2d(torch.from_numpy(second)[None], 2)[0].numpy()
    cells = F.avg_pool2d(flow.double(), STRIDE)[0].numpy() / STRIDE
    for row, column in ((0, 0), (5, 7), (15, 23), (9, 2)):
        x, y = column + cells[0, row, column], row + cells[1, row, column]
        for level, (other, at) in enumerate(((second, (x, y)), (coarse, (x / 2 - 0.25, y / 2 - 0.25)))):
            expected = [
                first[:, row, column] @ bilinear(other, at[0] + dx, at[1] + dy)
                for dx in range(-RADIUS, RADIUS + 1)
                for dy in range(-RADIUS, RADIUS + 1)
            ]
            found = seen[0][0, level * SIDE**2 : (level + 1) * SIDE**2, row, column]
            np.testing.assert_allclose(found, expected, atol=1e-5)


def bilinear(features: np.ndarray, x: float, y: float) -> np.ndarray:
    """Features (C, h, w) at one place, zero outside."""
    _, height, width = features.shape
    left, top = int(np.floor(x)), int(np.floor(y))
    total = np.zeros(len(features))
    for column, share_x in ((left, left + 1 - x), (left + 1, x - left)):
        for row, share_y in ((top, top + 1 - y), (top + 1, y - top)):
            if 0 <= column < width and 0 <= row < height:
                total += share_x * share_y * features[:, row, column]
    return total


def test_a_matcher_adds_nothing_before_it_is_trained() -> None:
    images = pair(64, 96)
    plain, matching = network("decflow-c"), create_network(CONFIGS["decflow-c-matching"]).eval()
    matching.load_state_dict(plain.state_dict(), strict=False)
    with torch.inference_mode():
        assert torch.equal(plain(*images).facial[-1], matching(*images).facial[-1])
        matching.get_parameter("matcher.join.weight").normal_()  # the control: afterwards it does
        assert not torch.equal(plain(*images).facial[-1], matching(*images).facial[-1])


def match_at(x: float, y: float, flow: torch.Tensor, sharpness: float = 50.0) -> Match:
    """A match that is sure of the offset (x, y) in cells, everywhere."""
    offsets = torch.arange(-RADIUS, RADIUS + 1).float()
    distance = (offsets[:, None] - x) ** 2 + (offsets[None] - y) ** 2
    logits = (-sharpness * distance).flatten().expand(*flow.shape[:1], *flow.shape[2:], -1)
    return Match(logits, flow)


def test_the_loss_is_least_where_pixels_really_go() -> None:
    start = torch.zeros(1, 2, 8, 8)
    valid = torch.ones(1, 32, 32, dtype=torch.bool)
    flow = torch.tensor([2.0, -1.0]).view(1, 2, 1, 1).expand(1, 2, 32, 32) * STRIDE
    right = matching_loss(match_at(2, -1, start), flow, valid)
    assert right == pytest.approx(0, abs=1e-6)
    assert matching_loss(match_at(1, -1, start), flow, valid) > 40
    assert matching_loss(match_at(-1, 2, start), flow, valid) > 40  # x and y are told apart
    # The flow that the window lies around counts.
    assert matching_loss(match_at(1, 0, start + torch.tensor([1.0, -1.0]).view(1, 2, 1, 1)), flow, valid) < 1e-6


def test_between_cells_the_loss_is_shared_and_even_logits_cost_the_same_everywhere() -> None:
    start = torch.zeros(1, 2, 8, 8)
    valid = torch.ones(1, 32, 32, dtype=torch.bool)
    flow = torch.full((1, 2, 32, 32), 0.5 * STRIDE)
    even = matching_loss(Match(torch.zeros(1, 8, 8, SIDE**2), start), flow, valid)
    assert even == pytest.approx(np.log(SIDE**2), rel=1e-5)
    four = torch.full((SIDE, SIDE), -1e4)
    four[RADIUS : RADIUS + 2, RADIUS : RADIUS + 2] = 0
    shared = matching_loss(Match(four.flatten().expand(1, 8, 8, -1), start), flow, valid)
    assert shared == pytest.approx(np.log(4), rel=1e-5)


def test_unknown_pixels_and_those_beyond_the_window_cost_nothing() -> None:
    start = torch.zeros(1, 2, 8, 8)
    valid = torch.ones(1, 32, 32, dtype=torch.bool)
    far = torch.full((1, 2, 32, 32), STRIDE * (RADIUS + 1.0))
    logits = torch.randn(1, 8, 8, SIDE**2, generator=torch.Generator().manual_seed(0), requires_grad=True)
    assert matching_loss(Match(logits, start), far, valid) == 0
    unknown = torch.full((1, 2, 32, 32), float("nan"))
    loss = matching_loss(Match(logits, start), unknown, ~valid)
    loss.backward()
    assert loss == 0
    assert logits.grad is not None
    assert (logits.grad == 0).all()
    # The control: known pixels within the window cost something.
    assert matching_loss(Match(logits, start), torch.zeros(1, 2, 32, 32), valid) > 0


def test_the_loss_teaches_the_features() -> None:
    images = moved(2 * STRIDE, -STRIDE)
    flow = torch.tensor([2.0, -1.0]).view(1, 2, 1, 1).expand(1, 2, 96, 96) * STRIDE
    valid = torch.zeros(1, 96, 96, dtype=torch.bool)
    valid[:, 16:-16, 16:-16] = True
    noisy = (images[0], images[1] + 0.3 * torch.randn(1, 3, 96, 96, generator=torch.Generator().manual_seed(5)))
    model = matcher()
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3)
    losses = []
    for _ in range(25):
        _, match = model(*noisy, torch.zeros(1, 2, 96, 96))
        loss = matching_loss(match, flow, valid)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.7 * losses[0]
