"""MMNet: the shapes that its authors state, augmentation that keeps flows true, and that it learns."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ffbench.protocols.mmnet import FIVE, THREE, AttentionBlock, MMNet, MMNetRecogniser, Settings, augment
from ffbench.protocols.recognisers import FLOW_VALUES

TURNS = Settings(1, 2, 0, rotation=40, padding=0, depth=1, widening=1, drop_path=0)
STILL = Settings(1, 2, 0, rotation=0, padding=0, depth=1, widening=1, drop_path=0)


@pytest.mark.parametrize(("settings", "classes"), [(FIVE, 5), (THREE, 3)])
def test_shapes(settings: Settings, classes: int) -> None:
    network = MMNet(classes, settings).eval()
    assert network.classifier.in_features == 512 * 196
    assert len(network.layers) == settings.depth + 1
    with torch.inference_mode():
        x = network.stem(torch.zeros(1, 3, 224, 224))
        assert x.shape == (1, 128, 112, 112)
        attention = None
        for block, expected in zip(network.blocks, [(128, 112), (128, 56), (256, 28), (512, 14)], strict=True):
            x, attention = block(x, attention)
            assert x.shape == (1, expected[0], expected[1], expected[1])
            assert attention.shape == (1, 1, expected[1], expected[1])
        assert network(torch.zeros(2, 3, 224, 224), torch.zeros(2, 3, 14, 14)).shape == (2, classes)


def test_attention_continues_that_of_the_block_before() -> None:
    block = AttentionBlock(4, 4, 2).eval()
    x = torch.randn(1, 4, 8, 8)
    with torch.inference_mode():
        features, attention = block(x, None)
        nothing, stopped = block(x, torch.zeros(1, 1, 8, 8))
        same, _ = block(x, torch.ones(1, 1, 8, 8))
    assert (stopped == 0).all()
    assert (nothing == 0).all()
    assert torch.equal(same, features)
    assert attention.min() > 0


def test_a_mirrored_flow_moves_the_other_way() -> None:
    rng = torch.Generator().manual_seed(0)
    flow, onset = torch.randn(32, 3, 224, 224, generator=rng), torch.randn(32, 3, 14, 14, generator=rng)
    made, faces = augment(flow, onset, STILL, rng)
    mirrored = torch.tensor([not torch.allclose(a, b, atol=1e-3) for a, b in zip(made, flow, strict=True)])
    assert 0 < mirrored.sum() < 32
    back = made[mirrored].flip(3) * torch.tensor([-1.0, 1.0, 1.0])[:, None, None]
    assert torch.allclose(back, flow[mirrored], atol=1e-3)
    assert torch.equal(faces[mirrored].flip(3), onset[mirrored])
    assert torch.equal(faces[~mirrored], onset[~mirrored])


def test_a_turned_flow_turns_its_places_and_its_vectors() -> None:
    """A spot to the right of the middle that moves outwards: wherever it is turned to, it still moves outwards."""
    rows, columns = torch.meshgrid(torch.arange(224.0), torch.arange(224.0), indexing="ij")
    spot = torch.exp(-((columns - 170) ** 2 + (rows - 111.5) ** 2) / 100)
    flow = torch.stack([spot, torch.zeros_like(spot), spot]).repeat(16, 1, 1, 1)
    made, _ = augment(flow, torch.zeros(16, 3, 14, 14), TURNS, torch.Generator().manual_seed(1))
    angles = []
    for u, v, length in made:
        mass = length.sum()
        x, y = (columns * length).sum() / mass - 111.5, (rows * length).sum() / mass - 111.5
        outwards = torch.stack([x, y]) / torch.hypot(x, y)
        vector = torch.stack([u.sum(), v.sum()]) / mass
        assert torch.allclose(vector, outwards, atol=0.02)
        assert torch.allclose(torch.hypot(u, v), length, atol=1e-3)
        angles.append(float(torch.atan2(y.abs(), x.abs())))
    assert max(angles) > 0.3


def test_the_third_channel_is_the_length() -> None:
    descriptor = np.random.default_rng(0).normal(size=FLOW_VALUES + 588).astype(np.float16)
    features = MMNetRecogniser(5).features(descriptor)[: 3 * 224 * 224].reshape(3, 224, 224)
    assert np.allclose(np.hypot(features[0], features[1]), features[2], atol=1e-3)
    assert MMNetRecogniser(5).epochs == 74
    assert MMNetRecogniser(3).epochs == 99


@pytest.mark.slow
def test_a_fit_predicts_every_pair_and_touches_nobody_elses_chance() -> None:
    features = np.random.default_rng(0).normal(size=(2, 3 * 224 * 224 + 588)).astype(np.float32)
    state = torch.random.get_rng_state()
    predicted = MMNetRecogniser(3, 1, "cpu").fit_predict(features, np.array([0, 1]), features[:1], 3, seed=0)
    assert predicted.shape == (1, 1)
    assert predicted.dtype == np.int8
    assert torch.equal(torch.random.get_rng_state(), state)


@pytest.mark.slow
def test_gradients_reach_every_parameter_and_descend() -> None:
    torch.manual_seed(0)
    network = MMNet(3, FIVE)
    optimiser = torch.optim.AdamW(network.parameters(), 1e-4)
    flow, onset, truth = torch.randn(2, 3, 224, 224), torch.rand(2, 3, 14, 14), torch.tensor([0, 2])
    losses = []
    for _ in range(3):
        loss = torch.nn.functional.cross_entropy(network(flow, onset), truth)
        optimiser.zero_grad()
        loss.backward()
        assert all(parameter.grad is not None for parameter in network.parameters())
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[2] < losses[0]
