"""MMNet: the shapes that its authors state, augmentation that keeps flows true, and that it learns."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from ffbench.microexpressions.flow_choice import FACE_VALUES, FLOW_VALUES, split
from ffbench.microexpressions.registration import SIZE, resized_face
from ffbench.protocols.recognition.recognisers.mmnet import (
    FIVE,
    MAIN_BRANCH,
    THREE,
    AttentionBlock,
    MMNet,
    Positions,
    Shape,
)
from ffbench.protocols.recognition.recognisers.mmnet_recogniser import MMNetRecipe, MMNetRecogniser, augment
from ffbench.recogniser import RegisteredFace

TURNS = MMNetRecipe(FIVE, 1, 2, 0, 0, rotation=40, padding=0)
STILL = MMNetRecipe(FIVE, 1, 2, 0, 0, rotation=0, padding=0)


@pytest.mark.parametrize(("shape", "classes"), [(FIVE, 5), (THREE, 3)])
def test_shapes(shape: Shape, classes: int) -> None:
    network = MMNet(classes, shape).eval()
    assert network.classifier.in_features == 512 * 196
    assert network.calibration is not None
    assert len(network.calibration.layers) == shape.depth + 1
    with torch.inference_mode():
        x = network.stem(torch.zeros(1, 3, 224, 224))
        assert x.shape == (1, 128, 112, 112)
        attention = None
        for block, expected in zip(network.blocks, [(128, 112), (128, 56), (256, 28), (512, 14)], strict=True):
            x, attention = block(x, attention)
            assert x.shape == (1, expected[0], expected[1], expected[1])
            assert attention.shape == (1, 1, expected[1], expected[1])
        assert network(torch.zeros(2, 3, 224, 224), torch.zeros(2, 3, 14, 14)).shape == (2, classes)


def test_a_smaller_flow_ends_at_the_same_places() -> None:
    network = MMNet(3, MAIN_BRANCH, shrink=4).eval()
    with torch.inference_mode():
        x, attention = network.stem(torch.zeros(1, 3, 56, 56)), None
        for block, side in zip(network.blocks, (28, 14, 14, 14), strict=True):
            x, attention = block(x, attention)
            assert x.shape[2:] == attention.shape[2:] == (side, side)
        assert network(torch.zeros(1, 3, 56, 56)).shape == (1, 3)


def test_positions_are_normal_at_every_place() -> None:
    with torch.inference_mode():
        positions = Positions(FIVE)(torch.rand(2, 3, 14, 14))
    assert positions.shape == (2, 512, 14, 14)
    assert torch.allclose(positions.mean(1), torch.zeros(()), atol=1e-3)
    assert torch.allclose(positions.std(1), torch.ones(()), atol=1e-2)


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
    flow, onset = torch.randn(32, 3, 224, 224, generator=rng), torch.randn(32, 3, 28, 28, generator=rng)
    made, faces = augment(flow, onset, STILL, rng)
    assert faces is not None
    mirrored = torch.tensor([not torch.allclose(a, b, atol=1e-3) for a, b in zip(made, flow, strict=True)])
    assert 0 < mirrored.sum() < 32
    back = made[mirrored].flip(3) * torch.tensor([-1.0, 1.0, 1.0])[:, None, None]
    assert torch.allclose(back, flow[mirrored], atol=1e-3)
    assert torch.allclose(faces[mirrored].flip(3), onset[mirrored], atol=1e-4)
    assert torch.allclose(faces[~mirrored], onset[~mirrored], atol=1e-4)


def test_the_onset_face_is_turned_and_shifted_with_the_frames() -> None:
    """A face that is as bright as its flow is long: after any turn and shift it still is."""
    rows, columns = torch.meshgrid(torch.arange(224.0), torch.arange(224.0), indexing="ij")
    spot = torch.exp(-((columns - 150) ** 2 + (rows - 80) ** 2) / 400)
    flow, onset = spot.repeat(8, 3, 1, 1), spot.repeat(8, 3, 1, 1)
    recipe = replace(TURNS, padding=15)
    made, faces = augment(flow, onset, recipe, torch.Generator().manual_seed(2))
    assert faces is not None
    assert torch.allclose(faces[:, 0], made[:, 2], atol=1e-5)
    # What the network reads of it is turned too: the places of the spot differ from clip to clip.
    small = torch.nn.functional.interpolate(faces[:, :1], (14, 14), mode="bilinear")
    assert len({int(face.argmax()) for face in small}) > 4
    assert augment(flow, None, recipe, torch.Generator().manual_seed(2))[1] is None


def test_positions_read_the_middle_of_each_square_as_the_released_code_does() -> None:
    """Resized without smoothing, as by torchvision when the code was released: four of 256 pixels count."""
    onset = torch.rand(2, 3, 224, 224, generator=torch.Generator().manual_seed(3))
    squares = onset.reshape(2, 3, 14, 16, 14, 16)[:, :, :, 7:9, :, 7:9].mean(dim=(3, 5))
    positions = Positions(FIVE).eval()
    with torch.inference_mode():
        assert torch.allclose(positions(onset), positions(squares), atol=1e-4)


def test_a_face_is_resized_by_pillow() -> None:
    crop = np.random.default_rng(0).integers(0, 256, (281, 231, 3), dtype=np.uint8)
    face = resized_face(crop)
    assert face.shape == (SIZE, SIZE, 3)
    assert face.dtype == np.float32
    # Every pixel of a smaller picture is a mean over its surroundings, so that noise is smoothed.
    assert 0 <= face.min() < face.max() <= 1
    assert face.std() < 0.95 * crop.std() / 255
    assert np.allclose(face.mean(), crop.mean() / 255, atol=0.01)


def test_a_turned_flow_turns_its_places_and_its_vectors() -> None:
    """A spot to the right of the middle that moves outwards: wherever it is turned to, it still moves outwards."""
    rows, columns = torch.meshgrid(torch.arange(224.0), torch.arange(224.0), indexing="ij")
    spot = torch.exp(-((columns - 170) ** 2 + (rows - 111.5) ** 2) / 100)
    flow = torch.stack([spot, torch.zeros_like(spot), spot]).repeat(16, 1, 1, 1)
    made, _ = augment(flow, None, TURNS, torch.Generator().manual_seed(1))
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
    descriptor = np.random.default_rng(0).normal(size=FLOW_VALUES + FACE_VALUES).astype(np.float16)
    features = MMNetRecogniser(5).features(split(descriptor))[: 3 * 224 * 224].reshape(3, 224, 224)
    assert np.allclose(np.hypot(features[0], features[1]), features[2], atol=1e-3)


def test_what_is_learnt_from_at_a_quarter_of_the_resolution() -> None:
    flow = np.arange(SIZE, dtype=np.float32)[None, :, None] * np.float32([1, -2]) + np.zeros((SIZE, 1, 1), np.float32)
    onset = np.zeros((SIZE, SIZE, 3))
    onset[2, 3] = 1
    descriptor = np.concatenate([flow.ravel(), onset.ravel()]).astype(np.float16)
    features = MMNetRecogniser(5, recipe="main_branch").features(split(descriptor))
    u, v, length = features.reshape(3, 56, 56)  # and no face: the main branch alone reads no positions
    assert np.allclose(u, 4 * np.arange(56) + 1.5)
    assert np.allclose(v, -2 * u)
    assert np.allclose(length, np.sqrt(5) * u, rtol=1e-4)
    face = MMNetRecogniser(5).features(split(descriptor))[-FACE_VALUES:].reshape(3, SIZE, SIZE)
    # Black and white, by the mean and spread of ImageNet's colors.
    assert np.allclose(face[:, 0, 0], [-2.118, -2.036, -1.804], atol=1e-3)
    assert np.allclose(face[:, 2, 3], [2.249, 2.429, 2.640], atol=1e-3)


def test_recipes() -> None:
    five, three = (MMNetRecogniser(classes) for classes in (5, 3))
    assert (five.epochs, three.epochs) == (74, 99)
    assert (five.recipe.shape, five.recipe.shrink, five.recipe.rate(0)) == (FIVE, 1, 8e-4)
    assert five.recipe.rate(60) == five.recipe.rate(50) == pytest.approx(8e-4 * 0.987**50)
    main = MMNetRecogniser(3, recipe="main_branch", epochs=4).recipe
    assert main.rate(2) == pytest.approx(main.rate(0) / 2)
    assert (main.weight_decay, main.padding) == (three.recipe.weight_decay, three.recipe.padding)
    assert (five.recipe.precision, three.recipe.precision, main.precision) == ("fp32", "fp32", "bf16")


@pytest.mark.slow
def test_the_released_recipe_runs_with_the_face_of_each_clip() -> None:
    """One epoch over three clips, the last batch of one clip alone."""
    rng = np.random.default_rng(0)
    recogniser = MMNetRecogniser(3, 1, device="cpu")
    recogniser.recipe = replace(recogniser.recipe, batch=2)
    descriptors = rng.normal(size=(3, FLOW_VALUES + FACE_VALUES)).astype(np.float16)
    features = np.stack([recogniser.features(split(descriptor)) for descriptor in descriptors])
    predicted = recogniser.fit_predict(features, np.arange(3), features[:2], 3, seed=0)
    assert predicted.shape == (1, 2)
    assert np.isin(predicted, range(3)).all()


@pytest.mark.slow
def test_motion_is_learnt_whoever_shows_it() -> None:
    """Three motions in three places: they are told by clips that were never seen, after 48 steps."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[0:SIZE, 0:SIZE]
    recogniser = MMNetRecogniser(3, 8, "main_branch", device="cpu")
    recogniser.recipe = replace(recogniser.recipe, batch=4)  # many steps out of few clips
    labels = np.arange(36, dtype=np.int64) % 3
    features = []
    for of in labels:
        x, y, vector = [(60, 70, (0, -2)), (160, 70, (0, 2)), (112, 160, (2, 0))][of]
        spot = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 3000) * rng.uniform(0.5, 1.5)
        flow = spot[:, :, None] * vector + rng.normal(size=2) * 0.1
        onset = np.zeros((SIZE, SIZE, 3))
        face = RegisteredFace(flow.astype(np.float32), onset.astype(np.float32))
        features.append(recogniser.features(face))
    known, unknown = np.stack(features[:24]), np.stack(features[24:])
    state = torch.random.get_rng_state()
    predicted = recogniser.fit_predict(known, labels[:24], unknown, 3, seed=0)
    assert predicted.shape == (8, 12)
    assert predicted.dtype == np.int8
    assert (predicted[-1] == labels[24:]).mean() > 0.8, predicted
    # Nobody else's chance is touched.
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
