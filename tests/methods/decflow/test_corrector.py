"""The light network that corrects a classical flow: what it starts from, and what its losses teach."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from ffbench.methods.decflow.blocks.bodies import Body
from ffbench.methods.decflow.config import CorrectorConfig
from ffbench.methods.decflow.networks.classical_start import BothWays, add_classical_flows, classical_flows
from ffbench.methods.decflow.networks.corrector import CorrectorPredictions, DecFlowCorrector, level_sizes
from ffbench.methods.decflow.training.build import DecFlowTrainee
from ffbench.methods.decflow.training.corrector_loss import (
    WEIGHTS,
    _bodies,
    _depth_error,
    _moves_rigidly,
    corrector_loss,
)
from ffbench.synth.heads.head import Region
from ffbench.training.recipe import Stage
from tests.methods.decflow.nets import TINY_CORRECTOR, network, pair
from tests.methods.decflow.test_overfit import scene


def shifted(dx: int, dy: int, size: int = 96) -> tuple[torch.Tensor, torch.Tensor]:
    """A smooth texture and the same moved by (dx, dy)."""
    texture = cv2.GaussianBlur(np.random.default_rng(0).random((size + 32, size + 32, 3), np.float32), (0, 0), 2)
    texture = (texture - texture.min()) / np.ptp(texture)
    first, second = (texture[16 - y : 16 - y + size, 16 - x : 16 - x + size] for x, y in ((0, 0), (dx, dy)))
    image1, image2 = (torch.from_numpy(image.copy()).permute(2, 0, 1)[None] for image in (first, second))
    return image1, image2


@pytest.mark.parametrize(("dx", "dy"), [(3, 0), (0, -5), (4, 2)])
def test_the_start_points_forward_and_back(dx: int, dy: int) -> None:
    forward, backward = classical_flows(*shifted(dx, dy))
    inside = (slice(None), slice(None), slice(16, -16), slice(16, -16))
    expected = torch.tensor([dx, dy]).view(2, 1, 1).float()
    assert forward.shape == backward.shape == (1, 2, 96, 96)
    assert (forward[inside] - expected).abs().mean() < 0.05
    assert (backward[inside] + expected).abs().mean() < 0.05


@torch.inference_mode()
def test_an_untrained_network_is_the_classical_method() -> None:
    torch.manual_seed(0)
    images = shifted(4, 2)
    model = DecFlowCorrector(TINY_CORRECTOR).eval()
    start, _ = classical_flows(*images)
    assert (model(*images).facial[-1] - start).abs().max() < 0.1
    without = DecFlowCorrector(TINY_CORRECTOR.model_copy(update={"start": "none"})).eval()
    # The alignment finds the shift, and the pull that it begins with takes a little of it over.
    assert without(*images).facial[-1].abs().max() < 0.3


def test_dis_begins_at_what_it_is_given_and_leaves_that_as_it_was() -> None:
    # Noise that moves by half the image: from zero DIS finds nothing, from near by it finds the motion.
    images = [torch.from_numpy(image) for image in noise_moved(64, size=128)]
    begin = torch.tensor([65.0, 1.0]).view(1, 2, 1, 1).expand(1, 2, 128, 128).contiguous()
    before = begin.clone()
    forward, backward = classical_flows(*images, (begin, -begin))
    alone, _ = classical_flows(*images)
    seen = (slice(None), 0, slice(16, -16), slice(8, 48))
    assert (alone[seen] - 64).abs().median() > 10
    assert (forward[seen] - 64).abs().median() < 0.5
    assert (backward[:, 0, 16:-16, 80:-8] + 64).abs().median() < 0.5
    assert torch.equal(begin, before)


def noise_moved(dx: int, size: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Coarse noise and the same moved by `dx` to the right, each (1, 3, size, size)."""
    noise = cv2.GaussianBlur(np.random.default_rng(1).random((size, size + dx, 3), np.float32), (0, 0), 1.5)
    noise = ((noise - noise.min()) / np.ptp(noise)).transpose(2, 0, 1)[None]
    return np.ascontiguousarray(noise[..., dx:]), np.ascontiguousarray(noise[..., :size])


@torch.inference_mode()
def test_each_level_begins_where_the_coarser_one_ended() -> None:
    torch.manual_seed(0)
    images = shifted(6, -4, size=192)
    model = DecFlowCorrector(TINY_CORRECTOR.model_copy(update={"levels": 2})).eval()
    first, second = (F.interpolate(image, (96, 96), mode="area") for image in images)
    there, back = classical_flows(first, second)
    forward = model(first, second, start=(there, back)).facial[-1]
    backward = model(second, first, start=(back, there)).facial[-1]
    larger = [F.interpolate(flow, (192, 192), mode="bilinear") * 2 for flow in (forward, backward)]
    expected = classical_flows(*images, (larger[0], larger[1]))
    found = model.find_start(*images)
    for one, other in zip(found, expected, strict=True):
        assert torch.allclose(one, other, atol=1e-4)
    single = DecFlowCorrector(TINY_CORRECTOR).eval()
    assert torch.equal(single.find_start(*images)[0], classical_flows(*images)[0])


@given(st.integers(64, 2000), st.integers(64, 2000), st.integers(1, 4))
def test_levels_halve_the_size_as_long_as_the_network_takes_it(height: int, width: int, levels: int) -> None:
    sizes = level_sizes((height, width), levels, 32, 64)
    assert len(sizes) < levels
    for level, (h, w) in enumerate(sizes, 1):
        assert h % 32 == w % 32 == 0
        assert min(h, w) >= 64
        assert abs(h - height / 2**level) <= 16
        assert abs(w - width / 2**level) <= 16
    if len(sizes) < levels - 1:  # the next would be too small
        assert round(min(height, width) / 2 ** (len(sizes) + 1) / 32) < 2


def test_several_levels_need_dis() -> None:
    with pytest.raises(ValidationError, match="several levels"):
        CorrectorConfig(start="none", levels=2)


def test_every_other_batch_learns_from_what_the_coarser_levels_lead_to(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[torch.Tensor] = []
    model = DecFlowCorrector(TINY_CORRECTOR.model_copy(update={"levels": 2}))

    def found(image1: torch.Tensor, image2: torch.Tensor) -> BothWays:
        asked.append(image1)
        return classical_flows(image1, image2)

    monkeypatch.setattr(model, "find_start", found)
    trainee = DecFlowTrainee("decflow-c", model)
    stage = Stage(
        name="all", trains="all", loss="rigid", steps=1, batch=1, crop=(64, 64), data={"faces": 1.0}, learning_rate=1e-3
    )
    made = batch()
    made["start"], made["start_back"] = classical_flows(made["image1"], made["image2"])
    counts = []
    for number in range(4):
        trainee.forward({**made, "index": torch.tensor([number])}, stage)
        counts.append(len(asked))
    assert counts == [1, 1, 2, 2]


@torch.inference_mode()
def test_it_says_how_large_its_error_is() -> None:
    found = network("decflow-c")(*pair(64, 96, batch=2))
    assert isinstance(found, CorrectorPredictions)
    assert found.log_error[0].shape == (2, 1, 64, 96)
    assert found.log_error[0].abs().max() <= 6


def batch() -> dict[str, torch.Tensor]:
    """A scene whose right half is a head that moves rigidly but for a bump."""
    image1, image2, facial, head = scene()
    region = torch.zeros(1, *facial.shape[2:], dtype=torch.uint8)
    region[:, :, facial.shape[3] // 2 :] = int(Region.CHEEKS)
    depth = torch.linspace(5, 6, facial.shape[3]).expand(1, *facial.shape[2:]) * (region > 0)
    valid = torch.ones(1, *facial.shape[2:], dtype=torch.bool)
    images = {"image1": image1, "image2": image2, "facial": facial, "head": head}
    return {**images, "head_valid": valid, "region": region, "depth": depth}


def test_the_true_flows_cost_nothing_but_what_the_offsets_cost() -> None:
    made = batch()
    truth = CorrectorPredictions((made["facial"],), (made["head"],), (torch.full_like(made["facial"][:, :1], -6.0),))
    parts = corrector_loss(truth, made, 0.5)
    assert parts["expression"] < 1e-3
    assert parts["deforming"] < 1e-3
    assert parts["facial"] == pytest.approx(0.01**0.7, rel=0.05)
    wrong = CorrectorPredictions((made["facial"],), (made["facial"],), truth.log_error)
    missed = corrector_loss(wrong, made, 0.5)
    # Zero expression: cheap on the mean over pixels, dear where the face deforms.
    assert missed["deforming"] > missed["expression"] > 0


def test_pixels_that_are_not_known_teach_nothing() -> None:
    made = batch()
    made["head_valid"][:] = False
    model = network("decflow-c").train()
    parts = corrector_loss(model(made["image1"], made["image2"]), made, 0.5)
    assert parts["facial"] > 0
    assert all(parts[name] == 0 for name in WEIGHTS if name not in ("facial", "log_error"))


@pytest.mark.parametrize("decomposition", ["rigid", "learned"])
def test_overfits_one_pair_in_both_parts(decomposition: str) -> None:
    torch.manual_seed(0)
    made = batch()
    made["region"][:] = int(Region.CHEEKS)
    made["depth"] = made["depth"] + 1
    model = DecFlowCorrector(TINY_CORRECTOR.model_copy(update={"decomposition": decomposition})).train()
    optimiser = torch.optim.AdamW(model.parameters(), lr=4e-3)
    rate = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.05, total_iters=150)
    for _ in range(150):
        parts = corrector_loss(model(made["image1"], made["image2"]), made, 0.5)
        loss = sum(WEIGHTS[name] * part for name, part in parts.items())
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        rate.step()
    with torch.inference_mode():
        flows = model.eval()(made["image1"], made["image2"])
    expression = made["facial"] - made["head"]
    for found, true in ((flows.facial, made["facial"]), (flows.head, made["head"]), (flows.expression, expression)):
        error = torch.linalg.vector_norm(found[-1] - true, dim=1).mean().item()
        assert error < 0.35 * torch.linalg.vector_norm(true, dim=1).mean().item()


@torch.inference_mode()
def test_only_what_is_small_beside_the_noise_is_taken_for_noise() -> None:
    """Whatever the decoder says, an expression of several px stays, and the less of it goes the larger it is."""
    torch.manual_seed(0)
    decoder = network("decflow-c").facial_decoder
    features = torch.randn(1, TINY_CORRECTOR.channels[0], 16, 24)
    gain, along = torch.zeros(1, 1, 32, 48), torch.zeros(1, 2, 32, 48)
    lengths = torch.tensor([0.1, 0.5, 2.0, 8.0, 32.0])
    shares = []
    for length in lengths:
        rest = torch.full((1, 2, 32, 48), float(length) / 2**0.5)
        shares.append((decoder.noise(features, rest, along, gain) / rest).mean().item())
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > 0.02  # the control: small differences are pulled
    assert shares[-1] * 32 < 0.1


def test_workers_make_the_same_start_as_the_network() -> None:
    image1, image2 = ((255 * image[0]).byte() for image in shifted(4, 2))
    made = add_classical_flows({"image1": image1, "image2": image2})
    model = network("decflow-c")
    images = [image[None].float() / 255 for image in (image1, image2)]
    with torch.inference_mode():
        given = model(*images, start=(made["start"][None], made["start_back"][None]))
        torch.testing.assert_close(given.facial[-1], model(*images).facial[-1])
        other = model(*images, start=(made["start"][None] + 1, made["start_back"][None]))
    assert (other.facial[-1] - given.facial[-1]).abs().mean() > 0.1


@settings(max_examples=20, deadline=None)
@given(scale=st.floats(0.2, 5), plane=st.tuples(*[st.floats(-3, 3)] * 3))
def test_depth_counts_up_to_scale_and_a_plane(scale: float, plane: tuple[float, float, float]) -> None:
    generator = torch.Generator().manual_seed(0)
    depth = torch.nn.functional.avg_pool2d(torch.rand(2, 1, 40, 48, generator=generator), 5, 1, 2)[:, 0] * 10
    y, x = torch.meshgrid(torch.linspace(-1, 1, 40), torch.linspace(-1, 1, 48), indexing="ij")
    tilted = scale * depth + plane[0] + plane[1] * x + plane[2] * y
    mask = torch.rand(2, 40, 48, generator=generator) > 0.3
    assert _depth_error(tilted, depth, mask) < 0.02
    assert _depth_error(torch.rand(2, 40, 48, generator=generator), depth, mask) > 0.5
    # What lies outside of the mask does not count.
    spoilt = torch.where(mask, tilted, 100 * torch.rand(2, 40, 48, generator=generator))
    torch.testing.assert_close(_depth_error(spoilt, depth, mask), _depth_error(tilted, depth, mask), atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("region", "body"),
    [
        (Region.CHEEKS, Body.HEAD),
        (Region.SCALP, Body.HEAD),
        (Region.NECK, Body.TRUNK),
        (Region.TORSO, Body.TRUNK),
        (Region.BACKGROUND, Body.BACKGROUND),
    ],
)
def test_regions_belong_to_bodies(region: Region, body: Body) -> None:
    assert (_bodies(torch.full((1, 2, 2), int(region), dtype=torch.uint8)) == int(body)).all()


def test_what_moves_rigidly_depends_on_how_far_the_head_moves() -> None:
    expression = torch.tensor([0.1, 0.2, 0.4, 0.8]).view(1, 1, 4)
    still, far = torch.zeros(1, 2, 1, 4), torch.tensor([12.0, 16.0]).view(1, 2, 1, 1).expand(1, 2, 1, 4)
    assert _moves_rigidly(expression, still).tolist() == [[[True, False, False, False]]]
    assert _moves_rigidly(expression, far).tolist() == [[[True, True, True, False]]]  # 20 px: up to 0.6
